/* SPDX-License-Identifier: MIT */
/*
 * release_lender.c - P_release while the thread whose cache has lent all objects frees them. It may
 * settle its cache before P_release comes to that, and the pool must not end before the last object
 * is back. With TOGETHER it frees them in one call.
 */
#include <sched.h>

#include "objects.h"

static void *releaser(void *argument)
{
    objects_release(pool);
    return argument;
}

void scenario(void)
{
    pool = objects_new(NULL);
    struct object *object[2];
    object[0] = take();
    object[1] = take();
    pthread_t thread;
    pthread_create(&thread, NULL, releaser, NULL);
    sched_yield(); /* begins with the release: a preemption less, where few are allowed */
#ifdef TOGETHER
    disown(object[0]);
    disown(object[1]);
    objects_free_n(pool, object, 2);
#else
    give(object[0]);
    give(object[1]);
#endif
    pthread_join(thread, NULL);
    vf_thread_flush(); /* a free that was caught half way is found by now */
    assert(explore_blocks() == 0);
}
