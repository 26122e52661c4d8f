/* SPDX-License-Identifier: MIT */
/*
 * seize.c - see seize.h.
 *
 * Other threads' caches are used without a lock and without a fence. A seizing thread gets at them
 * by the two sides of fence.h:
 *
 *     owner, in a slow call                seizing thread
 *     busy = true                          entry in the owner's row: hidden
 *     vf_fence_light                       vf_fence_heavy
 *     is the entry still my cache?         busy?
 *
 * If the owner finds its entry, the other finds it busy, and lets it be. Otherwise no call of the
 * owner that begins now finds the cache. One that had found it before may still be about to move
 * top by one: an alloc may take the slot below it, a free may put one there. So all slots but the
 * uppermost are seized, and nothing is written to the cache; the owner, at its next slow call, or
 * the thread that ends it, throws away the seized pointers at the bottom (vf_cache_unseize). Where
 * there is no fence, other threads' caches are left alone.
 *
 * Until then the seized slots are part of in and of top - bottom, whose difference, which
 * release.c relies on, they do not change.
 *
 * The threads' lock is held for one cache at a time, so that threads can come and go meanwhile. A
 * cache says which thread is about to decide on it, if any; it does not where its owner has got it
 * back before.
 */
#include "seize.h"

#include <assert.h>

#include "../platform/fence.h"
#include "../platform/tsan.h"
#include "attach.h"
#include "stats.h"

/* ---- the owner's side ---- */

bool vf_seize_begin_call(vf_pool *pool, vf_pool_cache *cache)
{
    /* relaxed: a thread that finds it busy looks no further */
    vf_store_relaxed(&cache->busy, true);
    vf_fence_light(); /* pairs with the heavy one in seize_round */
    if (vf_row_has(cache->row, pool->core.column, &cache->fast))
        return true;
    vf_seize_end_call(cache);
    return false;
}

void vf_seize_end_call(vf_pool_cache *cache)
{
    /* release: pairs with the acquire in seizable; what the call did to the cache comes before */
    vf_store_release(&cache->busy, false);
}

/* ---- seizing ---- */

/* Has it slots that can be seized? Not exact where the owner is at work. */
static bool is_worth_it(const vf_pool_cache *cache)
{
    assert(vf_lock_held());
    return cache->thread != 0 && cache->thread != vf_thread_own() && !cache->held &&
           !cache->pool->uncached && vf_load_relaxed(&cache->seized) == 0 &&
           vf_load_relaxed(&cache->fast.top) - vf_load_relaxed(&cache->fast.bottom) > 1;
}

/* What a cache knows the calling thread by. */
static const void *own_mark(void)
{
    return vf_lock_self();
}

/* Takes the cache out of its owner's sight, if it is worth it. */
static bool hide(vf_pool_cache *cache)
{
    vf_lock_acquire();
    bool hidden = is_worth_it(cache);
    if (hidden) {
        cache->seizer = own_mark();
        vf_attach_hide(cache);
    }
    vf_lock_release();
    return hidden;
}

/* Slots that can be seized now, of a cache that is hidden since before the barrier. */
static size_t seizable(const vf_pool_cache *cache, bool barrier)
{
    assert(vf_lock_held());
    /* acquire: pairs with the release in vf_seize_end_call */
    if (!barrier || vf_load_acquire(&cache->busy))
        return 0;
    /* acquire: pairs with the release in vf_cache_push, for ThreadSanitizer, which knows of no
       fence: by that all slots but the uppermost were written before */
    size_t count = (size_t)(vf_load_acquire(&cache->fast.top) - cache->fast.bottom);
    return count > 0 ? count - 1 : 0;
}

/* Of a cache that this thread has hidden: its slots go to the depot, or else its owner is to find
   it again. True: another thread has hidden it meanwhile, and is to decide. */
static bool decide(vf_pool_cache *cache, bool barrier)
{
    vf_lock_acquire();
    bool lost = cache->seizer != NULL && cache->seizer != own_mark();
    if (cache->seizer == own_mark()) {
        cache->seizer = NULL;
        size_t n = seizable(cache, barrier);
        if (n > 0) {
            vf_store_relaxed(&cache->seized, n); /* the owner reads it under the lock */
            vf_tsan_acquire(&cache->fast.top);
            vf_depot_put(cache->depot, cache->fast.bottom, n);
        } else {
            vf_attach_show(cache);
        }
    }
    vf_lock_release();
    return lost;
}

/* Two threads that seize at once may take a cache from one another so many times. */
#define ROUNDS 8

/* Hides all caches that are worth it, and decides on them; true: some were lost to another thread
   that does the same. */
static bool seize_round(vf_pool_cache *first)
{
    bool any = false, lost = false;
    for (vf_pool_cache *cache = first; cache != NULL; cache = cache->next)
        any |= hide(cache);
    if (!any)
        return false;
    bool barrier = vf_fence_heavy();
    for (vf_pool_cache *cache = first; cache != NULL; cache = cache->next)
        lost |= decide(cache, barrier);
    return lost;
}

void vf_seize_all(vf_pool *pool)
{
    /* acquire: pairs with the release in vf_cache_add */
    vf_pool_cache *first = vf_load_acquire(&pool->caches);
    for (unsigned i = 0; i < ROUNDS && seize_round(first); i++) {
        /* what the other thread has not moved yet is not to be missed */
    }
}

size_t vf_seize_own(vf_pool *pool)
{
    vf_pool_cache *own = vf_attach_own(pool);
    if (own == NULL)
        return 0;
    vf_lock_acquire();
    size_t bytes = vf_cache_flush(own);
    vf_lock_release();
    return bytes;
}

void vf_seize_every(vf_pool *pool)
{
    vf_lock_acquire(); /* threads may end meanwhile */
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        vf_cache_flush(cache);
    assert(pool->capped != NULL || vf_stats_add_up(pool));
    vf_lock_release();
}
