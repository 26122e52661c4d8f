/* SPDX-License-Identifier: MIT */
/*
 * depot_pool.h - a pool whose depot a test calls itself: of 100 slots a batch, or of one.
 */
#ifndef TESTS_DEPOT_POOL_H
#define TESTS_DEPOT_POOL_H

#include "support/threads.h"
#include "test_common.h"

#include "pool/pool.h"

#define VF_T short
#define VF_N 100
#include <veryfast/pool.h>

#define VF_T short
#define VF_N 1
#include <veryfast/pool.h>

static test_allocator allocator;
static pool_short_100 *owner;
static pool_short_1 *single; /* a slot a batch */
static vf_depot *depot;      /* of the one that was set up */

static inline vf_pool_options options_now(void)
{
    allocator = (test_allocator){0};
    return (vf_pool_options){.allocator = test_allocator_hook(&allocator)};
}

static inline void setup(void)
{
    vf_pool_options options = options_now();
    owner = pool_short_100_new(&options);
    cr_assert(owner != NULL);
    depot = &vf_pool_whole((vf_pool_core *)owner)->depot;
}

/* Slots that were taken here are in no cache and nobody's: they do not count. */
static inline void teardown(void)
{
    pool_short_100_release(owner);
    check_all_back(&allocator);
}

static inline void setup_single(void)
{
    vf_pool_options options = options_now();
    single = pool_short_1_new(&options);
    cr_assert(single != NULL);
    depot = &vf_pool_whole((vf_pool_core *)single)->depot;
}

static inline void teardown_single(void)
{
    pool_short_1_release(single);
    check_all_back(&allocator);
}

static inline vf_batch *batch_of(const void *slot)
{
    uintptr_t base;
    return vf_addresses_find(&depot->batches, (uintptr_t)slot, &base);
}

/* Can the slot be found among those of batches that are listed? */
static inline bool is_listed(size_t number)
{
    const vf_group *group = vf_batch_at(&depot->batches, number)->group;
    size_t place = number % VF_WORD_BITS;
    for (; group != NULL; place = group->in_parent, group = group->parent) {
        if ((group->listed >> place & 1) == 0)
            return false;
    }
    return true;
}

#endif
