/* SPDX-License-Identifier: MIT */
/*
 * trim_batch.c - P_trim beside a thread without a cache that gives back the last object of a batch
 * and takes one again. The memory goes back with no object in it, and is not touched after that.
 * With TWO the other thread trims as well, before it takes, so that the record of a batch that is
 * gone soon has memory again. With HOME it has a cache, and that prefers the batch. Batches have
 * more slots than a word has bits where it says WORDS.
 */
#ifdef WORDS
#    define OBJECTS_IN_BATCH 66
#else
#    define OBJECTS_IN_BATCH 2
#endif
#include "slots.h"

#include "region.h"

static struct object *object;

static void *trimmer(void *argument)
{
#ifdef HOME
    give(object);
#endif
    objects_trim(pool);
#ifdef HOME
    object = take();
#endif
    return argument;
}

static void *user(void *argument)
{
#ifdef HOME
    give(take());
#else
    give(object);
#    ifdef TWO
    objects_trim(pool);
#    endif
    object = take();
#    ifdef TWO
    give(take());
#    endif
#endif
    return argument;
}

void scenario(void)
{
    vf_allocator allocator = region_allocator(sizeof(struct object) * OBJECTS_IN_BATCH);
#ifdef HOME
    const size_t cache = 1;
#else
    const size_t cache = VF_CACHE_NONE;
#endif
    pool = objects_new(&(vf_pool_options){.cache_objects = cache, .allocator = allocator});
#ifdef HOME
    object = take(); /* nothing is left in the cache */
#else
    struct object *all[OBJECTS_IN_BATCH];
    for (int i = 0; i < OBJECTS_IN_BATCH; i++) {
        all[i] = take();
    }
    object = all[OBJECTS_IN_BATCH - 1]; /* in the last word */
    for (int i = 0; i < OBJECTS_IN_BATCH - 1; i++) {
        give(all[i]);
    }
#endif
    run_beside(trimmer, user);
    vf_thread_flush();
    assert(objects_stats(pool).live == 1);
    give(object);
    objects_trim(pool);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.capacity == 0);
    check_nothing_lost();
    objects_release(pool);
    assert(explore_blocks() == 1); /* the region */
}
