/* SPDX-License-Identifier: MIT */
/*
 * cached.c - see cached.h.
 */
#include "cached.h"

#include "attach.h"
#include "release.h"
#include "seize.h"
#include "stats.h"
#include "threads.h"

/*
 * Out of memory: before an alloc is refused, what threads keep that have ended, and what other
 * threads cache, goes to the depot; then all of it is looked at. Up to most slots; how many. Where
 * all slots are live it costs a look at the caches.
 */
static size_t reclaim(vf_pool *pool, void **slots, size_t most)
{
    if (!vf_stats_may_have_free(pool))
        return 0;
    vf_threads_reap();
    vf_seize_all(pool);
    return vf_depot_get_any(&pool->depot, slots, most);
}

/* Fills an empty cache. False: out of memory. */
static bool refill(vf_pool *pool, vf_pool_cache *cache)
{
    if (vf_cache_refill(cache))
        return true;
    size_t n = reclaim(pool, cache->fast.bottom, vf_cache_share(cache));
    if (n > 0)
        vf_cache_refilled(cache, n);
    return n > 0;
}

/* The calling thread's cache, attached if need be; NULL where it must do without. */
static vf_pool_cache *own_cache(vf_pool *pool)
{
    vf_pool_cache *cache = vf_attach_found(pool);
    return cache != NULL ? cache : vf_threads_attach(pool);
}

/* Between two looks at its cache a thread may lose it to P_trim: hence each turn looks again. */
static void *alloc_cached(vf_pool *pool, bool *uncached)
{
    vf_pool_cache *cache;
    while ((cache = own_cache(pool)) != NULL) {
        void *slot;
        if (vf_cache_pop(&cache->fast, &slot))
            return slot;
        if (!vf_seize_begin_call(pool, cache))
            continue;
        bool refilled = refill(pool, cache);
        vf_seize_end_call(cache);
        if (!refilled)
            return NULL;
    }
    *uncached = true;
    return NULL;
}

/* False: the thread must do without a cache. */
static bool free_cached(vf_pool *pool, void *object)
{
    vf_pool_cache *cache;
    while ((cache = own_cache(pool)) != NULL) {
        if (vf_cache_push(&cache->fast, object))
            return true;
        if (!vf_seize_begin_call(pool, cache))
            continue;
        vf_cache_overflow(cache);
        vf_seize_end_call(cache);
    }
    return false;
}

/* No other thread uses, or seizes from, a cache that is held. */
void *vf_cached_alloc_held(vf_pool_cache *cache)
{
    void *slot;
    while (!vf_cache_pop(&cache->fast, &slot)) {
        if (!refill(cache->pool, cache))
            return NULL;
    }
    return slot;
}

void vf_cached_free_held(vf_pool_cache *cache, void *object)
{
    while (!vf_cache_push(&cache->fast, object))
        vf_cache_overflow(cache);
}

/* For a thread without a cache: by way of the depot, counted one by one. */
static void *alloc_uncached(vf_pool *pool)
{
    void *slot = vf_depot_alloc(&pool->depot);
    if (slot == NULL) {
        /* it may have a cache that it did not get, because another thread had the lock */
        (void)vf_seize_own(pool);
        reclaim(pool, &slot, 1);
    }
    if (slot != NULL)
        (void)vf_release_return(pool, -1);
    return slot;
}

static void free_uncached(vf_pool *pool, void *object)
{
    vf_depot_free(&pool->depot, object);
    vf_release_return_last(pool, 1);
}

/* Of a released pool. No alloc will want the slot: it is counted off, and that is all. */
static void free_closed(vf_pool *pool)
{
    vf_pool_cache *cache = vf_attach_own(pool);
    if (cache != NULL ? vf_release_settle(pool, cache, 1) : vf_release_return(pool, 1))
        vf_release_end(pool);
}

/* n slots, and the cache that a thread needs with its first alloc. Whatever else would ask the
   allocator does without, until so many were allocated. */
bool vf_cached_reserve(vf_pool *pool, size_t n)
{
    if (n == 0)
        return true;
    const vf_pool_cache *cache = own_cache(pool);
    size_t have = cache != NULL ? vf_cache_count(cache) : 0;
    size_t wanted = n > have ? n - have : 0;
    vf_pool_cache *spare;
    if (!vf_depot_can_have(&pool->depot, wanted) || !vf_threads_prepare(pool, &spare))
        return false;
    if (!vf_depot_reserve(&pool->depot, wanted)) {
        if (spare != NULL)
            vf_cache_free(spare);
        return false;
    }
    if (spare != NULL)
        vf_threads_add_spare(spare);
    vf_store_relaxed(&pool->depot.promised, n); /* to one thread, if no other allocates */
    return true;
}

/* ---- the calls ---- */

void *vf_cached_alloc(vf_pool *pool)
{
    bool uncached = false;
    void *slot = alloc_cached(pool, &uncached);
    return uncached ? alloc_uncached(pool) : slot;
}

void vf_cached_free(vf_pool *pool, void *object)
{
    /* relaxed: a thread that does not see it yet works as if before; release.c, 2. */
    if (vf_load_relaxed(&pool->closed))
        free_closed(pool);
    else if (!free_cached(pool, object))
        free_uncached(pool, object);
}

void vf_cached_free_waited(vf_pool *pool, void *const *objects, size_t n)
{
    if (vf_checks_deferral(pool, objects, n))
        vf_depot_put(&pool->depot, objects, n);
    vf_release_return_last(pool, (int64_t)n);
}
