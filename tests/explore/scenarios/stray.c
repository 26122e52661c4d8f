/*
 * stray.c - memory is spent before there is a magazine: two threads each free an object and take
 * one. The slots are linked through themselves; who has given one must be able to have one again,
 * and nobody may have two at one place.
 */
#define OBJECTS_IN_BATCH 2
#include "objects.h"

static struct object *object[2];

static void *first(void *argument)
{
    give(object[0]);
    take();
    return argument;
}

static void *second(void *argument)
{
    give(object[1]);
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1});
    object[0] = take();
    object[1] = take();
    explore_refuse(1, LONG_MAX);
    run(first, second);
    assert(objects_alloc(pool) == NULL);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 2 && stats.capacity == 2);
}
