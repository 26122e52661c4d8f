/* SPDX-License-Identifier: MIT */
/*
 * purge.c - P_trim drops the pages of free slots, beside an alloc and a free, or beside a second
 * P_trim that gives the whole batch back, after which another batch has its record (TWO). The hook
 * writes to all that it drops: nobody may have a slot there, and the memory must be the pool's.
 */
struct object {
    char before[4092];
    int owned; /* in a whole page, wherever the slot begins */
    char after[4096];
};
#define OBJECTS_IN_BATCH 2
#define OBJECT_IS_DEFINED
#include "slots.h"

static void dropped(void *context, void *memory, size_t size)
{
    (void)context;
    for (char *at = memory; at < (char *)memory + size; at += 64) {
        int *it = (int *)(void *)(at + 60); /* each object's field is such a place */
        *it = 0;
    }
}

static struct object *object[2];

static void *trimmer(void *argument)
{
    objects_trim(pool);
    return argument;
}

static void *user(void *argument)
{
#ifdef TWO
    give(object[0]);
    objects_trim(pool);
    object[0] = take();
#else
    object[1] = take();
    give(object[1]);
#endif
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE, .purge = dropped});
    object[0] = take();
    run_beside(trimmer, user);
    assert(objects_stats(pool).live == 1);
    check_nothing_lost();
    objects_release(pool);
}
