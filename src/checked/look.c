/* SPDX-License-Identifier: MIT */
/*
 * look.c - see look.h.
 */
#include "look.h"

#include "../platform/wait.h"
#include "../pool/walk.h"
#include "blocks.h"
#include "list.h"
#include "misuse.h"
#include "slot.h"

/* ---- strangers ---- */

/* Has the pool the address, in an object or between them? Never waits for a lock. */
static bool has(vf_pool *pool, const void *object)
{
    vf_region region;
    if (!vf_mutex_trylock(&pool->growth))
        return false;
    bool found = vf_walk_find(pool, object, &region) || region.slots != 0 ||
                 vf_blocks_find(&pool->checked.blocks, object) != NULL;
    vf_mutex_unlock(&pool->growth);
    return found;
}

_Noreturn void vf_look_stranger(vf_pool *pool, const void *object, const vf_region *region,
                                const void *caller)
{
    if (region->slots != 0) {
        size_t offset = (uintptr_t)object - (uintptr_t)region->base;
        vf_misuse(pool->name, pool, caller, "interior pointer %p, %zu bytes into %p,", object,
                  offset % vf_pool_shape(pool)->stride,
                  (void *)(region->base +
                           offset / vf_pool_shape(pool)->stride * vf_pool_shape(pool)->stride));
    }
    const char *name = vf_list_owner(pool, object, has);
    if (name != NULL)
        vf_misuse(pool->name, pool, caller, "pointer %p of another pool, %s,", object, name);
    if (pool->checked.blocks.bypass)
        vf_misuse(pool->name, pool, caller, "double free of %p, or pointer of no pool,", object);
    vf_misuse(pool->name, pool, caller, "pointer %p of no pool", object);
}

/* Is the object one of this pool, which has VF_BYPASS? */
static bool has_block(vf_pool *pool, const void *object, bool *busy)
{
    if (!vf_mutex_trylock(&pool->growth)) {
        *busy = true;
        return false;
    }
    bool found = vf_blocks_find(&pool->checked.blocks, object) != NULL;
    vf_mutex_unlock(&pool->growth);
    return found;
}

vf_pool *vf_look_for_pool(const void *object, const void *caller)
{
    unsigned round = 0;
    for (bool busy = true; busy;) {
        busy = false;
        vf_pool *pool = vf_list_find(object, caller, has_block, &busy);
        if (pool != NULL)
            return pool;
        if (busy)
            vf_wait_round(&round);
    }
    vf_misuse("vf_free", object, caller, "pointer to an object of no pool");
}

/* ---- objects ---- */

vf_header *vf_look(vf_pool *pool, const void *object, const char *after_free, const void *caller)
{
    vf_region region;
    if (!vf_walk_find(pool, object, &region))
        vf_look_stranger(pool, object, &region, caller);
    vf_header *header = vf_slot_header(pool, object);
    if (vf_slot_is_fresh(pool, object))
        vf_misuse(pool->name, pool, caller, "pointer %p to what was never handed out", object);
    if (!vf_slot_has_header(pool, object))
        vf_misuse(pool->name, pool, caller, "write past the end of %p, found when freed", object);
    /* relaxed: a thread that was handed the object has seen that it is live */
    uint32_t state = vf_load_relaxed(&header->state);
    if (state != VF_LIVE && state != VF_DROPPING)
        vf_slot_misuse(pool, object, caller,
                       state == VF_DEFERRED ? "free of deferred object" : after_free);
    vf_slot_look_at_fences(pool, object, caller);
    return header;
}
