/* SPDX-License-Identifier: MIT */
/*
 * stats.c - P_stats beside threads that attach, take, give and end. The numbers are an estimate,
 * but each within what there is; and a cache that has just been made is seen whole, or not at all.
 * With MAX_OBJECTS of a capped pool, whose spans have yet to grow, and which reserves as well; with
 * BEFORE it has a free slot already, whose link may lead to a span that comes just now. With TRIM
 * batches go and come, and one is refused. With MANY in calls for several objects.
 */
#define OBJECTS_IN_BATCH 1
#include "slots.h"

#ifndef MAX_OBJECTS
#    define MAX_OBJECTS 0
#endif
#ifndef CACHE
#    define CACHE 1
#endif

#ifdef TRIM
static struct object *last;
static void *user(void *argument)
{
    give(last);
    objects_trim(pool);
    explore_refuse(2, 2);
    bool reserved = objects_reserve(pool, 2); /* the second batch is refused */
    assert(!reserved);
    last = take();
    give(last);
    return argument;
}
#elif defined(MANY)
static void *user(void *argument)
{
    struct object *some[2];
    for (int i = 0; i < 2; i++) {
        size_t n = objects_alloc_n(pool, some, 2);
        assert(n == 2);
        objects_free_n(pool, some, n);
    }
    return argument;
}
#else
static void *user(void *argument)
{
    struct object *object = take();
#    ifdef BEFORE
    struct object *second = take(), *third = take();
    give(take());
    give(object);
    give(second);
    give(third);
#    else
    give(take());
    give(object);
#    endif
    return argument;
}
#endif

static void *observer(void *argument)
{
#ifndef BEFORE
    if (MAX_OBJECTS > 0) {
        bool reserved = objects_reserve(pool, 1);
        assert(reserved);
    }
#endif
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.peak <= stats.capacity);
    assert(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE, .max_objects = MAX_OBJECTS});
#ifdef BEFORE
    give(take());
#endif
#ifdef TRIM
    last = take();
#else
    if (MAX_OBJECTS == 0) { /* growth.c explores how it grows */
        bool reserved = vf_depot_reserve(&whole()->depot, 2);
        assert(reserved);
    }
#endif
    run(user, observer);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0);
}
