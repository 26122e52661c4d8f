/*
 * cache.c - the slots that one thread keeps to itself, beyond what the fast paths do.
 *
 *     [ s s s s s s s . . . . . ]
 *       ^bottom       ^top      ^limit
 *
 * One array, used as a stack. It begins with 128 places. It grows when a thread has filled it that
 * had emptied it since it was last full: that is a burst, and the next one shall fit. A thread
 * that only frees never grows its cache, but spills to the depot.
 *
 * It grows while it is empty, in an alloc: so nothing has to be copied, and P_release, which no
 * alloc may run beside, always finds top and bottom in one array.
 *
 * A spill takes the upper part: slots leave by lowering top, so that at each moment the slots
 * below top are free, and free once. fork.c relies on it.
 */
#include <assert.h>

#include "pool.h"
#include "probe.h"
#include "threads_seen.h"

/* The array of a cache that has outgrown its first one. */
typedef struct vf_array {
    size_t size; /* in bytes, of all of it */
    void *slots[];
} vf_array;

static size_t limit_of(const vf_thread_cache *cache)
{
    return (size_t)(cache->fast.limit - cache->fast.bottom);
}

/* Makes slots the array of an empty cache. Those who read it meanwhile, for statistics, find any
   mixture of old and new, and allow for it. release: a copy of memory, as a fork makes it, shows
   the stores in this order. */
static void set_array(vf_thread_cache *cache, void **slots, size_t limit)
{
    vf_store_release(&cache->moving, true);
    vf_store_release(&cache->fast.bottom, slots);
    vf_store_release(&cache->fast.top, slots);
    vf_store_release(&cache->fast.limit, slots + limit);
    vf_store_release(&cache->moving, false);
}

static void set_first_array(vf_thread_cache *cache)
{
    size_t limit = cache->pool->cache_limit;
    set_array(cache, cache->first, limit < VF_CACHE_FIRST ? limit : VF_CACHE_FIRST);
}

/* A cache that the pool does not know yet; NULL: out of memory. */
vf_thread_cache *vf_cache_new(vf_pool *pool)
{
    vf_thread_cache *cache =
        vf_memory_alloc(pool, sizeof(vf_thread_cache), _Alignof(vf_thread_cache));
    if (cache == NULL)
        return NULL;
    *cache = (vf_thread_cache){.pool = pool, .settled = VF_UNSETTLED};
    set_first_array(cache);
    return cache;
}

/* Makes it known to the pool. Threads' lock. */
void vf_cache_add(vf_thread_cache *cache)
{
    cache->next = cache->pool->caches;
    vf_store_release(&cache->pool->caches, cache); /* pairs with the acquire in stats.c */
}

/* How many bytes. */
static size_t free_array(vf_pool *pool, vf_array *array)
{
    size_t bytes = array != NULL ? array->size : 0;
    if (array != NULL)
        vf_memory_free(pool, array, bytes, VF_CACHE_LINE);
    return bytes;
}

/* More room for an empty cache, if it may have more and there is memory; but not where P_reserve
   has promised that the allocator is not asked. */
static void grow(vf_thread_cache *cache)
{
    assert(vf_cache_count(cache) == 0);
    size_t limit = limit_of(cache);
    size_t wanted = limit + (limit < VF_CACHE_STEP ? limit : VF_CACHE_STEP);
    if (wanted > cache->pool->cache_limit)
        wanted = cache->pool->cache_limit;
    if (wanted <= limit || vf_load_relaxed(&cache->pool->depot.promised) != 0)
        return;
    size_t size = sizeof(vf_array) + wanted * sizeof(void *);
    vf_array *array = vf_memory_alloc(cache->pool, size, VF_CACHE_LINE);
    if (array == NULL)
        return;
    array->size = size;
    /* in this order, so that over a fork cache->array never leads to what is freed already */
    vf_array *old = cache->array;
    vf_store_relaxed(&cache->array, array);
    set_array(cache, array->slots, wanted);
    free_array(cache->pool, old);
}

/* Takes n slots off the top and gives them to the depot. */
static void spill(vf_thread_cache *cache, size_t n)
{
    void **rest = vf_load_relaxed(&cache->fast.top) - n;
    /* top before in: whoever reads in and then top sees too much lent rather than too little.
       Both before the depot has the slots: whoever stops here loses slots and doubles none. */
    vf_store_relaxed(&cache->fast.top, rest);
    /* release: pairs with the acquire of in in release.c; it must not be seen before top */
    vf_store_release(&cache->in, vf_load_relaxed(&cache->in) - (int64_t)n);
    vf_depot_put(cache->pool, rest, n);
    VF_PROBE(pool_spill, cache->pool->name, n);
}

/* How many slots a spill takes from a full cache, and a refill asks of the depot: half of it, in
   whole words if that is possible. */
static size_t share(const vf_thread_cache *cache)
{
    size_t half = (limit_of(cache) + 1) / 2;
    if (half > VF_WORD_BITS)
        half -= half % VF_WORD_BITS;
    return half < VF_SPILL_MOST ? half : VF_SPILL_MOST;
}

/* Makes room in a full cache, at the depot's. Never fails. */
void vf_cache_make_room(vf_thread_cache *cache)
{
    assert(vf_cache_count(cache) == limit_of(cache) && limit_of(cache) > 0);
    cache->burst = cache->burst || cache->refilled;
    cache->refilled = false;
    spill(cache, share(cache));
}

/* Fills an empty cache from the depot. False: out of memory. */
bool vf_cache_refill(vf_thread_cache *cache)
{
    assert(vf_cache_count(cache) == 0 && limit_of(cache) > 0);
    if (cache->burst)
        grow(cache);
    cache->burst = false;
    void **bottom = cache->fast.bottom;
    size_t n = vf_depot_refill(cache->pool, &cache->home, bottom, share(cache));
    if (n == 0)
        n = vf_pool_reclaim(cache->pool, bottom, share(cache));
    if (n == 0)
        return false;
    cache->refilled = true;
    /* in before top: the child of a fork in between finds too much lent rather than too little */
    vf_store_relaxed(&cache->in, vf_load_relaxed(&cache->in) + (int64_t)n);
    vf_store_release(&cache->fast.top, bottom + n);
    VF_PROBE(pool_refill, cache->pool->name, n);
    return true;
}

/* Gives all it has to the depot, and its large array to the allocator; how many bytes. Its owner,
   or any thread where the owner cannot call. Threads' lock. */
size_t vf_cache_flush(vf_thread_cache *cache)
{
    vf_tell_after(&cache->fast.top);
    vf_cache_unseize(cache);
    size_t n = vf_cache_count(cache);
    if (n > 0)
        spill(cache, n);
    vf_depot_leave(cache->pool, &cache->home);
    vf_array *old = cache->array;
    if (old != NULL) {
        set_first_array(cache);
        vf_store_relaxed(&cache->array, (vf_array *)NULL); /* before it is freed, as in grow */
    }
    cache->refilled = false;
    cache->burst = false;
    VF_PROBE(pool_flush, cache->pool->name, n);
    return free_array(cache->pool, old);
}

/* Makes whole a cache whose owner, or user, did not come along over a fork. What it was moving to
   another array was empty; an array that it was about to free is lost. */
void vf_cache_abandon(vf_thread_cache *cache)
{
    if (cache->moving)
        set_first_array(cache);
    cache->home = (vf_home){NULL, 0, false};
    cache->deferrals &= ~(uint64_t)1;
}

/* At the end of the pool, or where the pool does not know it. */
void vf_cache_free_memory(vf_thread_cache *cache)
{
    free_array(cache->pool, cache->array);
    vf_memory_free(cache->pool, cache, sizeof *cache, _Alignof(vf_thread_cache));
}
