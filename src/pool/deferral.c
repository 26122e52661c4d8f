/* SPDX-License-Identifier: MIT */
/*
 * deferral.c - see deferral.h. The only file that includes liburcu, and none of its inlines.
 *
 * call_rcu enters a read section, for which a thread need not be registered unless somebody takes
 * liburcu's per-CPU workers away at that moment; with the bulletproof flavour it registers itself.
 */
#include "deferral.h"

#ifdef VF_HAS_EPOCH /* for a program that compiles all files of src/ by hand */

#    include <assert.h>
#    include <errno.h>

#    include <urcu/urcu-memb.h>

#    include "../platform/cancel.h"
#    include "../platform/tsan.h"

/*
 * ThreadSanitizer does not see into liburcu. It is told that a deferral is handed on to another
 * thread, that a barrier comes after the callbacks before it, and to overlook what liburcu writes
 * in a barrier.
 */
static char callbacks; /* stands for the end of all of them; the pool may be gone then */
#    if VF_TSAN_BUILD
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#        define IGNORE_WRITES(call)                                                                \
            (AnnotateIgnoreWritesBegin(__FILE__, __LINE__), (call),                                \
             AnnotateIgnoreWritesEnd(__FILE__, __LINE__))
#    else
#        define IGNORE_WRITES(call) (call)
#    endif

_Static_assert(sizeof(struct rcu_head) <= sizeof(((vf_deferral *)NULL)->head),
               "no room for rcu_head");

/* max_deferred, where the options do not say: so many bytes, within these numbers of objects. */
#    define DEFERRED_BYTES ((size_t)64 << 20)
#    define DEFERRED_MIN   ((size_t)1 << 12)
#    define DEFERRED_MAX   ((size_t)1 << 20)

static size_t usual_max(const vf_pool *pool)
{
    size_t most = DEFERRED_BYTES / vf_pool_shape(pool)->stride;
    return vf_min(vf_max(most, DEFERRED_MIN), DEFERRED_MAX);
}

void vf_deferrals_init(vf_pool *pool, const vf_pool_options *options)
{
    vf_epoch *epoch = &pool->epoch;
    epoch->flavour = options->rcu_flavour != NULL ? options->rcu_flavour : &urcu_memb_flavor;
    epoch->max = options->max_deferred != 0 ? options->max_deferred : usual_max(pool);
    vf_mutex_init(&epoch->growth);
}

size_t vf_deferral_reserve(vf_epoch *epoch, size_t most)
{
    size_t used = vf_load_relaxed(&epoch->reserved); /* a number: it orders nothing */
    size_t part;
    do {
        part = vf_min(epoch->max - used, most);
    } while (part > 0 && !vf_cas_weak_relaxed(&epoch->reserved, &used, used + part));
    return part;
}

void vf_deferral_unreserve(vf_epoch *epoch, size_t objects)
{
    vf_fetch_add_relaxed(&epoch->reserved, (size_t)0 - objects); /* as above */
}

/* Where deferrals come from, made when it is first needed; NULL: out of memory. */
static vf_capped *deferrals_of(vf_pool *pool)
{
    /* acquire: pairs with the swap below */
    vf_capped *deferrals = vf_load_acquire(&pool->epoch.deferrals);
    if (deferrals != NULL)
        return deferrals;
    vf_shape shape = vf_batch_shape(8, sizeof(vf_deferral), _Alignof(vf_deferral));
    vf_capped *fresh =
        vf_capped_new(NULL, &pool->memory, &shape, vf_min(pool->epoch.max, VF_POOL_SLOTS_MAX),
                      &pool->epoch.growth, "deferrals");
    if (fresh == NULL || vf_cas_strong_acq_rel(&pool->epoch.deferrals, &deferrals, fresh))
        return fresh;
    vf_capped_end(fresh); /* another thread was first */
    return deferrals;
}

vf_deferral *vf_deferral_new(vf_pool *pool, size_t capacity)
{
    assert(capacity > 0 && capacity <= VF_DEFERRAL_SLOTS);
    vf_capped *deferrals = deferrals_of(pool);
    vf_deferral *deferral = deferrals != NULL ? vf_capped_alloc(deferrals) : NULL;
    if (deferral == NULL) {
        vf_deferral_unreserve(&pool->epoch, capacity);
        return NULL;
    }
    deferral->pool = pool;
    deferral->count = 0;
    deferral->capacity = (uint32_t)capacity;
    if (!vf_load_relaxed(&pool->epoch.used))
        vf_store_relaxed(&pool->epoch.used, true); /* a thread that must see it comes later */
    return deferral;
}

void vf_deferral_free(vf_pool *pool, vf_deferral *deferral)
{
    (void)vf_capped_free(vf_load_relaxed(&pool->epoch.deferrals), deferral);
}

void vf_deferrals_free(vf_pool *pool)
{
    if (pool->epoch.deferrals != NULL)
        vf_capped_end(pool->epoch.deferrals);
    vf_mutex_destroy(&pool->epoch.growth);
}

/* ---- liburcu ---- */

static const struct rcu_flavor_struct *flavour_of(const vf_pool *pool)
{
    return pool->epoch.flavour;
}

/* On liburcu's thread. */
static void after_grace_period(struct rcu_head *head)
{
    vf_deferral *deferral = (vf_deferral *)(void *)((char *)head - offsetof(vf_deferral, head));
    vf_tsan_acquire_unseen(deferral);
    deferral->over(deferral);
    vf_tsan_release_unseen(&callbacks);
}

void vf_deferral_hand_over(vf_deferral *deferral, void (*when_over)(vf_deferral *deferral))
{
    const struct rcu_flavor_struct *flavour = flavour_of(deferral->pool);
    deferral->over = when_over;
    vf_tsan_release_unseen(deferral); /* with the last look at the pool behind it */
    int saved = errno;
    flavour->update_call_rcu((struct rcu_head *)(void *)deferral->head, after_grace_period);
    errno = saved;
}

void vf_deferrals_barrier(vf_pool *pool)
{
    int state = vf_cancel_off();
    int saved = errno; /* a signal may end one of its waits */
    IGNORE_WRITES(flavour_of(pool)->barrier());
    errno = saved;
    vf_cancel_restore(state);
    vf_tsan_acquire_unseen(&callbacks);
}

#endif
