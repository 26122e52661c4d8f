/* SPDX-License-Identifier: MIT */
/*
 * overflow.c - caches so small that each call goes to the depot: one thread frees what another
 * took, and so its cache overflows, while the other takes, and so its cache refills. What the one
 * wrote into an object before it freed it must be there for the thread that gets it next; a bit
 * that is seen too early, or taken twice, makes two owners. In the end as many objects are live as
 * were kept.
 */
#include "objects.h"

static struct object *handed[2];

static void *giver(void *argument)
{
    give(handed[0]);
    give(handed[1]);
    vf_thread_flush();
    return argument;
}

static void *taker(void *argument)
{
    take();
    give(take());
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1});
    handed[0] = take();
    handed[1] = take();
    run_beside(giver, taker);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 2);
}
