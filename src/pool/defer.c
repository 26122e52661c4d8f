/* SPDX-License-Identifier: MIT */
/*
 * defer.c - P_free_deferred and P_epoch_barrier.
 */
#include "epoch.h"

#ifdef VF_HAS_EPOCH /* for a program that compiles all files of src/ by hand */

#    include <errno.h>

#    include "attach.h"
#    include "deferral.h"
#    include "kind.h"
#    include "threads.h"

static bool defer(vf_pool *pool, vf_pool_cache *cache, void *object)
{
    while (!vf_epoch_add(pool, cache, object)) {
        vf_deferral *fresh = vf_epoch_new_deferral(pool, VF_DEFERRAL_SLOTS);
        if (fresh == NULL)
            return false;
        vf_epoch_open(cache, fresh);
    }
    return true;
}

/* For a thread without a cache. */
static bool defer_singly(vf_pool *pool, void *object)
{
    vf_deferral *deferral = vf_epoch_new_deferral(pool, 1);
    if (deferral == NULL)
        return false;
    deferral->slots[deferral->count++] = object;
    vf_fetch_add_relaxed(&pool->epoch.single, 1); /* a number for reports */
    vf_epoch_send(deferral);
    return true;
}

/* VF_DROP frees another object while P_destroy drops all: no thread reads any more. */
static void free_now(vf_pool *pool, void *object, void (*drop)(void *))
{
    if (pool->kind->claim(pool, object) && drop != NULL)
        drop(object);
}

static vf_pool_cache *own_cache(vf_pool *pool)
{
    vf_pool_cache *cache = vf_attach_own(pool);
    return cache != NULL ? cache : vf_threads_attach_for_defer(pool);
}

static VF_NOINLINE bool defer_slow(vf_pool *pool, void *object, void (*drop)(void *object))
{
    if (pool->core.dropped != NULL) {
        free_now(pool, object, drop);
        return true;
    }
    if (drop != NULL && vf_load_relaxed(&pool->epoch.drop) == NULL)
        vf_store_relaxed(&pool->epoch.drop, drop); /* seen by way of the deferral */
    vf_pool_cache *cache = own_cache(pool);
    if (cache != NULL ? defer(pool, cache, object) : defer_singly(pool, object))
        return true;
    errno = EAGAIN;
    return false;
}

/* The fast path is what needs no call. */
bool vf_pool_core_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    vf_pool_cache *cache = vf_attach_found(pool);
    if (VF_LIKELY(cache != NULL && core->dropped == NULL &&
                  (drop == NULL || vf_load_relaxed(&pool->epoch.drop) != NULL)) &&
        vf_epoch_add_fast(pool, cache, object))
        return true;
    return defer_slow(pool, object, drop);
}

void vf_pool_core_epoch_barrier(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_flush_all(pool, true);
    vf_deferrals_barrier(pool);
}

#endif
