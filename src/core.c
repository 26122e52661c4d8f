/*
 * core.c - the calls behind the template: the beginning of a pool, and the slow paths, in the
 * order of the drawing in pool.h.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pool.h"
#include "probe.h"
#include "threads_seen.h"

const char vf_interface_1 = 1; /* in a checked build of another name, see config.h */

/* Most free objects that a thread keeps, where the options do not say. */
#define CACHE_BYTES 524288
#define CACHE_LEAST 64
#define CACHE_MOST  8192

static uint32_t cache_limit(const vf_pool_options *options, size_t stride)
{
    size_t limit = options->cache_objects;
    if (limit == 0 || limit == VF_CACHE_NONE)
        limit = CACHE_BYTES / stride < CACHE_LEAST  ? CACHE_LEAST
                : CACHE_BYTES / stride > CACHE_MOST ? CACHE_MOST
                                                    : CACHE_BYTES / stride;
    return limit < VF_POOL_SLOTS_MAX ? (uint32_t)limit : (uint32_t)VF_POOL_SLOTS_MAX;
}

/* Bytes from one object to the next; 0 where a batch would have more bytes than can be counted. */
static size_t stride_of(const vf_pool_type *type)
{
    if (type->object_size > SIZE_MAX / 4 || type->alignment > SIZE_MAX / 4)
        return 0;
    size_t alignment = vf_checked_alignment(type->alignment);
    size_t stride = (vf_checked_size(type->object_size) + alignment - 1) / alignment * alignment;
    /* half of what can be counted: room for the bookkeeping behind the slots */
    return type->batch_objects <= SIZE_MAX / 2 / (stride + 1) ? stride : 0;
}

static bool options_are_valid(const vf_pool_options *options, const vf_pool_type *type)
{
    return vf_allocator_is_valid(&options->allocator) &&
           options->max_objects <= VF_POOL_SLOTS_MAX && type->batch_objects <= VF_POOL_SLOTS_MAX &&
           stride_of(type) != 0;
}

static size_t pool_size(const vf_pool *pool)
{
    return sizeof *pool + strlen(pool->name) + 1;
}

/* The pool's own memory, from the allocator that it then has in it. */
static vf_pool *pool_memory(const vf_pool_options *options, const char *name)
{
    vf_allocator allocator = vf_allocator_or_default(&options->allocator);
    size_t size = sizeof(vf_pool) + strlen(name) + 1;
    vf_pool *pool = allocator.alloc(allocator.context, size, _Alignof(vf_pool));
    if (pool == NULL)
        return NULL;
    memset(pool, 0, size);
    memcpy(pool->name, name, strlen(name) + 1);
    pool->allocator = allocator;
    pool->bytes = size;
    return pool;
}

/* All that the pool holds goes back, the pool last. */
void vf_pool_free_memory(vf_pool *pool)
{
    vf_checked_forget(pool);
    vf_epoch_end(pool);
    vf_thread_cache *next_cache;
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = next_cache) {
        next_cache = cache->next;
        vf_cache_free_memory(cache);
    }
    vf_batches_free(pool);
    vf_tables_free(pool);
    if (pool->capped != NULL)
        vf_capped_free_memory(pool);
    pthread_mutex_destroy(&pool->growth_lock);
    vf_allocator allocator = pool->allocator;
    size_t size = pool_size(pool);
    int saved = errno;
    allocator.dealloc(allocator.context, pool, size, _Alignof(vf_pool));
    errno = saved;
}

/* A pool that threads do not know yet; NULL: out of memory. */
vf_pool *vf_pool_make(const vf_pool_type *type, const vf_pool_options *options)
{
    vf_pool *pool = pool_memory(options, options->name != NULL ? options->name : type->name);
    if (pool == NULL)
        return NULL;
    pool->stride = stride_of(type);
    pool->batch_objects = type->batch_objects;
    pool->alignment = vf_checked_alignment(type->alignment);
    pool->cache_limit = cache_limit(options, pool->stride);
    pool->uncached = options->cache_objects == VF_CACHE_NONE;
    pool->outstanding = VF_NOT_RELEASED;
    vf_batches_begin(pool);
    pool->holders = 1;
#ifndef VF_CHECKED /* what a checked build keeps behind an object must not go without it */
    pool->purge = vf_purge_or_default(options);
#endif
    pool->core.table = vf_empty_table;
    pthread_mutex_init(&pool->growth_lock, NULL);
    vf_epoch_begin(pool, options);
    if (options->max_objects != 0 && !vf_capped_new(pool, options->max_objects)) {
        vf_pool_free_memory(pool);
        return NULL;
    }
    return pool;
}

vf_pool_core *vf_pool_core_new(const vf_pool_type *type, const vf_pool_options *options,
                               size_t options_size)
{
    /* a program built against a version with fewer or more options is heard on those known here */
    vf_pool_options known = {0};
    if (options != NULL)
        memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
    if (!options_are_valid(&known, type)) {
        errno = EINVAL;
        return NULL;
    }
    int saved = errno;
    vf_pool *pool = vf_pool_make(type, &known);
    if (pool != NULL)
        vf_threads_add_pool(pool);
    errno = pool != NULL ? saved : ENOMEM;
    return pool != NULL ? &pool->core : NULL;
}

/*
 * Out of memory: before an alloc is refused, what threads keep that have ended, and what other
 * threads cache, goes to the depot; then all of it is looked at. Up to most slots; how many. Where
 * all slots are live it costs a look at the caches.
 */
size_t vf_pool_reclaim(vf_pool *pool, void **slots, size_t most)
{
    if (!vf_pool_has_free(pool))
        return 0;
    vf_threads_reap();
    vf_caches_seize(pool);
    return vf_depot_get_any(pool, slots, most);
}

/* The calling thread's cache, attached if need be; NULL where it must do without. */
static vf_thread_cache *own_cache(vf_pool *pool)
{
    vf_thread_cache *cache = vf_thread_found(pool);
    return cache != NULL ? cache : vf_thread_attach(pool);
}

/* Between two looks at its cache a thread may lose it to P_trim: hence each turn looks anew. */
static void *alloc_cached(vf_pool *pool, bool *uncached)
{
    vf_thread_cache *cache;
    while ((cache = own_cache(pool)) != NULL) {
        void *slot;
        if (vf_cache_pop(&cache->fast, &slot))
            return slot;
        if (!vf_cache_enter(pool, cache))
            continue;
        bool refilled = vf_cache_refill(cache);
        vf_cache_leave(cache);
        if (!refilled)
            return NULL;
    }
    *uncached = true;
    return NULL;
}

/* False: the thread must do without a cache. */
static bool free_cached(vf_pool *pool, void *object)
{
    vf_thread_cache *cache;
    while ((cache = own_cache(pool)) != NULL) {
        if (vf_cache_push(&cache->fast, object))
            return true;
        if (!vf_cache_enter(pool, cache))
            continue;
        vf_cache_make_room(cache);
        vf_cache_leave(cache);
    }
    return false;
}

/* Caches held by callers are nobody else's. */
static void *alloc_held(vf_thread_cache *cache)
{
    void *slot;
    while (!vf_cache_pop(&cache->fast, &slot)) {
        if (!vf_cache_refill(cache))
            return NULL;
    }
    return slot;
}

static void free_held(vf_thread_cache *cache, void *object)
{
    while (!vf_cache_push(&cache->fast, object))
        vf_cache_make_room(cache);
}

/* For a thread without a cache: by way of the depot, counted one by one. */
static void *alloc_uncached(vf_pool *pool)
{
    void *slot = vf_depot_alloc(pool);
    if (slot == NULL) {
        /* it may have a cache that it did not get, because another thread had the lock */
        vf_caches_flush_own(pool);
        vf_pool_reclaim(pool, &slot, 1);
    }
    if (slot != NULL)
        vf_pool_return(pool, -1);
    return slot;
}

static void free_uncached(vf_pool *pool, void *object)
{
    vf_depot_free(pool, object);
    if (vf_pool_return(pool, 1)) /* from here on the pool may be gone */
        vf_pool_end(pool);
}

/* Of a released pool. Nobody will ask for the slot again: it is counted off, and that is all. */
static void free_closed(vf_pool *pool)
{
    vf_thread_cache *cache = vf_thread_attached(pool);
    if (cache != NULL ? vf_pool_settle(pool, cache, 1) : vf_pool_return(pool, 1))
        vf_pool_end(pool);
}

/* Memory or the cap is spent: what threads have deferred shall not wait for more to join it. */
static void *refused(vf_pool *pool)
{
    vf_epoch_flush_all(pool, false);
    VF_PROBE(pool_refusal, pool->name, vf_load_relaxed(&pool->bytes));
    errno = ENOMEM;
    return NULL;
}

void *vf_pool_core_alloc_slow(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    void *slot = NULL;
    if (vf_load_relaxed(&pool->closed)) {
        /* misuse; but it shall not revive the pool */
    } else if (pool->capped != NULL) {
        slot = vf_capped_alloc(pool);
    } else {
        bool uncached = false;
        slot = alloc_cached(pool, &uncached);
        if (uncached)
            slot = alloc_uncached(pool);
    }
    vf_tell_after(&pool->outstanding);
    return slot != NULL ? slot : refused(pool);
}

void vf_pool_core_free_slow(vf_pool_core *core, void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    if (core->dropped != NULL)
        vf_dropped_free(pool, object);
    else if (pool->capped != NULL)
        vf_capped_free(pool, object);
    /* relaxed: one who does not see it yet works as if before; release.c, 2. */
    else if (vf_load_relaxed(&pool->closed))
        free_closed(pool);
    else if (!free_cached(pool, object))
        free_uncached(pool, object);
    /* its cache may have been another's. The pool may be gone, but its address is all that counts
     */
    vf_tell_after(&pool->outstanding);
}

/* What arrays of objects are to the core: pointers to some type that is not void, hence may_alias.
 */
typedef void *any_object __attribute__((may_alias));

/* Takes up to n slots that are in the thread's cache; how many. */
static size_t take_cached(vf_pool *pool, any_object *out, size_t n)
{
    vf_thread_cache *cache = vf_thread_found(pool);
    if (cache == NULL || !vf_cache_enter(pool, cache))
        return 0;
    void **top = vf_load_relaxed(&cache->fast.top);
    size_t count = vf_cache_count(cache);
    if (n > count)
        n = count;
    memcpy(out, top - n, n * sizeof *out);
    vf_store_relaxed(&cache->fast.top, top - n); /* as in vf_cache_pop */
    vf_cache_leave(cache);
    return n;
}

size_t vf_pool_core_alloc_n(vf_pool_core *core, void *objects, size_t n)
{
    vf_pool *pool = vf_pool_whole(core);
    any_object *out = objects;
    size_t done = 0;
    while (done < n) {
        size_t part = take_cached(pool, out + done, n - done);
        if (part == 0) {
            out[done] = vf_pool_core_alloc_slow(core);
            if (out[done] == NULL)
                break;
            part = 1;
        }
        done += part;
    }
    return done;
}

/* Copies the objects that are not NULL; how many. */
static size_t copy_objects(void **to, const any_object *in, size_t n)
{
    size_t absent = 0, copied = 0;
    for (size_t i = 0; i < n; i++)
        absent += in[i] == NULL;
    if (absent == 0) {
        memcpy(to, in, n * sizeof *in);
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        to[copied] = in[i];
        copied += in[i] != NULL; /* no branch */
    }
    return copied;
}

/* Puts objects into the thread's cache, until it is full; how many, those that are NULL included.
 */
static size_t put_cached(vf_pool *pool, const any_object *in, size_t n)
{
    vf_thread_cache *cache = vf_thread_found(pool);
    if (cache == NULL || !vf_cache_enter(pool, cache))
        return 0;
    void **top = vf_load_relaxed(&cache->fast.top);
    size_t room = (size_t)(cache->fast.limit - top);
    if (n > room)
        n = room;
    top += copy_objects(top, in, n);
    vf_store_release(&cache->fast.top, top); /* as in vf_cache_push */
    vf_cache_leave(cache);
    return n;
}

/* The last object goes by itself: with none left in hand the pool may be gone, and must not even be
   looked at. */
void vf_pool_core_free_n(vf_pool_core *core, const void *objects, size_t n)
{
    const any_object *in = objects;
    while (n > 0 && in[n - 1] == NULL)
        n--;
    if (n == 0)
        return;
    for (size_t done = 0; done < n - 1;) {
        size_t part = put_cached(vf_pool_whole(core), in + done, n - 1 - done);
        if (part == 0) {
            if (in[done] != NULL)
                vf_pool_core_free_slow(core, in[done]);
            part = 1;
        }
        done += part;
    }
    vf_pool_core_free(core, in[n - 1]);
}

/* n slots, and the cache that a thread needs with its first alloc. Whatever else would ask the
   allocator does without, until so many were allocated. */
static bool reserve(vf_pool *pool, size_t n)
{
    if (n == 0)
        return true;
    const vf_thread_cache *cache = own_cache(pool);
    size_t have = cache != NULL ? vf_cache_count(cache) : 0;
    size_t wanted = n > have ? n - have : 0;
    vf_thread_cache *spare;
    if (!vf_depot_can_have(pool, wanted) || !vf_threads_prepare(pool, &spare))
        return false;
    if (!vf_depot_reserve(pool, wanted)) {
        if (spare != NULL)
            vf_cache_free_memory(spare);
        return false;
    }
    if (spare != NULL)
        vf_threads_add_spare(spare);
    vf_store_relaxed(&pool->depot.promised, n); /* to one thread, if no other allocates */
    return true;
}

bool vf_pool_core_reserve(vf_pool_core *core, size_t n)
{
    vf_pool *pool = vf_pool_whole(core);
    bool reserved;
    if (pool->capped != NULL) {
        reserved = vf_capped_reserve(pool, n);
    } else {
        reserved = reserve(pool, n);
    }
    if (!reserved)
        errno = ENOMEM;
    return reserved;
}

vf_cache *vf_pool_core_cache_new(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_threads_enter();
    vf_thread_cache *cache = vf_cache_adopt(pool);
    if (cache != NULL) {
        cache->held = true;
        if (pool->capped != NULL)
            cache->fast.limit = cache->fast.bottom; /* always empty and always full */
        vf_fetch_add_relaxed(&pool->holders, 1);    /* the caller's handle keeps it above 0 */
    }
    vf_threads_leave();
    vf_tell_after(&pool->outstanding);
    if (cache == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    return &cache->fast;
}

void vf_pool_core_cache_release(vf_cache *fast)
{
    vf_thread_cache *cache = vf_cache_whole(fast);
    vf_pool *pool = cache->pool;
    vf_threads_enter();
    assert(cache->held);
    vf_cache_detach(cache);
    if (vf_pool_drop_holder(pool))
        vf_pool_end(pool);
    vf_threads_leave();
}

void *vf_pool_core_cache_alloc_slow(vf_cache *fast)
{
    vf_thread_cache *cache = vf_cache_whole(fast);
    vf_pool *pool = cache->pool;
    void *slot = NULL;
    if (vf_load_relaxed(&pool->closed)) {
        /* misuse, as above */
    } else if (pool->capped != NULL) {
        slot = vf_capped_alloc(pool);
    } else {
        slot = alloc_held(cache);
    }
    vf_tell_after(&pool->outstanding);
    return slot != NULL ? slot : refused(pool);
}

void vf_pool_core_cache_free_slow(vf_cache *fast, void *object)
{
    vf_thread_cache *cache = vf_cache_whole(fast);
    if (cache->pool->core.dropped != NULL)
        vf_dropped_free(cache->pool, object);
    else if (cache->pool->capped != NULL)
        vf_capped_free(cache->pool, object);
    else
        free_held(cache, object);
}
