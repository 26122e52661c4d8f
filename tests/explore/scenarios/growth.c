/*
 * growth.c - batches of one object, so that each alloc carves, and grows the pool: two threads do
 * at once, and one of them reserves first. A slot carved twice has two owners; a batch that is
 * appended because another's growth was not seen is one too many. The bytes add up in the end.
 */
#define OBJECTS_IN_BATCH 1
#include "objects.h"

static void *taker(void *argument)
{
    take();
    take();
    return argument;
}

static void *reserver(void *argument)
{
    bool reserved = objects_reserve(pool, 1);
    assert(reserved);
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(NULL);
    run_beside(taker, reserver);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.bytes == explore_bytes());
    assert(stats.live == 3 && stats.capacity - stats.fresh == 3 && stats.fresh <= 1);
}
