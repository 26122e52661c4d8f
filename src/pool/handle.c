/* SPDX-License-Identifier: MIT */
/*
 * handle.c - see handle.h. What may run beside what:
 *
 *     P_get                            the object's end, and what may come after it
 *     generation is the handle's?      generation = one that is not published
 *     where is the batch?              ... the slot is free, the batch's memory goes: base = NULL
 *                                      ... memory again, elsewhere: base = other
 *
 * All of the right side comes one behind the other, by the bits of the depot and the growth lock.
 * Where P_get finds a base from after the object's end, the object was there when it looked, but
 * nothing has kept it alive, so that any address is as useless. While something does, the left
 * side finds the object's own base.
 */
#include "handle.h"

#include <assert.h>

#include "lock.h"
#include "release.h"

vf_location vf_handle_locate(const vf_pool *pool, const void *object)
{
    vf_location location;
    location.number = pool->kind->locate(pool, object, &location.slot);
    location.of = vf_generations_at(pool->handles, location.number);
    return location;
}

static uint32_t *generation_of(vf_location location)
{
    return &vf_generations_of(location.of)[location.slot];
}

void *vf_handle_object(const vf_pool *pool, uint64_t bits)
{
    const vf_shape *shape = vf_pool_shape(pool);
    return vf_pool_core_get(&pool->core, bits, shape->objects, shape->stride);
}

bool vf_handle_end(const vf_pool *pool, const void *object)
{
    uint32_t *generation = generation_of(vf_handle_locate(pool, object));
    uint32_t now = vf_load_relaxed(generation); /* as in vf_generation_end, as the store */
    if (now < VF_PUBLISHED)
        return true;
    vf_store_relaxed(generation, vf_generation_after(now));
    return now != UINT32_MAX;
}

void *vf_handle_claim(const vf_pool *pool, uint64_t bits, bool *goes_on)
{
    const vf_shape *shape = vf_pool_shape(pool);
    const vf_generations *of;
    size_t slot;
    if (!vf_handle_look_up(&pool->core.directory, bits, shape->objects, &of, &slot))
        return NULL;
    uint32_t expected = vf_handle_generation(bits), ended = vf_generation_after(expected);
    void *object = vf_generation_object(of, slot, expected, shape->stride);
    *goes_on = expected != UINT32_MAX;
    /* relaxed: that the object was there when this thread looked is acquired there; and the thread
       that ends it here has what follows to itself */
    bool is_first =
        object != NULL && vf_cas_strong_relaxed(&vf_generations_of(of)[slot], &expected, ended);
    return is_first ? object : NULL;
}

void vf_handle_publish_again(const vf_pool *pool, uint64_t bits)
{
    const vf_generations *of;
    size_t slot;
    bool found =
        vf_handle_look_up(&pool->core.directory, bits, vf_pool_shape(pool)->objects, &of, &slot);
    assert(found);
    if (found) /* release: as in vf_generation_publish */
        vf_store_release(&vf_generations_of(of)[slot], vf_handle_generation(bits));
}

bool vf_handle_is_last(const vf_pool *pool, const void *object)
{
    return vf_load_relaxed(generation_of(vf_handle_locate(pool, object))) == VF_GENERATION_LAST;
}

/* A capped pool counts what is live when it is released: either this slot is retired by then, or it
   counts itself off. */
static bool retire_capped(const vf_pool *pool, vf_location location)
{
    vf_lock_acquire();
    bool closed = pool->closed;
    vf_generation_retire(location.of, location.slot);
    vf_lock_release();
    return closed;
}

void vf_handle_retire(vf_pool *pool, const void *object)
{
    vf_location location = vf_handle_locate(pool, object);
    bool counts = true;
    if (pool->capped != NULL)
        counts = retire_capped(pool, location);
    else
        vf_generation_retire(location.of, location.slot);
    if (counts)
        vf_release_return_last(pool, 1);
}
