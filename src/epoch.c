/*
 * epoch.c - freed objects are kept until the readers that may still see them are gone:
 * P_free_deferred and P_epoch_barrier, and the deferral that each thread's cache has open.
 *
 *     thread's cache: open ----> deferral, being filled --call_rcu--> grace period --> depot
 *
 * Where no deferral can be had the free is refused, as at max_deferred. Objects in one are live:
 * they are part of what some cache has lent, or of pool->outstanding, until they come back in the
 * way of a free without a cache (release.c).
 *
 * What is filled is in its thread's hands, but must go out when others want it to (P_release,
 * P_epoch_barrier, a pool that has no more memory). The owner uses no lock and no fence:
 *
 *     owner, in P_free_deferred            who takes it, under epoch.lock
 *     deferrals: busy                      open = NULL, by exchange
 *     - no instruction -                   membarrier: every thread passes a full barrier
 *     deferral = open; add to it           busy? then wait until it is not
 *     deferrals: one more, not busy        call_rcu
 *
 * Either the owner finds NULL, or the other finds it busy, and waits until the object is in. Where
 * there is no membarrier the owner makes busy by an exchange. While it is busy it never waits for a
 * lock of this library. It calls call_rcu while still busy, and the others under epoch.lock, so
 * that who has waited for both knows that nothing is on its way to liburcu: P_epoch_barrier must.
 */
#include "deferral.h"
#include "threads_seen.h"

#ifdef VF_HAS_EPOCH /* for those who compile all files of src/ by hand */

#    include <errno.h>

#    include "cancel.h"

/* A bit of vf_thread_cache.deferrals, which counts by 2. */
#    define BUSY ((uint64_t)1)

/* Refused so often, it is so for good. */
#    define REFUSALS_MOST 1000

static bool has_membarrier; /* atomic */

static void look_for_membarrier(void)
{
    vf_store_relaxed(&has_membarrier, vf_membarrier());
}

void vf_epoch_begin(vf_pool *pool, const vf_pool_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_for_membarrier);
    vf_deferrals_begin(pool, options);
    pthread_mutex_init(&pool->epoch.lock, NULL);
}

/* ---- the owner's side ---- */

/* An empty deferral with room for some objects, most at most; NULL at the bound, or where memory is
   spent. */
static vf_deferral *deferral_new(vf_pool *pool, size_t most)
{
    size_t room = vf_deferral_reserve(&pool->epoch, most);
    if (room == 0) {
        vf_epoch_flush_all(pool, false); /* others may have room that they do not use */
        room = vf_deferral_reserve(&pool->epoch, most);
    }
    return room == 0 ? NULL : vf_deferral_new(pool, room);
}

static void enter(vf_thread_cache *cache)
{
    uint64_t busy = cache->deferrals | BUSY;
    if (vf_load_relaxed(&has_membarrier)) {
        /* release, lest who waits for the last object sees this instead of the store in leave, and
           not what came before that */
        vf_store_release(&cache->deferrals, busy);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* pairs with the membarrier in take_all */
    } else {
        (void)vf_exchange_seq_cst(&cache->deferrals, busy); /* pairs with the exchange there */
    }
}

/* The owner's last access to the cache: vf_epoch_end waits for it. */
static void leave(vf_thread_cache *cache, uint64_t added)
{
    /* release: pairs with the acquire in wait_for */
    vf_store_release(&cache->deferrals, (cache->deferrals & ~BUSY) + 2 * added);
}

/* Of a released pool, with nobody to ask for the rest: a deferral goes out at once if no other is
   in flight. Otherwise the end of that one's grace period takes it along. */
static bool must_go_now(vf_pool *pool)
{
    /* release: pairs with the acquire in after_grace_period */
    return vf_load_relaxed(&pool->closed) && vf_fetch_add_release(&pool->epoch.in_flight, 0) == 0;
}

static void put(vf_deferral *open, void *object)
{
    uint32_t count = open->count;
    open->slots[count] = object;
    vf_tell_before(open);
    vf_store_release(&open->count, count + 1); /* in this order, for the child of a fork */
}

/* Adds to the open deferral; false where there is none. The pool may be gone after it. */
static bool add(vf_pool *pool, vf_thread_cache *cache, void *object)
{
    enter(cache);
    /* seq_cst, see enter: with the acquire of others it could come before the exchange there */
    vf_deferral *open = vf_load_seq_cst(&cache->open);
    if (open == NULL) {
        leave(cache, 0);
        return false;
    }
    put(open, object);
    /* Who takes all may have been first, and waits for this thread then. release: who finds NULL
       knows that this thread was busy, and waits; pairs with the acquires in take_all */
    if ((open->count == open->room || must_go_now(pool)) &&
        vf_exchange_release(&cache->open, (vf_deferral *)NULL) != NULL)
        vf_deferral_send(pool, open);
    leave(cache, 1);
    return true;
}

static bool defer(vf_pool *pool, vf_thread_cache *cache, void *object)
{
    while (!add(pool, cache, object)) {
        vf_deferral *fresh = deferral_new(pool, VF_DEFERRAL_SLOTS);
        if (fresh == NULL)
            return false;
        /* release: pairs with the acquire in take_all. Only the owner makes NULL anything else */
        vf_store_release(&cache->open, fresh);
    }
    return true;
}

/* For a thread without a cache. */
static bool defer_singly(vf_pool *pool, void *object)
{
    vf_deferral *deferral = deferral_new(pool, 1);
    if (deferral == NULL)
        return false;
    deferral->slots[deferral->count++] = object;
    vf_fetch_add_relaxed(&pool->epoch.single, 1); /* a number for reports */
    vf_deferral_send(pool, deferral);
    return true;
}

/* VF_DROP frees another object while P_destroy drops all: nobody reads any more. */
static void free_now(vf_pool *pool, void *object, void (*drop)(void *))
{
    if (drop != NULL) {
        if (!vf_pool_core_claim(&pool->core, object))
            return;
        drop(object);
    }
    vf_dropped_free(pool, object);
}

static vf_thread_cache *own_cache(vf_pool *pool)
{
    vf_thread_cache *cache = vf_thread_found(pool);
    if (cache == NULL)
        cache = vf_thread_attached(pool);
    return cache != NULL ? cache : vf_thread_attach_aside(pool);
}

static VF_NOINLINE bool defer_slow(vf_pool *pool, void *object, void (*drop)(void *object))
{
    if (pool->core.dropped != NULL) {
        free_now(pool, object, drop);
        return true;
    }
    if (drop != NULL && vf_load_relaxed(&pool->epoch.drop) == NULL)
        vf_store_relaxed(&pool->epoch.drop, drop); /* seen by way of the deferral */
    vf_thread_cache *cache = own_cache(pool);
    if (cache != NULL ? defer(pool, cache, object) : defer_singly(pool, object))
        return true;
    errno = EAGAIN;
    return false;
}

/* The fast path is what needs no call: there is room behind the object in the open deferral of a
   pool that is not released. */
bool vf_pool_core_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    vf_thread_cache *cache = vf_thread_found(pool);
    if (VF_UNLIKELY(cache == NULL || !vf_load_relaxed(&has_membarrier) || core->dropped != NULL ||
                    (drop != NULL && vf_load_relaxed(&pool->epoch.drop) == NULL)))
        return defer_slow(pool, object, drop);
    enter(cache);
    vf_deferral *open = vf_load_relaxed(&cache->open); /* own; there is a membarrier, see enter */
    if (VF_LIKELY(open != NULL && open->count + 1 < open->room &&
                  !vf_load_relaxed(&pool->closed))) {
        put(open, object);
        leave(cache, 1);
        return true;
    }
    leave(cache, 0);
    return defer_slow(pool, object, drop);
}

/* The open deferral of the calling thread, or of one that is gone, goes out. */
void vf_epoch_flush(vf_thread_cache *cache)
{
    if (vf_load_relaxed(&cache->open) == NULL)
        return;
    enter(cache);
    /* release: as in add */
    vf_deferral *open = vf_exchange_release(&cache->open, (vf_deferral *)NULL);
    if (open != NULL)
        vf_deferral_send(cache->pool, open);
    leave(cache, 0);
}

/* ---- from other threads ---- */

/* Waits until the owner is done with what it found open. */
static void wait_for(const vf_thread_cache *cache)
{
    /* acquire: pairs with the release in leave; seq_cst, see enter */
    uint64_t seen = vf_load_seq_cst(&cache->deferrals);
    /* sleeps at last: an owner of lower priority does not run otherwise */
    for (unsigned tries = 0; (seen & BUSY) != 0; tries++) {
        if (tries > 100)
            vf_sleep_briefly();
        if (vf_load_acquire(&cache->deferrals) != seen)
            return;
    }
}

/* Takes the open deferrals of all threads, as a chain; if patient, of those that are busy too. */
static vf_deferral *take_all(vf_pool *pool, bool patient)
{
    vf_deferral *chain = NULL;
    /* acquire: pairs with the release in vf_cache_new */
    vf_thread_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next) {
        /* acquire: pairs with the release that made it NULL, which its owner may be busy with */
        if (vf_load_acquire(&cache->open) == NULL ||
            (!patient && (vf_load_relaxed(&cache->deferrals) & BUSY) != 0))
            continue;
        /* pairs with the release of what the owner has opened; seq_cst, see enter */
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
static void pass_barrier(void)
{
    static bool refused; /* atomic */
    for (unsigned tries = 1; vf_load_relaxed(&has_membarrier) && !vf_membarrier(); tries++) {
        if (tries < REFUSALS_MOST) {
            vf_sleep_briefly();
        } else {
            vf_store_relaxed(&refused, true);
            vf_store_relaxed(&has_membarrier, false);
        }
    }
    if (vf_load_relaxed(&refused))
        vf_sleep_briefly();
}

static void wait_for_all(vf_pool *pool)
{
    pass_barrier();
    vf_thread_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next)
        wait_for(cache);
}

/*
 * The open deferrals of all threads go out. Patient: whatever was deferred before is with liburcu
 * when this returns. Otherwise it makes do with what it can have at once.
 */
void vf_epoch_flush_all(vf_pool *pool, bool patient)
{
    /* relaxed: what the caller must not miss happened before */
    if (vf_load_relaxed(&pool->epoch.room) == 0)
        return;
    if (patient)
        pthread_mutex_lock(&pool->epoch.lock);
    else if (pthread_mutex_trylock(&pool->epoch.lock) != 0)
        return;
    vf_deferral *chain = take_all(pool, patient);
    if (patient || chain != NULL)
        wait_for_all(pool);
    while (chain != NULL) {
        vf_deferral *next = chain->next;
        vf_deferral_send(pool, chain);
        chain = next;
    }
    pthread_mutex_unlock(&pool->epoch.lock);
}

void vf_pool_core_epoch_barrier(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_flush_all(pool, true);
    vf_deferrals_barrier(pool);
}

/* Waits until nothing is deferred, and liburcu's thread has left the pool. No other call on the
   pool; but VF_DROP may defer more, whose grace period a barrier does not wait for. So the last
   barrier is one for which nothing was left to do. */
void vf_epoch_settle(vf_pool *pool)
{
    if (!vf_load_relaxed(&pool->epoch.used))
        return;
    size_t before;
    do {
        /* acquire: pairs with the release in after_grace_period: what VF_DROP has deferred until
           then goes out with this barrier */
        before = vf_load_acquire(&pool->epoch.done);
        vf_pool_core_epoch_barrier(&pool->core);
    } while (vf_load_relaxed(&pool->epoch.drop) != NULL &&
             vf_load_relaxed(&pool->epoch.done) != before);
}

/* ---- the rest ---- */

/* The pool has ended. A thread that has sent its last objects may still have to leave. */
void vf_epoch_end(vf_pool *pool)
{
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        wait_for(cache);
    vf_deferrals_end(pool);
    pthread_mutex_destroy(&pool->epoch.lock);
}

/* In the child: whoever held the lock or was busy did not come along. What it had in its hands is
   lost, with its room. */
void vf_epoch_after_fork(vf_pool *pool)
{
    pthread_mutex_init(&pool->epoch.lock, NULL);
    vf_deferrals_after_fork(pool);
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        leave(cache, 0);
}

/* Objects waiting, an estimate beside other calls. */
size_t vf_epoch_deferred(const vf_pool *pool)
{
    size_t done = vf_load_relaxed(&pool->epoch.done); /* before the others, lest it be more */
    size_t all = vf_load_relaxed(&pool->epoch.single);
    /* acquire: pairs with the release in vf_cache_new */
    const vf_thread_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next)
        all += (size_t)(vf_load_relaxed(&cache->deferrals) / 2);
    return all > done ? all - done : 0;
}

#endif
