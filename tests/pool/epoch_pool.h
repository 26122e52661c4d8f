/* SPDX-License-Identifier: MIT */
/*
 * epoch_pool.h - what the tests of deferred frees share: pools of all kinds, drops that are
 * counted, and ways to wait for what liburcu's thread does.
 *
 * A test holds a grace period up by being in a read section, and ends it with the barrier.
 */
#ifndef TESTS_EPOCH_POOL_H
#define TESTS_EPOCH_POOL_H

#include <pthread.h>
#include <sched.h>

#include <urcu/urcu-memb.h>

#include "readers.h"
#include "test_common.h"
#include "threads.h"

/* liburcu's barrier, in which it writes what its thread frees. */
static inline void readers_barrier(void)
{
#ifdef READERS_SEEN
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
    urcu_memb_flavor.barrier();
#ifdef READERS_SEEN
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#endif
}

/* Drops are counted, and seen by the test only after a barrier or by waiting for their number. */
static size_t drops;
static _Thread_local size_t drops_here; /* by this thread */

static inline void drop(long *number)
{
    readers_have_left();
    *number = -1;
    drops_here++;
    (void)__atomic_fetch_add(&drops, 1, __ATOMIC_SEQ_CST);
}

#define VF_T       long
#define VF_N       100
#define VF_NAME    numbers
#define VF_DROP(p) drop(p)
#define VF_EPOCH
#include <veryfast/pool.h>

enum { IN_A_DEFERRAL = 60, MOST = 1000 };

/* Kinds of pools. */
static const struct {
    size_t cache_objects, max_objects;
} kinds[] = {{0, 0}, {7, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static test_allocator allocator;
static numbers *pool;
static long *objects[MOST];

static inline void begin(int kind, size_t max_deferred)
{
    urcu_memb_register_thread();
    atomic_store(&allocator.fail_at, 0);
    drops = 0;
    drops_here = 0;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = kinds[kind].cache_objects,
                               .max_objects = kinds[kind].max_objects,
                               .max_deferred = max_deferred};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

static inline void end(void)
{
    urcu_memb_unregister_thread();
}

static inline void end_reading(void)
{
    readers_leave();
    urcu_memb_read_unlock();
}

static inline size_t dropped(void)
{
    return __atomic_load_n(&drops, __ATOMIC_SEQ_CST);
}

static inline void wait_for_drops(size_t n)
{
    while (dropped() < n)
        sched_yield();
}

static inline void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        objects[i] = numbers_push(pool, (long)i);
        cr_assert(objects[i] != NULL);
    }
}

static inline void defer(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        cr_assert(numbers_free_deferred(pool, objects[i]));
}

static inline size_t deferred(void)
{
    return numbers_stats(pool).deferred;
}

static inline void wait_until_back(void)
{
    while (atomic_load(&allocator.bytes) != 0)
        sched_yield();
}

#endif
