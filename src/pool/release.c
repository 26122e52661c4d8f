/* SPDX-License-Identifier: MIT */
/*
 * release.c - the end of a pool: memory goes back when the handle and all objects are gone.
 *
 * No count is kept per object. Each cache knows what it lent: what came into it from the depot
 * and the batches (in), less what it has (count). Objects that threads without a cache handle are
 * added to and taken from pool->outstanding directly. So, with count = top - bottom,
 *
 *     live  =  sum over caches (in - count)  +  (outstanding - VF_RELEASE_NOT_YET)
 *
 * (Slots that P_trim has seized are part of both in and count until their owner throws them out.)
 *
 * P_release sends every thread's frees to the slow path (vf_attach_close), adds what each cache
 * lent to outstanding ("settles" it), and takes VF_RELEASE_NOT_YET away. From then on each free
 * takes one from outstanding, and the thread that brings it to 0 ends the pool.
 *
 * Threads free at the same instant, without a lock and without a fence, on the strength of this:
 *
 * 1. What P_release reads is never too little. While it runs nothing is allocated, so in only
 *    falls and count only rises, except in an overflow, which lowers count first and then in
 *    (cache.c). P_release reads in first and then count: in - count was at least what was lent
 *    then. So outstanding is at least live, and cannot come to 0 too early.
 *
 * 2. What it missed is found later. A free that was past the look at its row puts its slot in
 *    the cache uncounted. The next slow call, flush or exit of that thread settles the cache again
 *    by the difference. The swap of cache->settled decides which of the two added what, and each
 *    difference is added once. If the thread is first, P_release passes its cache by: so before
 *    that swap it adds what it lent, so that outstanding cannot come to 0 without it. It subtracts
 *    after the swap.
 *
 * 3. Nobody touches a pool that has ended. A free in progress is of an object that is still
 *    outstanding, and its last access to the pool is what makes the object count as free: the
 *    store of top, or the subtraction from outstanding. Flush, exit and fork have no object;
 *    they hold the threads' lock, and a pool ends only after it was taken out of their sight under
 *    that lock.
 *
 * 4. What was done before a free is done when the memory goes back. A free without a lock orders
 *    its last store for the compiler alone, where the processor's order of memory is weak
 *    (VF_FENCED_FREE). So between its looks at the caches and its change of outstanding P_release
 *    passes a barrier in all threads: what it has counted as free is over then, for it and for the
 *    thread that ends the pool. Where the barrier is refused, although it was there before, it
 *    leaves the caches of other threads to them, each as a holder (see below), until its owner's
 *    next slow call, flush or exit, whose swap of outstanding is a release.
 *
 * A cache held by a caller is not settled by P_release, but when it is given back; until then it
 * counts as a holder, as the handle does, and VF_RELEASE_NOT_YET stays while there is a holder.
 */
#include "release.h"

#include <assert.h>

#include "../platform/fence.h"
#include "../platform/tsan.h"

/* Changes outstanding; true where that was the end. acq_rel: release, so that all this thread did
   to the pool is over for the thread that ends it; acquire, for that thread. Pairs with itself. */
static bool add_outstanding(vf_pool *pool, int64_t objects)
{
    if (objects == 0)
        return false;
    vf_tsan_release(&pool->memory);
    int64_t before = vf_fetch_add_acq_rel(&pool->outstanding, objects);
    vf_tsan_acquire(&pool->memory);
    assert(before >= -objects); /* at least what is live */
    return before == -objects;
}

bool vf_release_return(vf_pool *pool, int64_t objects)
{
    return add_outstanding(pool, -objects);
}

void vf_release_return_last(vf_pool *pool, int64_t objects)
{
    if (vf_release_return(pool, objects))
        vf_release_end(pool);
}

/* What outstanding has of a cache, by its settled. */
static int64_t part_of(int64_t settled)
{
    return settled == VF_POOL_CACHE_UNSETTLED || settled == VF_POOL_CACHE_LEFT ? 0 : settled;
}

bool vf_release_settle(vf_pool *pool, vf_pool_cache *cache, int64_t freed)
{
    assert(!cache->held);
    int64_t lent = vf_load_relaxed(&cache->in) - (int64_t)vf_cache_count(cache);
    /* relaxed: a thread that sees too late that it is settled raises outstanding without need */
    bool unsettled = vf_load_relaxed(&cache->settled) == VF_POOL_CACHE_UNSETTLED;
    int64_t raised = unsettled && lent > 0 ? lent : 0;
    (void)add_outstanding(pool, raised); /* not the end: what is being freed counts yet */
    /* release: pairs with the acquire in vf_release_settle_all, where this was first: what is
       subtracted there comes after what is added above. acquire: pairs with the release in
       leave_to_owners, which has added the holder that is taken away below */
    int64_t before = vf_exchange_acq_rel(&cache->settled, lent);
    bool last = add_outstanding(pool, lent - raised - part_of(before) - freed);
    return before == VF_POOL_CACHE_LEFT ? vf_release_put_holder(pool) : last;
}

/* Has this thread seen frees into the cache, and not what came before them? */
static bool is_unordered(const vf_pool_cache *cache)
{
    assert(vf_lock_held());
    return VF_FENCED_FREE && !cache->held && cache->thread != 0 &&
           cache->thread != vf_thread_own() && cache->fast.limit != NULL;
}

/* There is no barrier: what was settled of such caches is left to their owners. How much it was. */
static int64_t leave_to_owners(vf_pool *pool)
{
    int64_t sum = 0;
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (!is_unordered(cache))
            continue;
        vf_fetch_add_relaxed(&pool->holders, 1); /* the handle keeps it above 0 */
        /* release: pairs with the acquire in vf_release_settle, which takes the holder away again
         */
        sum += vf_exchange_release(&cache->settled, VF_POOL_CACHE_LEFT);
    }
    return sum;
}

int64_t vf_release_settle_all(vf_pool *pool)
{
    assert(vf_lock_held());
    int64_t sum = 0;
    bool unordered = false;
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->held)
            continue;
        unordered |= is_unordered(cache);
        /* acquire: pairs with the release in give_top; in before count, see 1. above */
        int64_t lent = vf_load_acquire(&cache->in);
        /* acquire: pairs with the release in vf_cache_push, where it is one. bottom changes in an
           alloc or under the threads' lock only, so not now */
        lent -= vf_load_acquire(&cache->fast.top) - cache->fast.bottom;
        int64_t unsettled = VF_POOL_CACHE_UNSETTLED;
        /* acquire: pairs with the swap in vf_release_settle, whose owner was first if this fails */
        if (vf_cas_strong_acquire(&cache->settled, &unsettled, lent))
            sum += lent;
        vf_tsan_acquire(&cache->fast.top);
    }
    /* pairs with the stores of top in vf_cache_push, see 4. above */
    if (unordered && !vf_fence_heavy())
        sum -= leave_to_owners(pool);
    return sum;
}

bool vf_release_put_holder(vf_pool *pool)
{
    /* acq_rel: the last one sees the sums that the others have added to outstanding */
    if (vf_fetch_add_acq_rel(&pool->holders, (uint32_t)-1) != 1)
        return false;
    return add_outstanding(pool, -VF_RELEASE_NOT_YET);
}

void vf_release_end(vf_pool *pool)
{
    vf_lock_acquire();
    *pool->link = pool->next;
    if (pool->next != NULL)
        pool->next->link = pool->link;
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->thread == 0)
            continue;
        vf_cache_unlink(cache);
        vf_row_set(cache->row, pool->core.column, NULL);
    }
    vf_row_give_column(pool->core.column);
    vf_lock_after(&pool->end);
    vf_lock_release();
}
