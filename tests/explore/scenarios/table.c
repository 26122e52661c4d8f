/*
 * table.c - the table that leads to the caches is replaced by a longer one, as more threads come
 * than ever before, while one thread uses its cache and another attaches. A longer table that is
 * seen before it is filled leads to nothing, and an entry that gets lost makes a thread attach
 * anew. In the end all is free and each thread has had one cache.
 */
#include "pool.h"

#include "objects.h"

static void *user(void *argument)
{
    give(take());
    give(take());
    return argument;
}

static size_t caches(const vf_pool *of)
{
    size_t n = 0;
    for (const vf_thread_cache *cache = of->caches; cache != NULL; cache = cache->next) {
        n++;
    }
    return n;
}

void scenario(void)
{
    pool = objects_new(NULL);
    vf_pool *whole = vf_pool_whole(&pool->core);
    pthread_t a;
    pthread_create(&a, NULL, user, NULL);
    vf_threads_enter();
    bool grown = vf_table_grow(whole, 2 * vf_threads_table_size());
    vf_threads_leave();
    assert(grown);
    user(NULL);
    pthread_join(a, NULL);
    vf_thread_flush();
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.cached == 0 && caches(whole) <= 2);
    objects_release(pool);
    assert(explore_blocks() == 0);
}
