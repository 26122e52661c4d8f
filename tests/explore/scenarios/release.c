/* SPDX-License-Identifier: MIT */
/*
 * release.c - P_release while two other threads free the last objects and end. The pool must end
 * once, not before the last object is back and the last call has left it, and not never. Caches
 * small and large, none, and a cap (CACHE, MAX_OBJECTS); with FLUSH one thread flushes, with HELD
 * one frees into a cache of its own and gives that up, with ALONE there is only the first. Where
 * frees are fenced, with REFUSED the system has no membarrier, and with LATE none any more.
 */
#include "objects.h"

#ifndef CACHE
#    define CACHE 0
#endif
#ifndef MAX_OBJECTS
#    define MAX_OBJECTS 0
#endif

static struct object *object[4];

static void *first(void *argument)
{
    give(object[0]);
#ifndef HELD
    give(object[1]);
#endif
    return argument;
}

#ifdef HELD
static objects_cache *held;
static void *second(void *argument)
{
    disown(object[1]);
    objects_cache_free(held, object[1]);
    disown(object[2]);
    objects_cache_free(held, object[2]);
    objects_cache_release(held);
    return argument;
}
#else
static void *second(void *argument)
{
    give(object[2]);
#    ifdef FLUSH
    vf_thread_flush();
#    endif
    return argument;
}
#endif

void scenario(void)
{
#ifdef REFUSED
    explore_no_membarrier();
#endif
    pool = objects_new(&(vf_pool_options){.cache_objects = CACHE, .max_objects = MAX_OBJECTS});
#ifdef HELD
    held = objects_cache_new(pool);
#endif
    for (int i = 0; i < 4; i++) {
        object[i] = take();
    }
    give(object[3]);
#ifdef LATE
    explore_no_membarrier();
#endif
    pthread_t a;
    pthread_create(&a, NULL, first, NULL);
#ifdef ALONE
    second(NULL);
    objects_release(pool);
#else
    pthread_t b;
    pthread_create(&b, NULL, second, NULL);
    objects_release(pool);
    pthread_join(b, NULL);
#endif
    pthread_join(a, NULL);
    vf_thread_flush(); /* a free that was caught half way is found by now */
    assert(explore_blocks() == 0);
}
