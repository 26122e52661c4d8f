/* SPDX-License-Identifier: MIT */
/*
 * test_between.c - what other threads do between two steps of a call: here the same thread does it,
 * in the middle of a function that the call needs there. And a call behind the library's end.
 */
#include "test_common.h"

#include "pool/pool.h"

#define VF_T long
#define VF_N 100
#include <veryfast/pool.h>

static test_allocator allocator;
static pool_long_100 *pool;
static vf_depot *depot;
static void (*meanwhile)(void);

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = VF_CACHE_NONE};
    pool = pool_long_100_new(&options);
    cr_assert(pool != NULL);
    depot = &vf_pool_whole((vf_pool_core *)pool)->depot;
}

static void run_meanwhile(void)
{
    void (*now)(void) = meanwhile;
    meanwhile = NULL;
    now();
}

void __real_vf_mutex_lock(vf_mutex *mutex);
void __wrap_vf_mutex_lock(vf_mutex *mutex);
void __wrap_vf_mutex_lock(vf_mutex *mutex)
{
    if (meanwhile != NULL && mutex == depot->batches.growth)
        run_meanwhile();
    __real_vf_mutex_lock(mutex);
}

vf_word __real_vf_generations_retired(const vf_handles *handles, size_t number, size_t w);
vf_word __wrap_vf_generations_retired(const vf_handles *handles, size_t number, size_t w);
vf_word __wrap_vf_generations_retired(const vf_handles *handles, size_t number, size_t w)
{
    if (meanwhile != NULL && w == 1 && vf_batch_at(&depot->batches, 0)->free[0] == 0)
        run_meanwhile();
    return __real_vf_generations_retired(handles, number, w);
}

/* ---- two that grow ---- */

static void *slots[2];

static void refill_the_other(void)
{
    vf_home other = {0};
    check_equal(vf_depot_refill(depot, &other, &slots[1], 1), 1);
    vf_home_leave(&depot->batches, &other);
}

/* Both have found nothing: the second takes from what the first has made. */
Test(between, of_two_that_find_nothing_one_grows, .init = setup)
{
    vf_home home = {0};
    meanwhile = refill_the_other;
    check_equal(vf_depot_refill(depot, &home, &slots[0], 1), 1);
    cr_assert(meanwhile == NULL && slots[0] != slots[1]);
    check_equal(depot->batches.count, 1);
    vf_home_leave(&depot->batches, &home);
    vf_depot_put(depot, slots, 2);
    pool_long_100_destroy(pool);
    check_all_back(&allocator);
}

/* ---- one that trims ---- */

static long *taken;

static void take_one(void)
{
    taken = pool_long_100_alloc(pool);
}

/* Its first word is the trim's already, and goes back. */
Test(between, a_batch_that_is_taken_from_stays_as_it_was, .init = setup)
{
    cr_assert(pool_long_100_reserve(pool, 100));
    meanwhile = take_one;
    check_equal(pool_long_100_trim(pool), 0);
    cr_assert(meanwhile == NULL && taken != NULL);
    allocator.refuse = true;
    for (size_t i = 1; i < 100; i++)
        cr_assert(pool_long_100_alloc(pool) != NULL);
    cr_assert(pool_long_100_alloc(pool) == NULL);
    pool_long_100_destroy(pool);
    check_all_back(&allocator);
}

/* ---- the end ---- */

/* Behind the end of the library, whose destructor has no number. */
__attribute__((destructor(101))) static void flush_behind_the_end(void)
{
    vf_thread_flush();
}

Test(between, a_thread_with_a_cache_comes_to_the_end)
{
    pool_long_100 *cached = pool_long_100_new(NULL);
    cr_assert(cached != NULL);
    pool_long_100_free(cached, pool_long_100_alloc(cached));
    pool_long_100_destroy(cached);
}
