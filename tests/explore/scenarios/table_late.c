/* SPDX-License-Identifier: MIT */
/*
 * table_late.c - the table that leads to the caches is replaced by a longer one while a thread is
 * in a slow call that looks at it again: an alloc from a cache of one object, or with CLOSED a free
 * into a pool that is released. The table it finds there may be one that its fast path has not
 * seen.
 */
#include "pool/attach.h"

#include "objects.h"

enum { LONGER = 100 }; /* an index that is not in a first table */

static void *grower(void *argument)
{
    vf_lock_acquire();
    bool grown = vf_attach_reach(vf_pool_whole((vf_pool_core *)pool), LONGER);
    vf_lock_release();
    assert(grown);
    return argument;
}

static struct object *object[3];

static void *user(void *argument)
{
#ifdef CLOSED
    give(object[0]);
#else
    object[1] = take();
    object[2] = take();
#endif
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1});
    object[0] = take();
#ifdef CLOSED
    object[1] = take();
    objects_release(pool);
#endif
    run_beside(grower, user);
#ifdef CLOSED
    give(object[1]);
    assert(explore_blocks() == 0);
#else
    assert(objects_stats(pool).live == 3);
#endif
}
