/* SPDX-License-Identifier: MIT */
/*
 * cap.c - a capped pool at its cap, with spans that have yet to grow. One thread takes, gives and
 * takes again, the other takes: at each moment there is a slot for who asks, so a refusal would be
 * wrong, and so would a third object. In the end both are live, and the next alloc is refused.
 */
#define OBJECTS_IN_BATCH 1
#include "objects.h"

static struct object *kept[2];

static void *again(void *argument)
{
    give(take());
    kept[0] = take();
    return argument;
}

static void *once(void *argument)
{
    kept[1] = take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.max_objects = 2});
    run(again, once);
    assert(objects_alloc(pool) == NULL);
    give(kept[0]);
    give(kept[1]);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.peak == 2 && stats.capacity == 2);
    objects_release(pool);
    assert(explore_blocks() == 0);
}
