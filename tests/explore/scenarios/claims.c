/* SPDX-License-Identifier: MIT */
/*
 * claims.c - two threads take from and give to a pool of two batches, each with a cache of its own
 * that has claimed another batch. When a thread's own batch is empty it takes from the other's
 * before the pool grows. No claim is left behind.
 *
 * NEW: there is a third batch, which it claims while the other gives up its claim.
 */
#define OBJECTS_IN_BATCH 6
#include "slots.h"

#ifdef NEW
enum { BATCHES = 3 };
#else
enum { BATCHES = 2 };
#endif

static objects_cache *cache[2];

static struct object *take_from(objects_cache *from)
{
    return own(objects_cache_alloc(from));
}

static void give_to(objects_cache *to, struct object *it)
{
    disown(it);
    objects_cache_free(to, it);
}

/* Two at a time are one too many for a cache. */
static void take_and_give(objects_cache *mine)
{
    struct object *one = take_from(mine), *two = take_from(mine);
    give_to(mine, one);
    give_to(mine, two);
}

static void *first(void *argument)
{
    take_and_give(cache[0]);
    objects_cache_release(cache[0]);
    return argument;
}

static void *second(void *argument)
{
    take_and_give(cache[1]);
    return argument;
}

static const vf_batch *batch_of(const struct object *it)
{
    uintptr_t base;
    return vf_addresses_find(&whole()->depot.batches, (uintptr_t)it, &base);
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 1});
    cache[0] = objects_cache_new(pool);
    cache[1] = objects_cache_new(pool);
    bool reserved = objects_reserve(pool, (size_t)BATCHES * OBJECTS_IN_BATCH);
    assert(reserved);
    struct object *one = take_from(cache[0]), *two = take_from(cache[1]);
    assert(batch_of(one) != batch_of(two));
    for (int i = 1; i < OBJECTS_IN_BATCH; i++) {
        struct object *more = take_from(cache[1]);
        assert(batch_of(more) == batch_of(two));
    }
    run_beside(first, second);
    assert(whole()->depot.batches.held == BATCHES);
    vf_word claimed = batch_of(one)->group->claimed;
    assert(claimed == 6 || (BATCHES == 2 && (claimed == 2 || claimed == 3)));
    objects_cache_release(cache[1]);
    assert(batch_of(one)->group->claimed == 0);
    check_nothing_lost();
}
