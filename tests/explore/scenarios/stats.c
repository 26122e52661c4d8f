/*
 * stats.c - P_stats beside threads that attach, take, give and end. The numbers are an estimate,
 * but each within what there is; and a cache that has just been made is seen whole, or not at all.
 */
#include "objects.h"

static void *user(void *argument)
{
    give(take());
    return argument;
}

static void *observer(void *argument)
{
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.peak <= stats.capacity);
    assert(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1});
    run(user, observer);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0);
}
