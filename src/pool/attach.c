/* SPDX-License-Identifier: MIT */
/*
 * attach.c - see attach.h.
 *
 *     thread 5's row:  [ ... | entry | ... ]      the entry in the pool's column
 *                                |
 *                                +---> cache->fast      its calls find the cache
 *                                +---> cache->hidden    it is attached, and its calls find it empty
 *                                                       and full at once
 *
 * It is hidden while P_trim looks at it, once the pool is released, and always where the pool's
 * threads have no caches.
 */
#include "attach.h"

#include <assert.h>

#include "../platform/tsan.h"
#include "release.h"

void vf_attach_show(vf_pool_cache *cache)
{
    const vf_pool *pool = cache->pool;
    /* asserts the lock */
    vf_row_set(cache->row, pool->core.column, pool->uncached ? &cache->hidden : &cache->fast);
}

void vf_attach_hide(vf_pool_cache *cache)
{
    /* asserts the lock */
    vf_row_set(cache->row, cache->pool->core.column, &cache->hidden);
}

void vf_attach_close(vf_pool *pool)
{
    assert(vf_lock_held() && !pool->closed);
    /* relaxed: a free that does not see it yet is one that was caught half way */
    vf_store_relaxed(&pool->closed, true);
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->thread != 0)
            vf_attach_hide(cache);
    }
}

/* ---- owners ---- */

vf_pool_cache *vf_attach_adopt(vf_pool *pool)
{
    assert(vf_lock_held());
    vf_pool_cache *cache = pool->idle;
    if (cache != NULL) {
        vf_cache_unlink(cache);
        return cache;
    }
    cache = vf_cache_new(pool, &pool->depot, pool->cache_limit);
    if (cache != NULL)
        vf_cache_add(&pool->caches, cache);
    return cache;
}

void vf_attach_add_idle(vf_pool_cache *cache)
{
    vf_cache_link(&cache->pool->idle, cache); /* asserts the lock */
}

vf_pool_cache *vf_attach_new(vf_pool *pool, vf_pool_cache **list)
{
    assert(vf_attach_own(pool) == NULL);
    vf_pool_cache *cache = vf_attach_adopt(pool); /* asserts the lock */
    if (cache != NULL) {
        cache->thread = vf_thread_own();
        cache->row = vf_row_own();
        vf_cache_link(list, cache);
    }
    return cache;
}

vf_pool_cache *vf_attach_take_first(vf_pool_cache **list)
{
    vf_pool_cache *cache = *list;
    vf_cache_unlink(cache); /* asserts the lock */
    vf_row_set(cache->row, cache->pool->core.column, NULL);
    cache->thread = 0;
    return cache;
}

void vf_attach_detach(vf_pool_cache *cache)
{
    assert(vf_lock_held() && cache->thread == 0);
    vf_pool *pool = cache->pool;
    bool last;
    if (vf_load_relaxed(&pool->closed) && !cache->held) {
        last = vf_release_settle(pool, cache, 0);
    } else {
        vf_cache_flush(cache);
        int64_t in = cache->in;
        /* in this order, so that a thread which adds both up does not count what is live twice */
        vf_store_relaxed(&cache->in, 0);
        last = vf_release_return(pool, -in);
    }
    if (cache->held)
        cache->held = false; /* of a thread's it is not written: P_destroy may be looking at it */
    vf_tsan_release(&pool->memory);
    vf_attach_add_idle(cache);
    if (last)
        vf_release_end(pool);
}
