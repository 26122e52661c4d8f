/* SPDX-License-Identifier: MIT */
/*
 * destroy.c - the end of a pool with all its objects: P_destroy.
 *
 * The caches give all that they have to the depot, so that what is not free is live. Objects are
 * dropped by address, or where there is no memory to sort batches, by number; or earlier, when the
 * VF_DROP of another frees them: hence such a free asks first (claims), and the object counts as
 * free from there on. The pool is closed as by P_release, so that all frees come here.
 */
#include "destroy.h"

#include <assert.h>

#include "attach.h"
#include "epoch.h"
#include "handle.h"
#include "release.h"
#include "seize.h"
#include "walk.h"

bool vf_destroy_claim(vf_pool *pool, const void *object)
{
    uintptr_t base;
    vf_batch *batch = vf_addresses_find(&pool->depot.batches, (uintptr_t)object, &base);
    assert(batch != NULL);
    size_t number = vf_batch_slot_number(*vf_pool_shape(pool), (uintptr_t)object - base);
    vf_word bit = vf_bits_bit(number);
    /* relaxed: P_destroy is one thread */
    vf_word before = vf_fetch_or_relaxed(&batch->free[number / VF_WORD_BITS], bit);
    return (before & bit) == 0;
}

/* VF_DROP is about to run on an object: false where it has already. */
bool vf_pool_core_claim(vf_pool_core *core, const void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    return pool->kind->claim(pool, object);
}

bool vf_pool_core_cache_claim(vf_cache *fast, const void *object)
{
    vf_pool *pool = fast->whole->pool;
    return pool->core.destroying == NULL || pool->kind->claim(pool, object);
}

static void claim_and_drop(vf_pool *pool, void *object, void (*drop)(void *object))
{
    if (!pool->kind->claim(pool, object))
        return;
    if (pool->handles != NULL)
        (void)vf_handle_end(pool, object);
    drop(object);
}

static void drop_live(vf_pool *pool, void (*drop)(void *object))
{
    vf_walk walk;
    pool->core.destroying = &walk;
    if (!vf_walk_by_address(pool, &walk))
        walk = vf_walk_by_number(pool);
    for (void *object; (object = vf_pool_core_walk_next(&walk)) != NULL;)
        claim_and_drop(pool, object, drop);
    vf_pool_core_each_end(&walk);
}

/* Sends the calls of a cache held by a caller to the slow paths, too. It is empty. */
static void close_held(vf_pool *pool)
{
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->held)
            cache->fast.limit = cache->fast.full = cache->fast.bottom;
    }
}

/* No lock is held while objects are dropped: VF_DROP may do anything but allocate here. Threads may
   end meanwhile; of a closed pool they leave everything where it is. */
void vf_pool_core_destroy(vf_pool_core *core, void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_drain(pool);
    vf_seize_every(pool);
    vf_lock_acquire();
    vf_attach_close(pool);
    vf_lock_release();
    close_held(pool);
    if (drop != NULL)
        drop_live(pool, drop);
    vf_release_end(pool);
}
