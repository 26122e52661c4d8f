/*
 * stats.c - P_stats beside threads that attach, take, give and end. The numbers are an estimate,
 * but each within what there is; and a cache that has just been made is seen whole, or not at all.
 * With MAX_OBJECTS of a capped pool, whose spans have yet to grow, and which reserves as well.
 */
#define OBJECTS_IN_BATCH 1
#include "objects.h"

#ifndef MAX_OBJECTS
#    define MAX_OBJECTS 0
#endif

static void *user(void *argument)
{
    struct object *object = take();
    give(take());
    give(object);
    return argument;
}

static void *observer(void *argument)
{
    if (MAX_OBJECTS > 0) {
        bool reserved = objects_reserve(pool, 1);
        assert(reserved);
    }
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.peak <= stats.capacity);
    assert(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1, .max_objects = MAX_OBJECTS});
    run(user, observer);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0);
}
