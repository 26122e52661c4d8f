/* SPDX-License-Identifier: MIT */
/*
 * cache.c - see cache.h.
 *
 * A cache grows when its owner has filled it after it had emptied it since it was last full: that
 * is a burst, and the next one is to fit. A thread that only frees never grows its cache, but
 * overflows to the depot.
 *
 * It grows while it is empty, in an alloc: so nothing has to be copied, and P_release, which no
 * alloc may run beside, always finds top and bottom in one array.
 *
 * An overflow takes the upper part: slots leave by lowering top, so that at each moment the slots
 * below top are free, and free once. The child of a fork relies on it.
 */
#include "cache.h"

#include <assert.h>
#include <string.h>

#include "../common/probe.h"
#include "../platform/fence.h"
#include "../platform/tsan.h"
#include "lock.h"

/* The array of a cache that has outgrown its first one. */
typedef struct vf_array {
    size_t size; /* in bytes, of all of it */
    void *slots[];
} vf_array;

static size_t limit_of(const vf_pool_cache *cache)
{
    return (size_t)(cache->fast.full - cache->fast.bottom);
}

/* Makes slots the array of an empty cache. Threads that read it meanwhile, for statistics, find any
   mixture of old and new, and allow for it. release: a copy of memory, as a fork makes it, shows
   the stores in this order. */
static void set_array(vf_pool_cache *cache, void **slots, size_t limit)
{
    bool fenced = !VF_FENCED_FREE || vf_fence_is_certain();
    vf_store_release(&cache->moving, true);
    vf_store_release(&cache->fast.bottom, slots);
    vf_store_release(&cache->fast.top, slots);
    vf_store_release(&cache->fast.limit, fenced ? slots + limit : NULL);
    vf_store_release(&cache->fast.full, slots + limit);
    vf_store_release(&cache->moving, false);
}

static void set_first_array(vf_pool_cache *cache)
{
    set_array(cache, cache->first, vf_min(cache->most, VF_POOL_CACHE_FIRST));
}

static vf_memory *memory_of(const vf_pool_cache *cache)
{
    return cache->depot->batches.memory;
}

vf_pool_cache *vf_cache_new(struct vf_pool *pool, vf_depot *depot, size_t most)
{
    vf_pool_cache *cache =
        vf_memory_alloc(depot->batches.memory, sizeof(vf_pool_cache), _Alignof(vf_pool_cache));
    if (cache == NULL)
        return NULL;
    *cache = (vf_pool_cache){
        .pool = pool, .depot = depot, .most = most, .settled = VF_POOL_CACHE_UNSETTLED};
    cache->fast.freed = cache->fast.published = &vf_generation_none;
    cache->fast.whole = cache;
    cache->hidden = cache->fast;
    set_first_array(cache);
    return cache;
}

void vf_cache_add(vf_pool_cache **list, vf_pool_cache *cache)
{
    assert(vf_lock_held());
    cache->next = *list;
    vf_store_release(list, cache); /* pairs with the acquires of pool->caches */
}

void vf_cache_link(vf_pool_cache **list, vf_pool_cache *cache)
{
    assert(vf_lock_held());
    cache->next_of_owner = *list;
    cache->link_of_owner = list;
    if (*list != NULL)
        (*list)->link_of_owner = &cache->next_of_owner;
    *list = cache;
}

void vf_cache_unlink(vf_pool_cache *cache)
{
    assert(vf_lock_held());
    *cache->link_of_owner = cache->next_of_owner;
    if (cache->next_of_owner != NULL)
        cache->next_of_owner->link_of_owner = cache->link_of_owner;
}

/* How many bytes. */
static size_t free_array(vf_memory *memory, vf_array *array)
{
    size_t bytes = array != NULL ? array->size : 0;
    if (array != NULL)
        vf_memory_free(memory, array, bytes, VF_CACHE_LINE);
    return bytes;
}

/* More room for an empty cache, if it may have more and there is memory; but not where P_reserve
   has promised that the allocator is not asked. */
static void grow_array(vf_pool_cache *cache)
{
    assert(vf_cache_count(cache) == 0);
    size_t limit = limit_of(cache);
    size_t wanted = vf_min(limit + vf_min(limit, VF_POOL_CACHE_STEP), cache->most);
    if (wanted <= limit || vf_load_relaxed(&cache->depot->promised) != 0)
        return;
    size_t size = sizeof(vf_array) + wanted * sizeof(void *);
    vf_array *array = vf_memory_alloc(memory_of(cache), size, VF_CACHE_LINE);
    if (array == NULL)
        return;
    array->size = size;
    /* in this order, so that over a fork cache->array never leads to what is freed already */
    vf_array *old = cache->array;
    vf_store_relaxed(&cache->array, array);
    set_array(cache, array->slots, wanted);
    free_array(memory_of(cache), old);
}

/* Takes n slots off the top and gives them to the depot. */
static void give_top(vf_pool_cache *cache, size_t n)
{
    void **rest = vf_load_relaxed(&cache->fast.top) - n;
    /* top before in: a thread that reads in and then top sees too much lent rather than too little.
       Both before the depot has the slots: a thread that stops here loses slots and doubles none.
     */
    vf_store_relaxed(&cache->fast.top, rest);
    /* release: pairs with the acquire of in in release.c; it must not be seen before top */
    vf_store_release(&cache->in, vf_load_relaxed(&cache->in) - (int64_t)n);
    vf_depot_put(cache->depot, rest, n);
    VF_PROBE(pool_overflow, cache->depot->name, n);
}

/* Half of the cache, in whole words if that is possible. */
size_t vf_cache_share(const vf_pool_cache *cache)
{
    size_t half = (limit_of(cache) + 1) / 2;
    if (half > VF_WORD_BITS)
        half -= half % VF_WORD_BITS;
    return vf_min(half, VF_POOL_CACHE_MOVED_MAX);
}

void vf_cache_overflow(vf_pool_cache *cache)
{
    assert(vf_cache_count(cache) == limit_of(cache) && limit_of(cache) > 0);
    cache->burst = cache->burst || cache->refilled;
    cache->refilled = false;
    give_top(cache, vf_cache_share(cache));
}

void vf_cache_refilled(vf_pool_cache *cache, size_t n)
{
    cache->refilled = true;
    /* in before top: the child of a fork in between finds too much lent rather than too little */
    vf_store_relaxed(&cache->in, vf_load_relaxed(&cache->in) + (int64_t)n);
    vf_store_release(&cache->fast.top, cache->fast.bottom + n);
    VF_PROBE(pool_refill, cache->depot->name, n);
}

bool vf_cache_refill(vf_pool_cache *cache)
{
    assert(vf_cache_count(cache) == 0 && limit_of(cache) > 0);
    if (cache->burst)
        grow_array(cache);
    cache->burst = false;
    size_t n =
        vf_depot_refill(cache->depot, &cache->home, cache->fast.bottom, vf_cache_share(cache));
    if (n > 0)
        vf_cache_refilled(cache, n);
    return n > 0;
}

void vf_cache_unseize(vf_pool_cache *cache)
{
    assert(vf_lock_held());
    cache->seizer = NULL;
    size_t seized = vf_load_relaxed(&cache->seized);
    if (seized == 0)
        return;
    void **bottom = cache->fast.bottom;
    size_t left = vf_cache_count(cache) - seized;
    memmove(bottom, bottom + seized, left * sizeof *bottom);
    /* relaxed: only statistics read these without the lock; in this order, so that they do not take
       what was seized for live */
    vf_store_relaxed(&cache->in, vf_load_relaxed(&cache->in) - (int64_t)seized);
    vf_store_relaxed(&cache->fast.top, bottom + left);
    vf_store_relaxed(&cache->seized, (size_t)0);
}

size_t vf_cache_flush(vf_pool_cache *cache)
{
    vf_tsan_acquire(&cache->fast.top);
    vf_cache_unseize(cache); /* asserts the lock */
    size_t n = vf_cache_count(cache);
    if (n > 0)
        give_top(cache, n);
    vf_home_leave(&cache->depot->batches, &cache->home);
    vf_array *old = cache->array;
    if (old != NULL) {
        set_first_array(cache);
        vf_store_relaxed(&cache->array,
                         (vf_array *)NULL); /* before it is freed, as in grow_array */
    }
    cache->refilled = false;
    cache->burst = false;
    VF_PROBE(pool_flush, cache->depot->name, n);
    return free_array(memory_of(cache), old);
}

/* What it was moving to another array was empty; an array that it was about to free is lost. */
void vf_cache_abandon(vf_pool_cache *cache)
{
    assert(vf_lock_held());
    if (cache->moving)
        set_first_array(cache);
    cache->home = (vf_home){0};
    cache->deferrals &= ~(uint64_t)1;
}

void vf_cache_free(vf_pool_cache *cache)
{
    vf_memory *memory = memory_of(cache);
    free_array(memory, cache->array);
    vf_memory_free(memory, cache, sizeof *cache, _Alignof(vf_pool_cache));
}
