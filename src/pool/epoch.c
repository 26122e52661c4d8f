/* SPDX-License-Identifier: MIT */
/*
 * epoch.c - see epoch.h.
 *
 *     thread's cache: open ----> deferral, being filled --call_rcu--> grace period --> depot
 *
 * Where no deferral is available the free is refused, as at max_deferred. Objects in one are live:
 * they are part of what some cache has lent, or of pool->outstanding, until they come back in the
 * way of a free without a cache (release.c).
 *
 * What is filled is in its thread's hands, but must go out when other threads want it to
 * (P_release, P_epoch_barrier, a pool that is out of memory). The owner uses no lock, and of the
 * fence (fence.h) the light side:
 *
 *     owner, in P_free_deferred            a thread that takes it, under the epoch lock
 *     deferrals: busy                      open = NULL, by exchange
 *     vf_fence_light                       vf_fence_heavy
 *     deferral = open; add to it           busy? then wait until it is not
 *     deferrals: one more, not busy        call_rcu
 *
 * Either the owner finds NULL, or the other finds it busy, and waits until the object is in. Where
 * there is no fence the owner makes busy by an exchange. While it is busy it never waits for a lock
 * of this library. It calls call_rcu while still busy, and the others under the epoch lock, so that
 * a thread which has waited for both knows that nothing is on its way to liburcu: P_epoch_barrier
 * must.
 */
#include "epoch.h"

#ifdef VF_HAS_EPOCH /* for a program that compiles all files of src/ by hand */

#    include <assert.h>
#    include <string.h>

#    include "../platform/fence.h"
#    include "../platform/once.h"
#    include "../platform/tsan.h"
#    include "../platform/wait.h"
#    include "deferral.h"
#    include "handle.h"
#    include "release.h"

/* A bit of vf_pool_cache.deferrals, which counts by 2. */
#    define BUSY ((uint64_t)1)

/* Refused so often, it is so for good. */
#    define REFUSALS_MAX 1000

static bool has_fence; /* atomic */

static void look_for_fence(void)
{
    vf_store_relaxed(&has_fence, vf_fence_heavy());
}

void vf_epoch_init(vf_pool *pool, const vf_pool_options *options)
{
    static vf_once once = VF_ONCE_INIT;
    vf_once_run(&once, look_for_fence);
    vf_deferrals_init(pool, options);
    vf_mutex_init(&pool->epoch.lock);
}

/* ---- after the grace period ---- */

static void drop_objects(const vf_pool *pool, const vf_deferral *deferral)
{
    /* relaxed: a constant of the program, written before the object was deferred */
    void (*drop)(void *) = vf_load_relaxed(&pool->epoch.drop);
    for (uint32_t i = 0; drop != NULL && i < deferral->count; i++)
        drop(deferral->slots[i]);
}

/* Retires those of n slots whose generations are used up; how many are left, which stand first. The
   pool may be gone if none is. */
static uint32_t retire_some(vf_pool *pool, void **slots, uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        if (!vf_handle_is_last(pool, slots[i])) {
            i++;
            continue;
        }
        void *last = slots[i];
        slots[i] = slots[--n];
        vf_handle_retire(pool, last);
    }
    return n;
}

/* The slots are free. The pool may be gone with the last. */
static void give_back_slots(vf_pool *pool, vf_deferral *deferral)
{
    uint32_t n = deferral->count;
    void *slots[VF_DEFERRAL_SLOTS];
    memcpy(slots, deferral->slots, n * sizeof *slots);
    vf_deferral_free(pool, deferral);
    if (pool->handles != NULL)
        n = retire_some(pool, slots, n);
    if (n > 0)
        pool->kind->free_waited(pool, slots, n);
}

/* On liburcu's thread. */
static void grace_period_over(vf_deferral *deferral)
{
    vf_pool *pool = deferral->pool;
    vf_epoch *epoch = &pool->epoch;
    drop_objects(pool, deferral);
    /* release: pairs with the acquire in vf_epoch_drain */
    vf_fetch_add_release(&epoch->done, (size_t)deferral->count);
    vf_deferral_unreserve(epoch, deferral->count);
    /* acquire: pairs with the release in must_go_now: a thread that has found this deferral in
       flight, in a released pool, has closed before it, and its own open deferral */
    if (vf_fetch_add_acquire(&epoch->in_flight, (size_t)-1) == 1 && vf_load_relaxed(&pool->closed))
        vf_epoch_send_all(pool, true);
    give_back_slots(pool, deferral);
}

void vf_epoch_send(vf_deferral *deferral)
{
    vf_pool *pool = deferral->pool;
    vf_deferral_unreserve(&pool->epoch, deferral->capacity - deferral->count);
    if (deferral->count == 0) {
        vf_deferral_free(pool, deferral);
        return;
    }
    /* relaxed: call_rcu orders it before its decrement. (In the child of a fork in between it
       stays; then deferrals of a released pool go out when they are full, or by vf_thread_flush, as
       any pool's do.) */
    vf_fetch_add_relaxed(&pool->epoch.in_flight, 1);
    vf_deferral_hand_over(deferral, grace_period_over);
}

/* ---- the owner's side ---- */

vf_deferral *vf_epoch_new_deferral(vf_pool *pool, size_t most)
{
    size_t capacity = vf_deferral_reserve(&pool->epoch, most);
    if (capacity == 0) {
        vf_epoch_send_all(pool, false); /* others may have capacity that they do not use */
        capacity = vf_deferral_reserve(&pool->epoch, most);
    }
    return capacity == 0 ? NULL : vf_deferral_new(pool, capacity);
}

void vf_epoch_open(vf_pool_cache *cache, vf_deferral *deferral)
{
    /* release: pairs with the acquire in take_all. Only the owner makes NULL anything else */
    vf_store_release(&cache->open, deferral);
}

static void busy_begin(vf_pool_cache *cache)
{
    uint64_t busy = cache->deferrals | BUSY;
    if (vf_load_relaxed(&has_fence)) {
        /* release: a thread that waits for the last object may see this instead of the store in
           busy_end, and must see what came before that */
        vf_store_release(&cache->deferrals, busy);
        vf_fence_light(); /* pairs with the heavy one in wait_for_all */
    } else {
        (void)vf_exchange_seq_cst(&cache->deferrals, busy); /* pairs with the exchange there */
    }
}

/* The owner's last access to the cache: vf_epoch_end waits for it. */
static void busy_end(vf_pool_cache *cache, uint64_t added)
{
    /* release: pairs with the acquire in wait_for */
    vf_store_release(&cache->deferrals, (cache->deferrals & ~BUSY) + 2 * added);
}

/* Of a released pool, with nobody to ask for the rest: a deferral goes out at once if no other is
   in flight. Otherwise the end of that one's grace period takes it along. */
static bool must_go_now(vf_pool *pool)
{
    /* release: pairs with the acquire in grace_period_over */
    return vf_load_relaxed(&pool->closed) && vf_fetch_add_release(&pool->epoch.in_flight, 0) == 0;
}

static void put(vf_deferral *open, void *object)
{
    uint32_t count = open->count;
    open->slots[count] = object;
    vf_tsan_release(open);
    vf_store_release(&open->count, count + 1); /* in this order, for the child of a fork */
}

bool vf_epoch_ends(const vf_pool *pool, void *object, uint64_t bits)
{
    bool goes_on; /* asked again when the grace period is over */
    if (pool->handles == NULL)
        return true;
    if (bits != 0)
        return vf_handle_claim(pool, bits, &goes_on) != NULL;
    (void)vf_handle_end(pool, object);
    return true;
}

vf_epoch_added vf_epoch_add(vf_pool *pool, vf_pool_cache *cache, void *object, uint64_t bits)
{
    busy_begin(cache);
    /* seq_cst, see busy_begin: with the acquire of others it could come before the exchange there
     */
    vf_deferral *open = vf_load_seq_cst(&cache->open);
    if (open == NULL || !vf_epoch_ends(pool, object, bits)) {
        busy_end(cache, 0);
        return open == NULL ? VF_EPOCH_NO_ROOM : VF_EPOCH_GONE;
    }
    put(open, object);
    /* A thread that takes all may have been first, and waits for this one then. release: a thread
       that finds NULL knows that this one was busy, and waits; pairs with the acquires in
       take_all */
    if ((open->count == open->capacity || must_go_now(pool)) &&
        vf_exchange_release(&cache->open, (vf_deferral *)NULL) != NULL)
        vf_epoch_send(open);
    busy_end(cache, 1);
    return VF_EPOCH_ADDED;
}

/* Where there is room behind the object in the open deferral of a pool that is not released. */
vf_epoch_added vf_epoch_add_fast(vf_pool *pool, vf_pool_cache *cache, void *object, uint64_t bits)
{
    if (!vf_load_relaxed(&has_fence))
        return VF_EPOCH_NO_ROOM;
    busy_begin(cache);
    vf_deferral *open = vf_load_relaxed(&cache->open); /* own; there is a fence, see busy_begin */
    bool fits = VF_LIKELY(open != NULL && open->count + 1 < open->capacity &&
                          !vf_load_relaxed(&pool->closed));
    bool ends = fits && vf_epoch_ends(pool, object, bits);
    if (ends)
        put(open, object);
    busy_end(cache, ends);
    return ends ? VF_EPOCH_ADDED : fits ? VF_EPOCH_GONE : VF_EPOCH_NO_ROOM;
}

void vf_epoch_send_open(vf_pool_cache *cache)
{
    assert(vf_lock_held());
    if (vf_load_relaxed(&cache->open) == NULL)
        return;
    busy_begin(cache);
    /* release: as in vf_epoch_add */
    vf_deferral *open = vf_exchange_release(&cache->open, (vf_deferral *)NULL);
    if (open != NULL)
        vf_epoch_send(open);
    busy_end(cache, 0);
}

/* ---- from other threads ---- */

/* Waits until the owner is done with what it found open. */
static void wait_for(const vf_pool_cache *cache)
{
    /* acquire: pairs with the release in busy_end; seq_cst, see busy_begin */
    uint64_t seen = vf_load_seq_cst(&cache->deferrals);
    for (unsigned round = 0; (seen & BUSY) != 0 && vf_load_acquire(&cache->deferrals) == seen;)
        vf_wait_round(&round);
}

/* Takes the open deferrals of all threads, as a chain; if patient, of those that are busy too. */
static vf_deferral *take_all(vf_pool *pool, bool patient)
{
    assert(vf_mutex_held(&pool->epoch.lock));
    vf_deferral *chain = NULL;
    /* acquire: pairs with the release in vf_cache_add */
    vf_pool_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next) {
        /* acquire: pairs with the release that made it NULL, which its owner may be busy with */
        if (vf_load_acquire(&cache->open) == NULL ||
            (!patient && (vf_load_relaxed(&cache->deferrals) & BUSY) != 0))
            continue;
        /* pairs with the release of what the owner has opened; seq_cst, see busy_begin */
        vf_deferral *open = vf_exchange_seq_cst(&cache->open, (vf_deferral *)NULL);
        if (open != NULL) {
            open->next = chain;
            chain = open;
        }
    }
    return chain;
}

/*
 * Every thread passes a full barrier. Where the system is out of memory it may be refused for a
 * moment. If it is refused again and again, by a filter of system calls that came after the first
 * P_new, owners do without it from here on; one that does not know that yet has long stored that it
 * is busy, or sees NULL, when this thread has slept.
 */
static void pass_all_threads(void)
{
    static bool refused; /* atomic */
    for (unsigned tries = 1; vf_load_relaxed(&has_fence) && !vf_fence_heavy(); tries++) {
        if (tries < REFUSALS_MAX) {
            vf_wait_sleep();
        } else {
            vf_store_relaxed(&refused, true);
            vf_store_relaxed(&has_fence, false);
        }
    }
    if (vf_load_relaxed(&refused))
        vf_wait_sleep();
}

static void wait_for_all(vf_pool *pool)
{
    assert(vf_mutex_held(&pool->epoch.lock));
    pass_all_threads();
    vf_pool_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next)
        wait_for(cache);
}

void vf_epoch_send_all(vf_pool *pool, bool patient)
{
    /* relaxed: what the caller must not miss happened before */
    if (vf_load_relaxed(&pool->epoch.reserved) == 0)
        return;
    if (patient)
        vf_mutex_lock(&pool->epoch.lock);
    else if (!vf_mutex_trylock(&pool->epoch.lock))
        return;
    vf_deferral *chain = take_all(pool, patient);
    if (patient || chain != NULL)
        wait_for_all(pool);
    while (chain != NULL) {
        vf_deferral *next = chain->next;
        vf_epoch_send(chain);
        chain = next;
    }
    vf_mutex_unlock(&pool->epoch.lock);
}

/* A barrier does not wait for the grace period of what VF_DROP has deferred. So the last barrier is
   one for which nothing was left to do. */
void vf_epoch_drain(vf_pool *pool)
{
    if (!vf_load_relaxed(&pool->epoch.used))
        return;
    size_t before;
    do {
        /* acquire: pairs with the release in grace_period_over: what VF_DROP has deferred until
           then goes out with this barrier */
        before = vf_load_acquire(&pool->epoch.done);
        vf_epoch_send_all(pool, true);
        vf_deferrals_barrier(pool);
    } while (vf_load_relaxed(&pool->epoch.drop) != NULL &&
             vf_load_relaxed(&pool->epoch.done) != before);
}

/* ---- the rest ---- */

void vf_epoch_end(vf_pool *pool)
{
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        wait_for(cache);
    vf_deferrals_free(pool);
    vf_mutex_destroy(&pool->epoch.lock);
}

/* A thread that held the lock or was busy did not come along. What it had in its hands is lost,
   with its capacity. */
void vf_epoch_after_fork(vf_pool *pool)
{
    assert(vf_lock_held());
    vf_mutex_init(&pool->epoch.lock);
    vf_mutex_init(&pool->epoch.growth);
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        busy_end(cache, 0);
}

size_t vf_epoch_deferred(const vf_pool *pool)
{
    size_t done =
        vf_load_relaxed(&pool->epoch.done); /* first, so that it is not more than the others */
    size_t all = vf_load_relaxed(&pool->epoch.single);
    /* acquire: pairs with the release in vf_cache_add */
    const vf_pool_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next)
        all += (size_t)(vf_load_relaxed(&cache->deferrals) / 2);
    return all > done ? all - done : 0;
}

#endif
