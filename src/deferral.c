/*
 * deferral.c - the room for deferrals, and what happens to one: liburcu has it until its grace
 * period is over, and then the depot. The only file that includes liburcu, and none of its inlines.
 *
 * call_rcu enters a read section, for which a thread need not be registered unless somebody takes
 * liburcu's per-CPU workers away at that moment; with the bulletproof flavour it registers itself.
 */
#include "deferral.h"

#ifdef VF_HAS_EPOCH /* for those who compile all files of src/ by hand */

#    include <assert.h>
#    include <string.h>

#    include <urcu/urcu-memb.h>

#    include "cancel.h"
#    include "threads_seen.h"

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
static char over;
#        define TELL_BEFORE(what) vf_tell_before(what)
#        define TELL_AFTER(what)  vf_tell_after(what)
#        define OVERLOOK(call)    (call)
#    endif

_Static_assert(sizeof(struct rcu_head) <= sizeof(((vf_deferral *)NULL)->head),
               "no room for rcu_head");

/* max_deferred, where the options do not say: so many bytes, within these numbers of objects. */
#    define DEFERRED_BYTES ((size_t)64 << 20)
#    define DEFERRED_LEAST ((size_t)1 << 12)
#    define DEFERRED_MOST  ((size_t)1 << 20)

static size_t usual_max(const vf_pool *pool)
{
    size_t most = DEFERRED_BYTES / pool->stride;
    return most < DEFERRED_LEAST ? DEFERRED_LEAST : most > DEFERRED_MOST ? DEFERRED_MOST : most;
}

void vf_deferrals_begin(vf_pool *pool, const vf_pool_options *options)
{
    vf_epoch *epoch = &pool->epoch;
    epoch->flavour = options->rcu_flavour != NULL ? options->rcu_flavour : &urcu_memb_flavor;
    epoch->max = options->max_deferred != 0 ? options->max_deferred : usual_max(pool);
}

static const struct rcu_flavor_struct *flavour_of(const vf_pool *pool)
{
    return pool->epoch.flavour;
}

size_t vf_deferral_reserve(vf_epoch *epoch, size_t most)
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

/* ---- deferrals: objects of a capped pool within the pool ---- */

static void *pool_alloc(void *pool, size_t size, size_t alignment)
{
    return vf_memory_alloc(pool, size, alignment);
}

static void pool_dealloc(void *pool, void *memory, size_t size, size_t alignment)
{
    vf_memory_free(pool, memory, size, alignment);
}

/* The pool of the deferrals, made when it is first needed; NULL: out of memory. */
static vf_pool *lists_of(vf_pool *pool)
{
    /* acquire: pairs with the swap below */
    vf_pool *lists = vf_load_acquire(&pool->epoch.lists);
    if (lists != NULL)
        return lists;
    static const vf_pool_type type = {NULL, "deferrals", sizeof(vf_deferral), _Alignof(vf_deferral),
                                      8};
    vf_pool_options options = {.allocator = {pool_alloc, pool_dealloc, pool}};
    options.max_objects = pool->epoch.max < VF_POOL_SLOTS_MAX ? pool->epoch.max : VF_POOL_SLOTS_MAX;
    vf_pool *fresh = vf_pool_make(&type, &options);
    if (fresh == NULL || vf_cas_strong_acq_rel(&pool->epoch.lists, &lists, fresh))
        return fresh;
    vf_pool_free_memory(fresh); /* another thread was first */
    return lists;
}

vf_deferral *vf_deferral_new(vf_pool *pool, size_t room)
{
    assert(room > 0 && room <= VF_DEFERRAL_SLOTS);
    vf_pool *lists = lists_of(pool);
    vf_deferral *deferral = lists != NULL ? vf_capped_alloc(lists) : NULL;
    if (deferral == NULL) {
        unreserve(&pool->epoch, room);
        return NULL;
    }
    deferral->pool = pool;
    deferral->count = 0;
    deferral->room = (uint32_t)room;
    if (!vf_load_relaxed(&pool->epoch.used))
        vf_store_relaxed(&pool->epoch.used, true); /* who must see it comes after the free */
    return deferral;
}

static void deferral_free(vf_pool *pool, vf_deferral *deferral)
{
    vf_capped_free(vf_load_relaxed(&pool->epoch.lists), deferral);
}

void vf_deferrals_end(vf_pool *pool)
{
    if (pool->epoch.lists != NULL)
        vf_pool_free_memory(pool->epoch.lists);
}

void vf_deferrals_after_fork(vf_pool *pool)
{
    if (pool->epoch.lists != NULL)
        pthread_mutex_init(&pool->epoch.lists->growth_lock, NULL);
}

static void drop_all(const vf_pool *pool, const vf_deferral *deferral)
{
    /* relaxed: a constant of the program, written before the object was deferred */
    void (*drop)(void *) = vf_load_relaxed(&pool->epoch.drop);
    for (uint32_t i = 0; drop != NULL && i < deferral->count; i++)
        drop(deferral->slots[i]);
}

/* The slots are free. The pool may be gone with the last. */
static void give_back(vf_pool *pool, vf_deferral *deferral)
{
    uint32_t n = deferral->count;
    void *slots[VF_DEFERRAL_SLOTS];
    memcpy(slots, deferral->slots, n * sizeof *slots);
    deferral_free(pool, deferral);
    bool kept = vf_checked_deferral(pool, slots, n);
    if (pool->capped != NULL) {
        for (uint32_t i = 0; i < n; i++)
            vf_capped_free(pool, slots[i]);
        return;
    }
    if (kept)
        vf_depot_put(pool, slots, n);
    if (vf_pool_return(pool, n))
        vf_pool_end(pool);
}

/* The grace period is over. On liburcu's thread. */
static void after_grace_period(struct rcu_head *head)
{
    vf_deferral *deferral = (vf_deferral *)(void *)((char *)head - offsetof(vf_deferral, head));
    TELL_AFTER(deferral);
    vf_pool *pool = deferral->pool;
    vf_epoch *epoch = &pool->epoch;
    drop_all(pool, deferral);
    /* release: pairs with the acquire in vf_epoch_settle */
    vf_fetch_add_release(&epoch->done, (size_t)deferral->count);
    unreserve(epoch, deferral->count);
    /* acquire: pairs with the release in must_go_now: who has found this deferral in flight, in a
       released pool, has closed before it, and its own open deferral */
    if (vf_fetch_add_acquire(&epoch->in_flight, (size_t)-1) == 1 && vf_load_relaxed(&pool->closed))
        vf_epoch_flush_all(pool, true);
    give_back(pool, deferral);
    TELL_BEFORE(&over);
}

void vf_deferral_send(vf_pool *pool, vf_deferral *deferral)
{
    unreserve(&pool->epoch, deferral->room - deferral->count);
    if (deferral->count == 0) {
        deferral_free(pool, deferral);
        return;
    }
    /* relaxed: call_rcu orders it before its decrement. (In the child of a fork in between it
       stays; then deferrals of a released pool go out when they are full or flushed, as any pool's
       do.) */
    vf_fetch_add_relaxed(&pool->epoch.in_flight, 1);
    const struct rcu_flavor_struct *flavour = flavour_of(pool);
    TELL_BEFORE(deferral); /* with the last look at the pool behind it */
    flavour->update_call_rcu((struct rcu_head *)(void *)deferral->head, after_grace_period);
}

void vf_deferrals_barrier(vf_pool *pool)
{
    int state = vf_cancel_off();
    OVERLOOK(flavour_of(pool)->barrier());
    vf_cancel_as_before(state);
    TELL_AFTER(&over);
}

#endif
