/* SPDX-License-Identifier: MIT */
/*
 * slots.h - what the scenarios of depot and batches share, beside objects.h: they look into the
 * pool, and see to it that no free slot is lost. A free slot is lost if its bit is set but the
 * search for free slots does not come upon it. (An alloc would find it in the end, since it looks
 * at all records before it is refused; so the search is asked by itself.)
 */
#include "pool/attach.h"

#include "objects.h"

static inline vf_pool *whole(void)
{
    return vf_pool_whole((vf_pool_core *)pool);
}

static inline size_t free_bits(void)
{
    size_t n = 0;
    for (size_t number = 0; number < whole()->depot.batches.count; number++) {
        const vf_batch *batch = vf_batch_at(&whole()->depot.batches, number);
        for (size_t w = 0; w < whole()->depot.batches.shape.words; w++) {
            n += (size_t)__builtin_popcountll(batch->free[w]);
        }
    }
    return n;
}

/* What the depot has is counted, and can be taken without growing. No other thread. */
static inline void check_nothing_lost(void)
{
    vf_home home = {0};
    void *slot;
    size_t left = free_bits();
    assert(whole()->depot.taken + left == whole()->depot.batches.held * OBJECTS_IN_BATCH);
    for (; left > 0; left--) {
        size_t n = vf_depot_get(&whole()->depot, &home, &slot, 1);
        assert(n == 1);
        own(slot);
    }
    size_t n = vf_depot_get(&whole()->depot, &home, &slot, 1);
    assert(n == 0);
    vf_home_leave(&whole()->depot.batches, &home);
}
