/* SPDX-License-Identifier: MIT */
/*
 * defer.c - P_free_deferred and P_epoch_barrier.
 */
#include "epoch.h"

#ifdef VF_HAS_EPOCH /* for a program that compiles all files of src/ by hand */

#    include <errno.h>

#    include "attach.h"
#    include "deferral.h"
#    include "handle.h"
#    include "threads.h"

/* An object, by its handle or without one. */
typedef struct deferred {
    void *object;
    uint64_t bits; /* 0: it is the caller's */
    void (*drop)(void *object);
} deferred;

static vf_epoch_added defer(vf_pool *pool, vf_pool_cache *cache, const deferred *it)
{
    vf_epoch_added added;
    while ((added = vf_epoch_add(pool, cache, it->object, it->bits)) == VF_EPOCH_NO_ROOM) {
        vf_deferral *fresh = vf_epoch_new_deferral(pool, VF_DEFERRAL_SLOTS);
        if (fresh == NULL)
            return VF_EPOCH_NO_ROOM;
        vf_epoch_open(cache, fresh);
    }
    return added;
}

/* For a thread without a cache. */
static vf_epoch_added defer_singly(vf_pool *pool, const deferred *it)
{
    vf_deferral *deferral = vf_epoch_new_deferral(pool, 1);
    if (deferral == NULL)
        return VF_EPOCH_NO_ROOM;
    bool ends = vf_epoch_ends(pool, it->object, it->bits);
    if (ends) {
        deferral->slots[deferral->count++] = it->object;
        vf_fetch_add_relaxed(&pool->epoch.single, 1); /* a number for reports */
    }
    vf_epoch_send(deferral);
    return ends ? VF_EPOCH_ADDED : VF_EPOCH_GONE;
}

/* VF_DROP frees another object while P_destroy drops all: no thread reads any more. */
static void free_now(vf_pool *pool, const deferred *it)
{
    if (!pool->kind->claim(pool, it->object))
        return;
    (void)vf_epoch_ends(pool, it->object, 0);
    if (it->drop != NULL)
        it->drop(it->object);
}

static vf_pool_cache *cache_for_defer(vf_pool *pool)
{
    vf_pool_cache *cache = vf_attach_own(pool);
    return cache != NULL ? cache : vf_threads_attach_for_defer(pool);
}

static VF_NOINLINE bool defer_slow(vf_pool *pool, const deferred *it)
{
    if (pool->core.destroying != NULL) {
        free_now(pool, it);
        return true;
    }
    if (it->drop != NULL && vf_load_relaxed(&pool->epoch.drop) == NULL)
        vf_store_relaxed(&pool->epoch.drop, it->drop); /* seen by way of the deferral */
    vf_pool_cache *cache = cache_for_defer(pool);
    vf_epoch_added added = cache != NULL ? defer(pool, cache, it) : defer_singly(pool, it);
    if (added == VF_EPOCH_NO_ROOM)
        errno = EAGAIN;
    return added == VF_EPOCH_ADDED;
}

/* The fast path is what needs no call. */
static inline bool free_deferred(vf_pool *pool, const deferred *it)
{
    vf_pool_cache *cache = vf_attach_found(pool);
    vf_epoch_added added = VF_EPOCH_NO_ROOM;
    if (VF_LIKELY(cache != NULL && pool->core.destroying == NULL &&
                  (it->drop == NULL || vf_load_relaxed(&pool->epoch.drop) != NULL)))
        added = vf_epoch_add_fast(pool, cache, it->object, it->bits);
    return added == VF_EPOCH_NO_ROOM ? defer_slow(pool, it) : added == VF_EPOCH_ADDED;
}

bool vf_pool_core_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object))
{
    deferred it = {object, 0, drop};
    return free_deferred(vf_pool_whole(core), &it);
}

bool vf_pool_core_free_handle_deferred(vf_pool_core *core, uint64_t bits,
                                       void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    deferred it = {vf_handle_object(pool, bits), bits, drop};
    return it.object != NULL && free_deferred(pool, &it);
}

void vf_pool_core_epoch_barrier(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_send_all(pool, true);
    vf_deferrals_barrier(pool);
}

#endif
