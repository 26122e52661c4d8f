/*
 * seize.c - takes the free slots that other threads keep in their caches: for P_trim, and for an
 * alloc that would have to fail without them.
 *
 * Other threads' caches are used without a lock and without a fence. A seizing thread gets at them
 * so:
 *
 *     owner, in a slow call                seizing thread
 *     busy = true                          table entry = vf_no_cache
 *     - no instruction -                   membarrier: every thread passes a full barrier
 *     is the entry still my cache?         busy?
 *
 * If the owner finds its entry, the other finds it busy, and lets it be. Otherwise no call of the
 * owner that begins now finds the cache. One that had found it before may still be about to move
 * top by one: an alloc may take the slot below it, a free may put one there. So all slots but the
 * uppermost are seized, and nothing is written to the cache; the owner, at its next slow call, or
 * whoever ends it, throws away the seized pointers at the bottom. The membarrier is Linux's, as
 * liburcu uses it. Where there is none, other threads' caches are left alone.
 *
 * Until then the seized slots are part of in and of top - bottom, whose difference, which
 * release.c relies on, they do not change.
 *
 * The threads' lock is held for one cache at a time, so that threads can come and go meanwhile. A
 * cache says which thread is about to decide on it, if any; it does not where its owner has got it
 * back before.
 */
#define _GNU_SOURCE /* syscall */

#include <errno.h>
#include <string.h>
#ifdef __linux__
#    include <sys/syscall.h>
#    include <unistd.h>

#    include "membarrier.h"
#endif

#include "pool.h"
#include "threads_seen.h"

/* ---- the owner's side ---- */

/* The begin of a slow call on the thread's own cache; false: it has just lost it. */
bool vf_cache_enter(vf_pool *pool, vf_thread_cache *cache)
{
    /* relaxed: a thread that finds it busy looks no further */
    vf_store_relaxed(&cache->busy, true);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* pairs with the membarrier in vf_caches_seize */
    /* acquire: as in vf_pool_core_find. The table has had the index since the cache was attached
     */
    vf_table *table = vf_load_acquire(&pool->core.table);
    /* acquire: pairs with the release in vf_table_set_fast; what a seizing thread has read in the
       cache comes before what the call is about to write there */
    if (vf_load_acquire(&vf_table_entries(table)[vf_thread_index]) == &cache->fast)
        return true;
    vf_cache_leave(cache);
    return false;
}

void vf_cache_leave(vf_thread_cache *cache)
{
    /* release: pairs with the acquire in seize; what the call did to the cache comes before */
    vf_store_release(&cache->busy, false);
}

/* Throws away what was seized, and ends a decision on it. The owner, or a thread that ends it;
   threads' lock. */
void vf_cache_unseize(vf_thread_cache *cache)
{
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

/* ---- seizing ---- */

/* Makes every thread of the process pass a full barrier; false where the system cannot. */
bool vf_membarrier(void)
{
#ifdef __linux__
    int saved = errno;
    bool done = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
                syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    errno = saved;
    return done;
#else
    return false;
#endif
}

/* Has it slots that can be seized? Not exact where the owner is at work. */
static bool is_worth_it(const vf_thread_cache *cache)
{
    return cache->thread != 0 && cache->thread != vf_thread_index && !cache->held &&
           !cache->pool->uncached && vf_load_relaxed(&cache->seized) == 0 &&
           vf_load_relaxed(&cache->fast.top) - vf_load_relaxed(&cache->fast.bottom) > 1;
}

/* What a cache knows the calling thread by. */
static const void *own_mark(void)
{
    return &vf_thread_index;
}

/* Takes the cache out of its owner's sight, if it is worth it. */
static bool hide(vf_thread_cache *cache)
{
    vf_threads_enter();
    bool hidden = is_worth_it(cache);
    if (hidden) {
        cache->seizer = own_mark();
        vf_table_set_fast(cache->pool, cache->thread, &vf_no_cache);
    }
    vf_threads_leave();
    return hidden;
}

/* Slots that can be seized now, of a cache that is hidden since before the barrier. */
static size_t seizable(const vf_thread_cache *cache, bool barrier)
{
    /* acquire: pairs with the release in vf_cache_leave */
    if (!barrier || vf_load_acquire(&cache->busy))
        return 0;
    /* acquire: pairs with the release in vf_cache_push, for ThreadSanitizer, which knows of no
       membarrier: by that all slots but the uppermost were written before */
    size_t count = (size_t)(vf_load_acquire(&cache->fast.top) - cache->fast.bottom);
    return count > 0 ? count - 1 : 0;
}

/* Of a cache that this thread has hidden: its slots go to the depot, or else its owner is to find
   it again. True: another thread has hidden it meanwhile, and is to decide. */
static bool decide(vf_thread_cache *cache, bool barrier)
{
    vf_threads_enter();
    bool lost = cache->seizer != NULL && cache->seizer != own_mark();
    if (cache->seizer == own_mark()) {
        cache->seizer = NULL;
        size_t n = seizable(cache, barrier);
        if (n > 0) {
            vf_store_relaxed(&cache->seized, n); /* the owner reads it under the lock */
            vf_tell_after(&cache->fast.top);
            vf_depot_put(cache->pool, cache->fast.bottom, n);
        } else {
            vf_table_set_fast(cache->pool, cache->thread, &cache->fast);
        }
    }
    vf_threads_leave();
    return lost;
}

/* Two threads that seize at once may take a cache from one another so many times. */
#define ROUNDS 8

/* Hides all caches that are worth it, and decides on them; true: some were lost to another thread
   that does the same. */
static bool seize_round(vf_thread_cache *first)
{
    bool any = false, lost = false;
    for (vf_thread_cache *cache = first; cache != NULL; cache = cache->next)
        any |= hide(cache);
    if (!any)
        return false;
    bool barrier = vf_membarrier();
    for (vf_thread_cache *cache = first; cache != NULL; cache = cache->next)
        lost |= decide(cache, barrier);
    return lost;
}

/* Moves to the depot what other threads' caches have, as far as it can. Any thread. */
void vf_caches_seize(vf_pool *pool)
{
    /* acquire: pairs with the release in vf_cache_add */
    vf_thread_cache *first = vf_load_acquire(&pool->caches);
    for (unsigned i = 0; i < ROUNDS && seize_round(first); i++) {
        /* what the other thread has not moved yet shall not be missed */
    }
}

/* Moves to the depot what the calling thread's cache has; how many bytes the cache gives back. */
size_t vf_caches_flush_own(vf_pool *pool)
{
    vf_thread_cache *own = vf_thread_attached(pool);
    if (own == NULL)
        return 0;
    vf_threads_enter();
    size_t bytes = vf_cache_flush(own);
    vf_threads_leave();
    return bytes;
}

/* Moves to the depot what all caches have. No other call on the pool. */
void vf_caches_flush_all(vf_pool *pool)
{
    vf_threads_enter(); /* threads may end meanwhile */
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        vf_cache_flush(cache);
    vf_threads_leave();
}
