/* SPDX-License-Identifier: MIT */
/*
 * refusal.c - out of memory, with free slots that nobody moves: an alloc finds one. They are in the
 * cache of the main thread, which waits, while another thread ends that has lent objects (EXIT); or
 * in a batch that is not listed, since the thread that is to list it was stopped (STOPPED); or in a
 * cache again, with two threads that look for them at once (BOTH), and one of them gets what there
 * is if the other does not. With GROWS the allocator refuses once, and the pool grows meanwhile.
 */
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>

#if defined(GROWS)
#    define OBJECTS_IN_BATCH 1
#    define CACHE            VF_CACHE_NONE
#elif defined(STOPPED)
#    define OBJECTS_IN_BATCH 2
#    define CACHE            VF_CACHE_NONE
#elif defined(EXIT)
#    define OBJECTS_IN_BATCH 5
#    define CACHE            3
#else
#    define OBJECTS_IN_BATCH 3
#    define CACHE            3
#endif
#include "slots.h"

static struct object *object[OBJECTS_IN_BATCH];

#ifdef STOPPED
static atomic_bool is_free;

static void *first(void *argument)
{
    give(object[0]);
    return argument;
}

static void *second(void *argument)
{
    give(object[1]);
    atomic_store_explicit(&is_free, true, memory_order_release);
    return argument;
}

static void allocate(void)
{
    bool there = atomic_load_explicit(&is_free, memory_order_acquire);
    struct object *got = objects_alloc(pool);
    assert(got != NULL || !there);
    if (got != NULL) {
        own(got);
    }
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE});
    object[0] = take();
    object[1] = take();
    explore_refuse(1, LONG_MAX);
    pthread_t a, b;
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    sched_yield();
    allocate();
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    check_nothing_lost();
}
#elif defined(EXIT)
static atomic_bool ready, go;

static void *lender(void *argument)
{
    object[0] = take();
    object[1] = take();
    atomic_store_explicit(&ready, true, memory_order_release);
    while (!atomic_load_explicit(&go, memory_order_acquire)) {
        sched_yield();
    }
    return argument;
}

static void *allocator(void *argument)
{
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE});
    struct object *mine[3];
    pthread_t a, b;
    pthread_create(&a, NULL, lender, NULL);
    while (!atomic_load_explicit(&ready, memory_order_acquire)) {
        sched_yield();
    }
    for (int i = 0; i < 3; i++) {
        mine[i] = take();
    }
    give(mine[0]);
    give(mine[1]);
    explore_refuse(1, LONG_MAX);
    atomic_store_explicit(&go, true, memory_order_release);
    pthread_create(&b, NULL, allocator, NULL);
    pthread_join(b, NULL);
    pthread_join(a, NULL);
}
#else
static struct object *got[2];

static void *first(void *argument)
{
    got[0] = objects_alloc(pool);
    return argument;
}

static void *second(void *argument)
{
    got[1] = objects_alloc(pool);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE});
    for (int i = 0; i < OBJECTS_IN_BATCH; i++) {
        object[i] = take();
    }
    for (int i = 0; i < OBJECTS_IN_BATCH && CACHE != VF_CACHE_NONE; i++) {
        give(object[i]);
    }
#    ifdef GROWS
    explore_refuse(1, 1);
#    else
    explore_refuse(1, LONG_MAX);
#    endif
    run(first, second);
    assert(got[0] != NULL || got[1] != NULL);
}
#endif
