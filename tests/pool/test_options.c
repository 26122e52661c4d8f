/* SPDX-License-Identifier: MIT */
/*
 * test_options.c - how a pool is to be: its allocator, its caches, what is refused.
 *
 * max_objects has a file of its own, test_cap.c.
 */
#include "test_common.h"

#define VF_T long
#define VF_N 100
#include <veryfast/pool.h>

#define MOST 20000

static long *objects[MOST];

/* Allocates and frees n objects through all kinds of calls; all are free afterwards. */
static void work(pool_long_100 *pool, size_t n)
{
    for (size_t i = 0; i < n; i++)
        objects[i] = pool_long_100_push(pool, (long)i);
    for (size_t i = 0; i < n; i++)
        pool_long_100_free(pool, objects[i]);
    check_equal(pool_long_100_alloc_n(pool, objects, n), n);
    pool_long_100_free_n(pool, objects, n);
}

Test(options, none_are_the_defaults)
{
    pool_long_100 *pool = pool_long_100_new(NULL);
    vf_pool_options zero = {0};
    pool_long_100 *same = pool_long_100_new(&zero);
    cr_assert(pool != NULL && same != NULL);
    work(pool, 5000);
    work(same, 5000);
    vf_pool_stats stats = pool_long_100_stats(pool);
    vf_pool_stats same_stats = pool_long_100_stats(same);
    cr_assert(memcmp(&stats, &same_stats, sizeof stats) == 0);
    cr_assert(stats.cached > 0 && stats.cached <= 8192);
    pool_long_100_release(pool);
    pool_long_100_release(same);
}

/* The allocator hook. support/allocator.c stops the test at a wrong size or alignment. */

Test(options_allocator, gets_every_byte_back)
{
    static const size_t cache_objects[] = {0, 1, 100, 5000, VF_CACHE_NONE};
    for (size_t i = 0; i < sizeof cache_objects / sizeof *cache_objects; i++) {
        test_allocator allocator = {0};
        vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                                   .cache_objects = cache_objects[i]};
        pool_long_100 *pool = pool_long_100_new(&options);
        size_t at_first = pool_long_100_stats(pool).bytes;
        check_equal(allocator.bytes, at_first);
        cr_assert(at_first > 0);
        work(pool, 10000);
        pool_long_100_cache *cache = pool_long_100_cache_new(pool);
        pool_long_100_cache_free(cache, pool_long_100_cache_alloc(cache));
        pool_long_100_cache_release(cache);
        check_equal(allocator.bytes, pool_long_100_stats(pool).bytes);
        pool_long_100_release(pool);
        check_all_back(&allocator);
    }
}

Test(options_allocator, is_each_pools_own)
{
    test_allocator first = {0};
    test_allocator second = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&first)};
    pool_long_100 *one = pool_long_100_new(&options);
    options.allocator = test_allocator_hook(&second); /* options are copied */
    pool_long_100 *two = pool_long_100_new(&options);
    work(one, 1000);
    check_equal(first.bytes, pool_long_100_stats(one).bytes);
    check_equal(second.bytes, pool_long_100_stats(two).bytes);
    cr_assert(first.bytes > second.bytes);
    pool_long_100_release(one);
    check_all_back(&first);
    pool_long_100_release(two);
    check_all_back(&second);
}

Test(options_allocator, that_is_half_set_is_refused)
{
    test_allocator allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    options.allocator.dealloc = NULL;
    check_refused(EINVAL, pool_long_100_new(&options) == NULL);
    options.allocator = test_allocator_hook(&allocator);
    options.allocator.alloc = NULL;
    check_refused(EINVAL, pool_long_100_new(&options) == NULL);
    check_equal(allocator.calls, 0);
}

Test(options_allocator, is_not_asked_once_there_is_enough)
{
    test_allocator allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool_long_100 *pool = pool_long_100_new(&options);
    for (int i = 0; i < 20; i++) /* until the cache has grown to its size */
        work(pool, 3000);
    size_t calls = allocator.calls;
    for (int i = 0; i < 20; i++)
        work(pool, 3000);
    check_equal(allocator.calls, calls);
    pool_long_100_release(pool);
}

Test(options, more_than_a_pool_can_hold_is_refused)
{
    vf_pool_options options = {.max_objects = ((size_t)1 << 30) + 1};
    check_refused(EINVAL, pool_long_100_new(&options) == NULL);
    options.max_objects = SIZE_MAX;
    check_refused(EINVAL, pool_long_100_new(&options) == NULL);
    options.max_objects = (size_t)1 << 30;
    pool_long_100 *pool = pool_long_100_new(&options);
    cr_assert(pool != NULL);
    pool_long_100_release(pool);
}

Test(options, a_batch_of_more_bytes_than_can_be_counted_is_refused)
{
    /* by way of the core, because compilers do not like to pass such objects by value */
    vf_pool_type type = {&vf_interface_1, "vast", SIZE_MAX / 8, 1, (size_t)1 << 24, NULL, false};
    check_refused(EINVAL, vf_pool_core_new(&type, NULL, 0) == NULL);
    type.batch_objects = ((size_t)1 << 30) + 1;
    type.object_size = 1;
    check_refused(EINVAL, vf_pool_core_new(&type, NULL, 0) == NULL);
    type.object_size = SIZE_MAX;
    type.batch_objects = 1;
    check_refused(EINVAL, vf_pool_core_new(&type, NULL, 0) == NULL);
}

/* cache_objects. */

static void check_cache(pool_long_100 *pool, size_t least, size_t most)
{
    size_t cached = pool_long_100_stats(pool).cached;
    cr_assert(cached <= most, "%zu objects are cached, and %zu may be", cached, most);
    cr_assert(cached >= least, "%zu objects are cached, and %zu could be", cached, least);
}

Test(options_cache, keeps_no_more_objects_than_allowed)
{
    static const size_t limits[] = {1, 2, 10, 63, 64, 65, 127, 128, 129, 200, 1000, 10000};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        vf_pool_options options = {.cache_objects = limits[i]};
        pool_long_100 *pool = pool_long_100_new(&options);
        for (int turn = 0; turn < 20; turn++) {
            for (size_t n = 0; n < MOST; n++) {
                objects[n] = pool_long_100_alloc(pool);
                if (n % 1000 == 0)
                    check_cache(pool, 0, limits[i]);
            }
            for (size_t n = 0; n < MOST; n++) {
                pool_long_100_free(pool, objects[n]);
                if (n % 1000 == 0)
                    check_cache(pool, 1, limits[i]);
            }
        }
        check_cache(pool, limits[i] / 3, limits[i]);
        pool_long_100_release(pool);
    }
}

Test(options_cache, keeps_nothing_if_none_is_allowed)
{
    vf_pool_options options = {.cache_objects = VF_CACHE_NONE};
    pool_long_100 *pool = pool_long_100_new(&options);
    for (size_t i = 0; i < 1000; i++) {
        objects[i] = pool_long_100_alloc(pool);
        check_cache(pool, 0, 0);
    }
    for (size_t i = 0; i < 1000; i++) {
        pool_long_100_free(pool, objects[i]);
        check_cache(pool, 0, 0);
    }
    work(pool, 5000);
    check_cache(pool, 0, 0);
    vf_pool_stats stats = pool_long_100_stats(pool);
    check_equal(stats.depot + stats.fresh, stats.capacity);
    pool_long_100_release(pool);
}

Test(options_cache, is_bounded_by_bytes_where_the_library_chooses)
{
    vf_pool_options options = {.cache_objects = 0};
    pool_long_100 *pool = pool_long_100_new(&options);
    for (int turn = 0; turn < 20; turn++)
        work(pool, MOST);
    check_cache(pool, 2000, 8192);
    pool_long_100_release(pool);
}
