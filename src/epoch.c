/*
 * epoch.c - keeps freed objects until the readers that may still see them are gone: P_free_deferred
 * and P_epoch_barrier, by liburcu. The only file that includes liburcu, and none of its inlines.
 *
 *     thread's cache: open ----> deferral, being filled --call_rcu--> grace period --> depot
 *
 *     deferral:  link | index | count | room | slots[0] ... slots[59] | rcu_head | pool | next
 *
 * A deferral is a magazine that has the last four of its places for what a grace period needs: so
 * one call_rcu serves 60 objects, no object needs room for it, and where the grace period is over
 * the magazine goes into the depot as it is. When it cannot be had the free is refused, as at
 * max_deferred. Objects in it are live: they are part of what some cache has lent, or of
 * pool->outstanding, until they come back in the way of a free without a cache (release.c).
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
 *
 * call_rcu enters a read section, for which a thread need not be registered unless somebody takes
 * liburcu's per-CPU workers away at that moment; with the bulletproof flavour it registers itself.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "pool.h"

#ifdef VF_HAS_EPOCH /* for those who compile all files of src/ by hand */

#    include <assert.h>
#    include <errno.h>
#    include <string.h>
#    include <time.h>

#    include <urcu/urcu-memb.h>

#    include "depot.h"

/*
 * ThreadSanitizer does not see into liburcu. It is told that a deferral is handed on to another
 * thread, that a barrier comes after the callbacks before it, and to overlook what liburcu writes
 * in a barrier.
 */
#    if defined(__SANITIZE_THREAD__)
#        define SANITIZED 1
#    elif defined(__has_feature)
#        if __has_feature(thread_sanitizer)
#            define SANITIZED 1
#        endif
#    endif
#    ifdef SANITIZED
#        include <sanitizer/tsan_interface.h>
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
static char over; /* stands for the end of all callbacks; the pool may be gone then */
#        define TELL_BEFORE(what) __tsan_release(what)
#        define TELL_AFTER(what)  __tsan_acquire(what)
#        define OVERLOOK(call)                                                                     \
            (AnnotateIgnoreWritesBegin(__FILE__, __LINE__), (call),                                \
             AnnotateIgnoreWritesEnd(__FILE__, __LINE__))
#    else
#        define TELL_BEFORE(what) ((void)0)
#        define TELL_AFTER(what)  ((void)0)
#        define OVERLOOK(call)    (call)
#    endif

/* Places of a deferral. */
#    define HEAD     60
#    define POOL     62
#    define NEXT     63
#    define CAPACITY HEAD

_Static_assert(sizeof(struct rcu_head) <= (POOL - HEAD) * sizeof(void *), "no room for rcu_head");

/* max_deferred, where the options do not say: so many bytes, within these numbers of objects. */
#    define DEFERRED_BYTES ((size_t)64 << 20)
#    define DEFERRED_LEAST ((size_t)1 << 12)
#    define DEFERRED_MOST  ((size_t)1 << 20)

/* A bit of vf_thread_cache.deferrals, which counts by 2. */
#    define BUSY ((uint64_t)1)

static bool has_membarrier;

static void look_for_membarrier(void)
{
    has_membarrier = vf_membarrier();
}

static size_t usual_max(const vf_pool *pool)
{
    size_t most = DEFERRED_BYTES / pool->stride;
    return most < DEFERRED_LEAST ? DEFERRED_LEAST : most > DEFERRED_MOST ? DEFERRED_MOST : most;
}

void vf_epoch_begin(vf_pool *pool, const vf_pool_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_for_membarrier);
    vf_epoch *epoch = &pool->epoch;
    epoch->flavour = options->rcu_flavour != NULL ? options->rcu_flavour : &urcu_memb_flavor;
    epoch->max = options->max_deferred != 0 ? options->max_deferred : usual_max(pool);
    pthread_mutex_init(&epoch->lock, NULL);
}

static const struct rcu_flavor_struct *flavour_of(const vf_pool *pool)
{
    return pool->epoch.flavour;
}

/* ---- room, within max_deferred ---- */

/* Reserves up to most places; how many. */
static size_t reserve(vf_epoch *epoch, size_t most)
{
    size_t used = vf_load_relaxed(&epoch->room); /* a number: it orders nothing */
    size_t part;
    do {
        size_t left = epoch->max - used;
        part = left < most ? left : most;
    } while (part > 0 && !vf_cas_weak_relaxed(&epoch->room, &used, used + part));
    return part;
}

static void unreserve(vf_epoch *epoch, size_t places)
{
    vf_fetch_add_relaxed(&epoch->room, (size_t)0 - places); /* as above */
}

/* An empty deferral with room for some objects, most at most; NULL at the bound, or where memory is
   spent. */
static vf_magazine *deferral_new(vf_pool *pool, size_t most)
{
    size_t room = reserve(&pool->epoch, most);
    if (room == 0) {
        vf_epoch_flush_all(pool, false); /* others may have room that they do not use */
        room = reserve(&pool->epoch, most);
    }
    if (room == 0)
        return NULL;
    vf_magazine *deferral = vf_magazine_new(pool, 0);
    if (deferral == NULL) {
        unreserve(&pool->epoch, room);
        return NULL;
    }
    assert(deferral->count == 0);
    deferral->room = (uint32_t)room;
    if (!vf_load_relaxed(&pool->epoch.used))
        vf_store_relaxed(&pool->epoch.used, true); /* who must see it comes after the free */
    return deferral;
}

/* ---- to liburcu and back ---- */

static void drop_all(const vf_pool *pool, const vf_magazine *deferral)
{
    /* relaxed: a constant of the program, written before the object was deferred */
    void (*drop)(void *) = vf_load_relaxed(&pool->epoch.drop);
    for (uint32_t i = 0; drop != NULL && i < deferral->count; i++)
        drop(deferral->slots[i]);
}

/* The slots are free. The pool may be gone with the last. */
static void give_back(vf_pool *pool, vf_magazine *deferral)
{
    uint32_t n = deferral->count;
    vf_checked_deferral(pool, deferral->slots, n);
    if (pool->capped != NULL) {
        void *slots[CAPACITY];
        memcpy(slots, deferral->slots, n * sizeof *slots);
        deferral->count = 0;
        vf_stack_push(&pool->depot.shelves[0].empty, deferral, deferral);
        for (uint32_t i = 0; i < n; i++)
            vf_capped_free(pool, slots[i]);
        return;
    }
    vf_stack_push(&pool->depot.shelves[0].full, deferral, deferral);
    if (vf_pool_return(pool, n))
        vf_pool_end(pool);
}

/* The grace period is over. On liburcu's thread. */
static void after_grace_period(struct rcu_head *head)
{
    vf_magazine *deferral =
        (vf_magazine *)(void *)((char *)head - offsetof(vf_magazine, slots[HEAD]));
    TELL_AFTER(deferral);
    vf_pool *pool = deferral->slots[POOL];
    vf_epoch *epoch = &pool->epoch;
    drop_all(pool, deferral);
    deferral->room = 0;
    vf_fetch_add_relaxed(&epoch->done, (size_t)deferral->count); /* a number for reports */
    unreserve(epoch, deferral->count);
    /* acq_rel: pairs with itself in must_go_now: who has found this deferral in flight, in a
       released pool, has closed before it, and its own open deferral */
    if (vf_fetch_add_acq_rel(&epoch->in_flight, (size_t)-1) == 1 && vf_load_relaxed(&pool->closed))
        vf_epoch_flush_all(pool, true);
    give_back(pool, deferral);
    TELL_BEFORE(&over);
}

/* Hands the deferral to liburcu: busy, or under epoch.lock, or the only one who knows of it. With
   the objects in it the pool may be gone at once. */
static void send(vf_pool *pool, vf_magazine *deferral)
{
    unreserve(&pool->epoch, deferral->room - deferral->count);
    if (deferral->count == 0) {
        vf_stack_push(&pool->depot.shelves[0].empty, deferral, deferral);
        return;
    }
    deferral->slots[POOL] = pool;
    vf_fetch_add_relaxed(&pool->epoch.in_flight, 1); /* call_rcu orders it before its decrement */
    TELL_BEFORE(deferral);
    flavour_of(pool)->update_call_rcu((struct rcu_head *)(void *)&deferral->slots[HEAD],
                                      after_grace_period);
}

/* ---- the owner's side ---- */

static void enter(vf_thread_cache *cache)
{
    uint64_t busy = cache->deferrals | BUSY;
    if (has_membarrier) {
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
    /* acq_rel: see after_grace_period */
    return vf_load_relaxed(&pool->closed) && vf_fetch_add_acq_rel(&pool->epoch.in_flight, 0) == 0;
}

/* Adds to the open deferral; false where there is none. The pool may be gone after it. */
static bool add(vf_pool *pool, vf_thread_cache *cache, void *object)
{
    enter(cache);
    vf_magazine *open = vf_load_seq_cst(&cache->open); /* a plain load; see enter */
    if (open == NULL) {
        leave(cache, 0);
        return false;
    }
    uint32_t count = open->count;
    open->slots[count] = object;
    vf_store_release(&open->count, ++count); /* in this order, for the child of a fork */
    /* acq_rel: as in take_all, which may have been first, and waits for this thread then */
    if ((count == open->room || must_go_now(pool)) &&
        vf_exchange_acq_rel(&cache->open, (vf_magazine *)NULL) != NULL)
        send(pool, open);
    leave(cache, 1);
    return true;
}

static bool defer(vf_pool *pool, vf_thread_cache *cache, void *object)
{
    while (!add(pool, cache, object)) {
        vf_magazine *fresh = deferral_new(pool, CAPACITY);
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
    vf_magazine *deferral = deferral_new(pool, 1);
    if (deferral == NULL)
        return false;
    deferral->slots[deferral->count++] = object;
    vf_fetch_add_relaxed(&pool->epoch.single, 1); /* a number for reports */
    send(pool, deferral);
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
    vf_cache *fast = vf_pool_core_cache(&pool->core);
    if (VF_LIKELY(fast != &vf_no_cache))
        return vf_cache_whole(fast);
    vf_thread_cache *cache = vf_thread_attached(pool);
    return cache != NULL ? cache : vf_thread_attach_aside(pool);
}

bool vf_pool_core_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    if (VF_UNLIKELY(core->dropped != NULL)) {
        free_now(pool, object, drop);
        return true;
    }
    if (drop != NULL && vf_load_relaxed(&pool->epoch.drop) == NULL)
        vf_store_relaxed(&pool->epoch.drop, drop); /* seen by way of the deferral */
    vf_thread_cache *cache = own_cache(pool);
    if (VF_LIKELY(cache != NULL ? defer(pool, cache, object) : defer_singly(pool, object)))
        return true;
    errno = EAGAIN;
    return false;
}

/* The open deferral of the calling thread, or of one that is gone, goes out. */
void vf_epoch_flush(vf_thread_cache *cache)
{
    if (vf_load_relaxed(&cache->open) == NULL)
        return;
    enter(cache);
    /* acq_rel: as in add */
    vf_magazine *open = vf_exchange_acq_rel(&cache->open, (vf_magazine *)NULL);
    if (open != NULL)
        send(cache->pool, open);
    leave(cache, 0);
}

/* ---- from other threads ---- */

/* Waits until the owner is done with what it found open. */
static void wait_for(const vf_thread_cache *cache)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    /* acquire: pairs with the release in leave; seq_cst, see enter */
    uint64_t seen = vf_load_seq_cst(&cache->deferrals);
    /* sleeps at last: an owner of lower priority does not run otherwise */
    for (unsigned tries = 0; (seen & BUSY) != 0; tries++) {
        if (tries > 100)
            nanosleep(&pause, NULL);
        if (vf_load_acquire(&cache->deferrals) != seen)
            return;
    }
}

/* Takes the open deferrals of all threads, as a chain; if patient, of those that are busy too. */
static vf_magazine *take_all(vf_pool *pool, bool patient)
{
    vf_magazine *chain = NULL;
    /* acquire: pairs with the release in vf_cache_new */
    vf_thread_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next) {
        if (vf_load_relaxed(&cache->open) == NULL ||
            (!patient && (vf_load_relaxed(&cache->deferrals) & BUSY) != 0))
            continue;
        /* pairs with the release of what the owner has opened; seq_cst, see enter */
        vf_magazine *open = vf_exchange_seq_cst(&cache->open, (vf_magazine *)NULL);
        if (open != NULL) {
            open->slots[NEXT] = chain;
            chain = open;
        }
    }
    return chain;
}

static void wait_for_all(vf_pool *pool)
{
    while (has_membarrier && !vf_membarrier()) {
        /* the system was out of memory */
    }
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
    vf_magazine *chain = take_all(pool, patient);
    if (patient || chain != NULL)
        wait_for_all(pool);
    while (chain != NULL) {
        vf_magazine *next = chain->slots[NEXT];
        send(pool, chain);
        chain = next;
    }
    pthread_mutex_unlock(&pool->epoch.lock);
}

void vf_pool_core_epoch_barrier(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_flush_all(pool, true);
    OVERLOOK(flavour_of(pool)->barrier());
    TELL_AFTER(&over);
}

/* Waits until nothing is deferred, and liburcu's thread has left the pool: it may still be putting
   slots back when all room is free. No other call on the pool; but VF_DROP may defer more. */
void vf_epoch_settle(vf_pool *pool)
{
    if (!vf_load_relaxed(&pool->epoch.used))
        return;
    do {
        vf_pool_core_epoch_barrier(&pool->core);
    } while (vf_load_relaxed(&pool->epoch.room) != 0);
}

/* ---- the rest ---- */

/* The pool has ended. A thread that has sent its last objects may still have to leave. */
void vf_epoch_end(vf_pool *pool)
{
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next)
        wait_for(cache);
    pthread_mutex_destroy(&pool->epoch.lock);
}

/* In the child: whoever held the lock did not come along, and what it had in its hands is lost. */
void vf_epoch_after_fork(vf_pool *pool)
{
    pthread_mutex_init(&pool->epoch.lock, NULL);
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
