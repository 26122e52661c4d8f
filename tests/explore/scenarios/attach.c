/* SPDX-License-Identifier: MIT */
/*
 * attach.c - two threads use a pool for the first time, and one of them ends (with THREE: both).
 * Both ask for an index and a cache at once; who finds the lock held works through the depot. An
 * index or a cache given twice would make two owners of what is in the cache. In the end whatever
 * they had is free, and none of it in a cache.
 */
#include "slots.h"

static void *user(void *argument)
{
    give(take());
    return argument;
}

void scenario(void)
{
    pool = objects_new(NULL);
    bool reserved = vf_depot_reserve(&whole()->depot, 2); /* growth.c explores that */
    assert(reserved);
#ifdef THREE
    run(user, user);
#else
    run_beside(user, user);
#endif
    vf_thread_flush();
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.cached == 0 && stats.capacity == stats.depot + stats.fresh);
    objects_release(pool);
    assert(explore_blocks() == 0);
}
