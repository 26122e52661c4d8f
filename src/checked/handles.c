/* SPDX-License-Identifier: MIT */
/*
 * handles.c - handles in a checked build. Generations are the core's; of a pool made with VF_BYPASS
 * they stand in blocks.h.
 */
#include <veryfast/detail/pool_checked.h>

#include "../platform/compiler.h"
#include "../pool/handle.h"
#include "../pool/walk.h"
#include "bypass.h"
#include "list.h"
#include "look.h"
#include "slot.h"

static bool is_bypassed(const vf_pool *pool)
{
    return pool->checked.blocks.bypass;
}

/* The pool, which may be about to end only by a P_destroy whose VF_DROP calls. */
static vf_pool *pool_of(const vf_pool_core *core, const char *what, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, true, what, caller);
    bool is_ending = core->destroying != NULL || pool->checked.blocks.ending;
    return is_ending ? pool : vf_list_pool(core, false, what, caller);
}

uint64_t vf_checked_publish(vf_pool_core *core, const void *object, size_t objects, size_t stride,
                            const void *caller)
{
    (void)objects;
    (void)stride; /* it is larger here */
    vf_pool *pool = vf_list_pool(core, false, "P_handle_of", caller);
    if (is_bypassed(pool))
        return vf_bypass_publish(pool, object, caller);
    (void)vf_look(pool, object, "P_handle_of after the free of", caller);
    return vf_pool_core_publish_slow(core, object);
}

void *vf_checked_get(const vf_pool_core *core, uint64_t bits, size_t objects, size_t stride,
                     const void *caller)
{
    (void)objects;
    (void)stride;
    vf_pool *pool = pool_of(core, "P_get", caller);
    return is_bypassed(pool) ? vf_bypass_get(pool, bits) : vf_handle_object(pool, bits);
}

/* What is no object is left for the free to find, which comes next. */
static bool end_handle(vf_pool *pool, const void *object)
{
    vf_region region;
    if (is_bypassed(pool)) {
        vf_bypass_unpublish(pool, object);
        return true;
    }
    return !vf_walk_find(pool, object, &region) || vf_handle_end(pool, object);
}

bool vf_checked_unpublish(vf_pool_core *core, const void *object, size_t objects, size_t stride,
                          const void *caller)
{
    (void)objects;
    (void)stride;
    return end_handle(vf_list_pool(core, true, "free", caller), object);
}

bool vf_checked_cache_unpublish(vf_cache *cache, const void *object, size_t objects, size_t stride,
                                const void *caller)
{
    (void)objects;
    (void)stride;
    return end_handle(vf_list_pool_of(cache, "P_cache_free", caller), object);
}

void *vf_checked_claim_handle(vf_pool_core *core, uint64_t bits, bool *goes_on, const void *caller)
{
    vf_pool *pool = pool_of(core, "P_free_handle", caller);
    *goes_on = true;
    return is_bypassed(pool) ? vf_bypass_claim(pool, bits) : vf_handle_claim(pool, bits, goes_on);
}

void vf_checked_cache_free_last(vf_cache *cache, void *object, const void *caller)
{
    vf_checked_free_last(&vf_list_pool_of(cache, "P_cache_free", caller)->core, object, caller);
}

void vf_checked_free_n_last(vf_pool_core *core, const void *objects, size_t n, const void *caller)
{
    const vf_any_pointer *in = objects;
    const vf_pool *pool = vf_list_pool(core, true, "free", caller);
    for (size_t i = 0; i < n; i++) {
        if (in[i] == NULL)
            continue;
        if (vf_handle_is_last(pool, in[i]))
            vf_checked_free_last(core, in[i], caller);
        else
            vf_checked_free(core, in[i], caller);
    }
}

#ifdef VF_HAS_EPOCH
/* Where it is refused, the object is as it was; that others find nothing meanwhile is worth it
   here. */
bool vf_checked_free_handle_deferred(vf_pool_core *core, uint64_t bits, void (*drop)(void *object),
                                     const void *caller)
{
    bool goes_on;
    void *object = vf_checked_claim_handle(core, bits, &goes_on, caller);
    if (object == NULL)
        return false;
    if (vf_checked_free_deferred(core, object, drop, caller))
        return true;
    vf_pool *pool = vf_pool_whole(core);
    if (is_bypassed(pool))
        vf_bypass_publish_again(pool, bits);
    else
        vf_handle_publish_again(pool, bits);
    return false;
}
#endif

void *vf_checked_walk_next_published(vf_walk *walk, const void *caller)
{
    vf_pool *pool = vf_list_pool(walk->position.pool, false, "P_walk_next", caller);
    return is_bypassed(pool) ? vf_bypass_walk_next(pool, walk)
                             : vf_pool_core_walk_next_published(walk);
}
