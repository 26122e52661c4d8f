/* SPDX-License-Identifier: MIT */
/*
 * growth.c - two threads take from a pool without a free slot, which grows. A slot handed out twice
 * has two owners; a batch too many was made because another's growth was not seen. With GIVER one
 * of them gives back an object first, which either may get. With RESERVE one
 * of them reserves first what it takes; with PROMISE the
 * other gives an object back meanwhile, and after that there is no more memory. The bytes add up in
 * the end.
 */
#if defined(GIVER) || defined(PROMISE)
#    define OBJECTS_IN_BATCH 1
#else
#    define OBJECTS_IN_BATCH 2
#endif
#include "slots.h"

#if defined(GIVER) || defined(PROMISE)
static struct object *given;
#endif

static void *taker(void *argument)
{
#ifdef PROMISE
    give(given);
#else
    take();
#endif
    return argument;
}

static void *other(void *argument)
{
#ifdef RESERVE
    bool reserved = objects_reserve(pool, 1);
    assert(reserved);
#elif defined(GIVER)
    give(given);
#elif defined(PROMISE)
    bool reserved = objects_reserve(pool, 1);
    assert(reserved);
    explore_refuse(1, LONG_MAX);
#endif
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
#if defined(GIVER) || defined(PROMISE)
    given = take();
#endif
    run_beside(taker, other);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.bytes == explore_bytes());
#if defined(PROMISE)
    assert(stats.live == 1 && stats.batches <= 2);
#elif defined(GIVER)
    assert(stats.live == 2 && stats.batches <= 3);
#else
    assert(stats.live == 2 && stats.batches == 1);
#endif
    check_nothing_lost();
    objects_release(pool);
}
