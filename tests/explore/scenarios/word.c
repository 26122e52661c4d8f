/* SPDX-License-Identifier: MIT */
/*
 * word.c - two threads take free slots of the same word, one of them a part of what is there, or
 * with WHOLE all of it in one exchange; with GIVE one gives a slot back meanwhile. No slot has two
 * owners, what was done to a slot is seen by the thread that has it next, and none is lost.
 */
#ifdef WHOLE
#    define OBJECTS_IN_BATCH 20 /* so many that the search for more ends */
#else
#    define OBJECTS_IN_BATCH 3
#endif
#include "slots.h"

enum { MOST = 64 };

#ifdef WHOLE
enum { PART = MOST };
#else
enum { PART = 2 };
#endif

static struct object *given;

static void take_some(size_t most)
{
    vf_home home = {0};
    void *slots[MOST];
    size_t n = vf_depot_get(&whole()->depot, &home, slots, most);
    assert(n <= OBJECTS_IN_BATCH);
    for (size_t i = 0; i < n; i++) {
        own(slots[i]);
    }
    vf_home_leave(&whole()->depot.batches, &home);
}

static void *first(void *argument)
{
    take_some(PART);
    return argument;
}

static void *second(void *argument)
{
#ifdef GIVE
    give(given);
#endif
    take_some(2);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    given = take();
#ifndef GIVE
    give(given);
#endif
    run_beside(first, second);
    check_nothing_lost();
    assert(whole()->depot.batches.held == 1);
}
