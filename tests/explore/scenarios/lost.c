/* SPDX-License-Identifier: MIT */
/*
 * lost.c - one thread frees an object while another takes the last free slot of the batch, finds
 * the batch empty and takes it off the list. When both are done every free slot is found again.
 *
 * With WORDS the two slots are in different words of the batch. With GROUPS batches have one slot,
 * and there are so many that the tree has two levels: the group of both batches comes off the list
 * above. With LEVEL there is a third thread, which makes the pool grow by that second level; with
 * LOOK it is beside one that looks at all batches for the numbers. With BACK the taker gives its
 * slot back, and the giver takes one.
 */
#if defined(GROUPS) || defined(LEVEL)
#    define OBJECTS_IN_BATCH 1
#elif defined(WORDS)
#    define OBJECTS_IN_BATCH 66
#else
#    define OBJECTS_IN_BATCH 2
#endif
#include "slots.h"

#ifdef LEVEL
enum { ALL = 64, OTHER = 62 };
#elif defined(GROUPS)
enum { ALL = 66, OTHER = 64 };
#else
enum { ALL = OBJECTS_IN_BATCH, OTHER = 0 };
#endif

static struct object *object[ALL];

#ifndef LOOK
static void *giver(void *argument)
{
    give(object[ALL - 1]);
#    ifdef BACK
    take();
#    endif
    return argument;
}

static void *taker(void *argument)
{
#    ifdef BACK
    give(take());
#    else
    take();
#    endif
    return argument;
}

#endif

#ifdef LEVEL
static void *grower(void *argument)
{
    bool grown = objects_reserve(pool, 3);
    assert(grown);
    return argument;
}
#endif

#ifdef LOOK
static void *looker(void *argument)
{
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.fresh <= stats.capacity && stats.live <= stats.capacity);
    return argument;
}
#endif

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    bool reserved = objects_reserve(pool, ALL);
    assert(reserved);
    for (int i = 0; i < ALL; i++) {
        object[i] = take();
    }
    give(object[OTHER]);
#ifdef LOOK
    run_beside(looker, grower);
#elif defined(LEVEL)
    pthread_t a, b;
    pthread_create(&a, NULL, giver, NULL);
    pthread_create(&b, NULL, taker, NULL);
    grower(NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
#else
    run_beside(giver, taker);
#endif
    check_nothing_lost();
}
