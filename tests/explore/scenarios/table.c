/* SPDX-License-Identifier: MIT */
/*
 * table.c - the table that leads to the caches is replaced by a longer one while one thread uses
 * its cache and another attaches. A longer table that is seen before it is filled leads to nothing,
 * and an entry that gets lost makes a thread attach anew. In the end all is free and each thread
 * has had one cache. With FIRST no thread has used the pool before: both come with the empty
 * table. With OTHER there is one thread, which has used another pool, and looks into that table
 * with an index that is not in it.
 */
#include "slots.h"

enum { LONGER = 100 }; /* an index that is not in a first table */

static void *user(void *argument)
{
    give(take());
    return argument;
}

static size_t caches(const vf_pool *of)
{
    size_t n = 0;
    for (const vf_pool_cache *cache = of->caches; cache != NULL; cache = cache->next) {
        n++;
    }
    return n;
}

#ifndef OTHER
static void *grower(void *argument)
{
    vf_lock_acquire();
    bool grown = vf_attach_reach(whole(), LONGER);
    vf_lock_release();
    assert(grown);
    user(argument);
    return argument;
}
#endif

void scenario(void)
{
    pool = objects_new(NULL);
#ifdef OTHER
    objects *other = objects_new(NULL);
    objects_free(other, objects_alloc(other));
    size_t bytes = objects_trim(pool);
    assert(bytes == 0);
#endif
    bool reserved = vf_depot_reserve(&whole()->depot, 1); /* growth.c explores how it grows */
    assert(reserved);
#if !defined(FIRST) && !defined(OTHER)
    give(take());
#endif
#ifdef OTHER
    user(NULL);
#else
    run_beside(user, grower);
#endif
    vf_thread_flush();
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.cached == 0);
    assert(caches(whole()) <= 2);
    objects_release(pool);
#ifdef OTHER
    objects_release(other);
#endif
    assert(explore_blocks() == 0);
}
