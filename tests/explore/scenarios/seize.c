/* SPDX-License-Identifier: MIT */
/*
 * seize.c - P_trim seizes what this thread has in its cache, which meanwhile takes and gives, in
 * calls that are quick; or overflows (OVERFLOWS), or flushes (FLUSH); or the cache is another
 * thread's, which ends (EXIT). A slot that is seized and taken has two owners. With TWO there are
 * two that seize, with NONE the system has no membarrier, so that nothing is seized. With STATS a
 * third thread looks at the numbers meanwhile, with BACK it is the one that trims. In the end all
 * is found again.
 */
#define OBJECTS_IN_BATCH 5
#include "slots.h"

#ifdef OVERFLOWS
enum { MINE = 5 };
#else
enum { MINE = 4 };
#endif

static struct object *object[MINE];

static void *trimmer(void *argument)
{
    objects_trim(pool);
#ifdef BACK
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.cached <= stats.capacity);
#endif
    return argument;
}

#if defined(STATS)
static void *other(void *argument)
{
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.cached <= stats.capacity);
    return argument;
}
#else
#    define other trimmer
#endif

static void *user(void *argument)
{
#ifdef EXIT
    for (int i = 0; i < 3; i++) {
        object[i] = take();
    }
    give(object[0]);
    give(object[1]);
#elif defined(OVERFLOWS)
    give(object[0]); /* for which there is no room */
    take();
#else
    give(object[0]);
    object[0] = take();
#    ifdef FLUSH
    vf_thread_flush();
#    endif
    give(take());
#endif
    return argument;
}

void scenario(void)
{
#ifdef NONE
    explore_no_membarrier();
#endif
    pool = objects_new(&(vf_pool_options){.cache_objects = 4});
#ifndef EXIT
    for (int i = 0; i < MINE; i++) {
        object[i] = take();
    }
    for (int i = 1; i < MINE; i++) {
        give(object[i]);
    }
#endif
#if defined(TWO) || defined(STATS)
    pthread_t a, b;
    pthread_create(&a, NULL, trimmer, NULL);
    pthread_create(&b, NULL, other, NULL);
    user(NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
#else
#    ifdef EXIT
    run_beside(user, trimmer);
#    else
    run_beside(trimmer, user);
#    endif
#endif
    vf_thread_flush();
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 1 && stats.cached == 0);
    check_nothing_lost();
}
