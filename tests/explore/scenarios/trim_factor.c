/*
 * trim_factor.c - a pool that trims itself: two threads free into caches of one object, so that
 * each free is a slow one, and may look and trim. At the end all is free and the numbers are right.
 */
#define OBJECTS_IN_BATCH 2
#include "objects.h"

static struct object *object[4];

static void *first(void *argument)
{
    for (int i = 0; i < 2; i++) {
        give(object[i]);
    }
    return argument;
}

static void *second(void *argument)
{
    for (int i = 2; i < 4; i++) {
        give(object[i]);
    }
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1, .trim_factor = 1});
    for (int i = 0; i < 4; i++) {
        object[i] = take();
    }
    run_beside(first, second);
    objects_trim(pool);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.capacity == 0);
    objects_release(pool);
    assert(explore_blocks() == 0);
}
