/* SPDX-License-Identifier: MIT */
/*
 * publish.c - the calls of handles, where the fast paths have found nothing: the object is in
 * another batch than the one before, or the thread has no cache.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../platform/compiler.h"
#include "attach.h"
#include "handle.h"

uint64_t vf_pool_core_publish_slow(vf_pool_core *core, const void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_location location = vf_handle_locate(pool, object);
    vf_pool_cache *cache = vf_attach_found(pool);
    if (cache != NULL)
        cache->fast.published = location.of;
    return vf_generation_publish(location.of, location.slot);
}

/* ---- the end of an object ---- */

/* So many of the slots that the thread has freed last are looked at each time. */
#define LOOKED_AT 16

/* Is the object among the last n slots of the cache? */
static bool is_in(const vf_pool_cache *cache, size_t n, const void *object)
{
    void **top = cache->fast.top;
    for (size_t i = vf_min(n, vf_cache_count(cache)); i > 0; i--) {
        if (*--top == object)
            return true;
    }
    return false;
}

/* How many of them to look at for an object of a slot that has had a handle: all the first time,
   the second, the fourth, the eighth, so that it costs next to nothing where such objects are often
   freed without one. */
static size_t looked_at(vf_pool_cache *cache)
{
    size_t looks = cache->looks++;
    return (looks & (looks - 1)) == 0 ? SIZE_MAX : LOOKED_AT;
}

/*
 * Was the object freed already? It has no handle: that is so too if it was never published. Nobody
 * has one of a slot that is retired or about to be. Another was freed if it is in the depot, or
 * found in the cache.
 */
static bool is_free(const vf_pool *pool, vf_pool_cache *cache, const void *object,
                    vf_location location)
{
    uint32_t generation = vf_load_relaxed(&vf_generations_of(location.of)[location.slot]);
    if (generation >= VF_PUBLISHED)
        return false;
    if (generation < VF_GENERATION_FIRST ||
        pool->kind->is_free(pool, location.number, location.slot))
        return true;
    if (cache == NULL)
        return false;
    return is_in(cache, generation == VF_GENERATION_FIRST ? LOOKED_AT : looked_at(cache), object);
}

static void stop_at_double_free(const vf_pool *pool, vf_pool_cache *cache, const void *object,
                                vf_location location)
{
    if (pool->core.destroying != NULL || !is_free(pool, cache, object, location))
        return;
    fprintf(stderr, "veryfast: %s %p: double free of %p\n", pool->name, (const void *)pool, object);
    abort();
}

static bool end_published(const vf_pool *pool, vf_pool_cache *cache, const void *object)
{
    vf_location location = vf_handle_locate(pool, object);
    if (cache != NULL)
        cache->fast.freed = location.of;
    stop_at_double_free(pool, cache, object, location);
    return vf_handle_end(pool, object);
}

bool vf_pool_core_unpublish_slow(vf_pool_core *core, const void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    return end_published(pool, vf_attach_found(pool), object);
}

bool vf_pool_core_cache_unpublish_slow(vf_cache *fast, const void *object)
{
    vf_pool_cache *cache = fast->whole;
    return end_published(cache->pool, cache, object);
}

void *vf_pool_core_claim_handle(vf_pool_core *core, uint64_t bits, bool *goes_on)
{
    return vf_handle_claim(vf_pool_whole(core), bits, goes_on);
}

/* ---- after VF_DROP ---- */

/* While P_destroy drops all, the object was claimed; or taken, and is claimed by this. */
void vf_pool_core_free_last(vf_pool_core *core, void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    if (core->destroying != NULL)
        (void)pool->kind->claim(pool, object);
    else
        vf_handle_retire(pool, object);
}

void vf_pool_core_cache_free_last(vf_cache *fast, void *object)
{
    vf_pool_core_free_last(&fast->whole->pool->core, object);
}

void vf_pool_core_free_n_last(vf_pool_core *core, const void *objects, size_t n)
{
    const vf_any_pointer *in = objects;
    for (size_t i = 0; i < n; i++) {
        if (in[i] == NULL)
            continue;
        if (vf_handle_is_last(vf_pool_whole(core), in[i]))
            vf_pool_core_free_last(core, in[i]);
        else
            vf_pool_core_free(core, in[i]);
    }
}

/* By vf_free. */
void vf_pool_core_free_published(vf_pool_core *core, void *object)
{
    if (core->drop != NULL && !vf_pool_core_may_drop(core, object))
        return;
    bool goes_on = vf_pool_core_unpublish_slow(core, object);
    if (core->drop != NULL)
        core->drop(object);
    if (goes_on)
        vf_pool_core_free(core, object);
    else
        vf_pool_core_free_last(core, object);
}
