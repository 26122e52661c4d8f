/* SPDX-License-Identifier: MIT */
/*
 * trim.c - P_trim beside a thread that allocates and frees, with batches of four objects. Trim may
 * seize what is in the other's cache unless that is in a slow call, and give back batches that it
 * holds whole. An object from a batch that was given back is an access to memory that is gone; a
 * slot seized and handed out has two owners. CACHE below the batch makes calls slow; MANY goes on
 * with calls for several objects; OVERFLOWS frees more than the cache has room for. In the end the
 * numbers are right and nothing is left.
 */
#define OBJECTS_IN_BATCH 4
#include "slots.h"

#ifndef CACHE
#    define CACHE 0
#endif

static struct object *kept;

#ifdef MANY
static void *user(void *argument)
{
    struct object *some[3];
    some[0] = take();
    some[1] = take();
    disown(some[0]);
    disown(some[1]);
    objects_free_n(pool, some, 2);
    size_t n = objects_alloc_n(pool, some, 2);
    assert(n == 2);
    kept = own(some[0]);
    own(some[1]);
    give(some[1]);
    return argument;
}
#elif defined(OVERFLOWS)
static void *user(void *argument)
{
    struct object *some[CACHE + 1];
    for (int i = 0; i < CACHE + 1; i++) {
        some[i] = take();
    }
    for (int i = 0; i < CACHE + 1; i++) {
        give(some[i]);
    }
    kept = take();
    return argument;
}
#else
static void *user(void *argument)
{
    struct object *a = take(), *b = take(), *c = take();
    give(a);
    give(b);
    give(c);
    kept = take();
    give(take());
    return argument;
}
#endif

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE});
    if (CACHE > 0) { /* so that growth is not among what is explored */
        bool reserved = vf_depot_reserve(&whole()->depot, 1);
        assert(reserved);
    }
    pthread_t a;
    pthread_create(&a, NULL, user, NULL);
    objects_trim(pool);
    pthread_join(a, NULL);
    assert(objects_stats(pool).live == 1);
    give(kept);
    objects_trim(pool);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.capacity == 0 && stats.bytes == explore_bytes());
    objects_release(pool);
    assert(explore_blocks() == 0);
}
