/* SPDX-License-Identifier: MIT */
/*
 * move.c - a cache moves to a larger array, in an alloc that finds it empty after a burst, beside
 * P_trim, which would seize what is in it, or with STATS beside P_stats, or
 * with RESERVE beside P_reserve, which would have it not move. Trim must not look at the
 * array while it changes, nor the owner change it before trim has looked.
 */
#define OBJECTS_IN_BATCH 512 /* so that a carve needs no lock, which trim has */
#include "pool/attach.h"

#include "objects.h"

enum { FIRST = VF_POOL_CACHE_FIRST, MOST = FIRST + 1 };

#if defined(STATS) || defined(RESERVE)
enum { LEFT = 0 };
#else
enum { LEFT = 2 }; /* so that it is worth seizing */
#endif

static struct object *some[MOST];

static void *other(void *argument)
{
#if defined(RESERVE)
    bool reserved = objects_reserve(pool, 1);
    assert(reserved);
#elif defined(STATS)
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.cached <= stats.capacity);
#else
    objects_trim(pool);
#endif
    return argument;
}

static void *user(void *argument)
{
    for (int i = 0; i <= LEFT; i++) {
        take();
    }
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = (size_t)2 * FIRST});
    size_t n = objects_alloc_n(pool, some, MOST);
    assert(n == MOST);
    objects_free_n(pool, some, MOST);
    const vf_pool_cache *cache = vf_attach_own(vf_pool_whole((vf_pool_core *)pool));
    n = objects_alloc_n(pool, some, vf_cache_count(cache) - LEFT);
    assert(n > 0 && cache->burst && vf_cache_count(cache) == LEFT);
    run_beside(other, user);
    assert(objects_stats(pool).live == n + LEFT + 1);
}
