/* SPDX-License-Identifier: MIT */
/*
 * test_limits.c - sizes and numbers of a pool at the edge of what can be counted: nothing large is
 * ever given the little memory that is left of it where a product or a sum comes round.
 */
#include "test_common.h"

#define VF_T int
#define VF_N 100
#include <veryfast/pool.h>

#define POOL_MOST ((size_t)1 << 30)
#define BLOCK     ((size_t)1 << 16)
#define POWERS    (3 * (sizeof(size_t) * 8))

static test_allocator allocator;
static int *objects[1000];

/* Has only small blocks. */
static void *small_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    return size <= BLOCK && alignment <= 4096 ? real.alloc(real.context, size, alignment) : NULL;
}

static vf_pool_options small_blocks(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    options.allocator.alloc = small_alloc;
    return options;
}

/* 2^k - 1, 2^k and 2^k + 1 for each k. */
static size_t near_power(size_t i)
{
    return ((size_t)1 << i / 3) + i % 3 - 1;
}

#ifndef VF_CHECKED /* it does not let one name have several sizes */
/* Can these be had by one who has so much memory? */
static bool batch_fits(const vf_pool_type *type, size_t memory)
{
    size_t padding = (0 - type->object_size) & (type->alignment - 1);
    return type->object_size <= memory && padding <= memory - type->object_size &&
           type->batch_objects <= memory / (type->object_size + padding);
}

static void check_batch(const vf_pool_type *type)
{
    vf_pool_options options = small_blocks();
    errno = 0;
    pool_int_100 *pool = (pool_int_100 *)vf_pool_core_new(type, &options, sizeof options);
    if (pool == NULL) {
        cr_assert(errno == EINVAL);
        cr_assert(type->batch_objects > POOL_MOST || !batch_fits(type, SIZE_MAX / 8),
                  "%zu objects of %zu bytes are refused", type->batch_objects, type->object_size);
        return;
    }
    int *object = pool_int_100_alloc(pool);
    cr_assert(object == NULL || batch_fits(type, BLOCK), "%zu objects of %zu bytes in one block",
              type->batch_objects, type->object_size);
    cr_assert(object != NULL || type->alignment > 4096 || !batch_fits(type, BLOCK / 128));
    pool_int_100_free(pool, object);
    pool_int_100_release(pool);
    check_all_back(&allocator);
}

/* By way of the core, because compilers have limits of their own. */
Test(limits, a_batch_is_as_large_as_its_objects_or_refused)
{
    static const size_t numbers[] = {
        1, 2, 3, 100, 65535, 65536, 65537, POOL_MOST - 1, POOL_MOST, POOL_MOST + 1, SIZE_MAX};
    static const size_t alignments[] = {1, 64, SIZE_MAX / 8 + 1, SIZE_MAX / 4 + 1,
                                        SIZE_MAX / 2 + 1};
    for (size_t i = 1; i <= POWERS; i++) {
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
            for (size_t k = 0; k < sizeof alignments / sizeof *alignments; k++)
                check_batch(&(vf_pool_type){&vf_interface_1, "vast",
                                            i < POWERS ? near_power(i) : SIZE_MAX, alignments[k],
                                            numbers[j], NULL, false});
        }
    }
}

/* The same of a capped pool's span, at its growth and where it is reserved whole. */
Test(limits, a_span_is_as_large_as_its_objects_or_refused)
{
    for (size_t i = 1; i < POWERS; i++) {
        for (size_t j = 1; j <= 3 * 30; j++) {
            vf_pool_type type = {&vf_interface_1, "vast", near_power(i), 1, 1, NULL, false};
            vf_pool_options options = small_blocks();
            options.max_objects = near_power(j);
            pool_int_100 *pool = (pool_int_100 *)vf_pool_core_new(&type, &options, sizeof options);
            if (pool == NULL)
                continue; /* as above */
            type.batch_objects = near_power(j);
            if (pool_int_100_reserve(pool, near_power(j)))
                cr_assert(batch_fits(&type, BLOCK), "%zu objects of %zu bytes in one block",
                          type.batch_objects, type.object_size);
            else
                cr_assert(!batch_fits(&type, BLOCK / 128));
            pool_int_100_release(pool);
            check_all_back(&allocator);
        }
    }
}
#endif

static pool_int_100 *used_pool(size_t max_objects)
{
    vf_pool_options options = small_blocks();
    options.max_objects = max_objects;
    pool_int_100 *pool = pool_int_100_new(&options);
    cr_assert(pool != NULL);
    check_equal(pool_int_100_alloc_n(pool, objects, 90), 90);
    pool_int_100_free_n(pool, objects, 45);
    return pool;
}

static void end_pool(pool_int_100 *pool)
{
    pool_int_100_free_n(pool, objects + 45, 45);
    pool_int_100_release(pool);
    check_all_back(&allocator);
}

Test(limits, a_reservation_of_too_many_changes_nothing)
{
    static const size_t caps[] = {0, 100, 12345, POOL_MOST};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        pool_int_100 *pool = used_pool(caps[i]);
        vf_pool_stats before = pool_int_100_stats(pool);
        for (size_t j = 3 * 30 + 2; j < POWERS + 200; j++) {
            size_t n = j < POWERS ? near_power(j) : SIZE_MAX - (j - POWERS);
            check_refused(ENOMEM, !pool_int_100_reserve(pool, n));
            vf_pool_stats after = pool_int_100_stats(pool);
            cr_assert(memcmp(&before, &after, sizeof after) == 0, "%zu", n);
        }
        end_pool(pool);
    }
}

/* The last batch that a pool may have is asked for, the next one is not. */
Test(limits, a_pool_of_most_objects_may_be_asked_for)
{
    pool_int_100 *pool = used_pool(0);
    size_t most = POOL_MOST / 100 * 100 - 45;
    cr_assert(pool_int_100_reserve(pool, 1)); /* what else a reservation needs is there */
    allocator.refuse = true;
    size_t calls = allocator.calls;
    check_refused(ENOMEM, !pool_int_100_reserve(pool, most + 1));
    check_equal(allocator.calls, calls);
    check_refused(ENOMEM, !pool_int_100_reserve(pool, most));
    check_equal(allocator.calls, calls + 1);
    end_pool(pool);
}

Test(limits, alloc_n_of_too_many_gives_what_there_is)
{
    static const size_t caps[] = {0, 200};
    for (size_t i = 0; i < 2; i++) {
        pool_int_100 *pool = used_pool(caps[i]);
        cr_assert(pool_int_100_reserve(pool, 155));
        allocator.refuse = true;
        int **more = objects + 90;
        size_t given = 0;
        check_refused(ENOMEM, (given = pool_int_100_alloc_n(pool, more, SIZE_MAX)) < 1000);
        check_equal(given, 155);
        check_refused(ENOMEM, pool_int_100_alloc_n(pool, more + given, SIZE_MAX / 2 + 1) == 0);
        pool_int_100_free_n(pool, more, given);
        end_pool(pool);
    }
}

Test(limits, options_may_be_as_large_as_they_like)
{
    static const size_t large[] = {SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX / 8 + 1, POOL_MOST};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        vf_pool_options options = small_blocks();
        options.cache_objects = large[i];
        options.max_deferred = large[i];
        pool_int_100 *pool = pool_int_100_new(&options);
        for (int turn = 0; turn < 20; turn++) {
            check_equal(pool_int_100_alloc_n(pool, objects, 1000), 1000);
            pool_int_100_free_n(pool, objects, 1000);
        }
        vf_pool_stats stats = pool_int_100_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.capacity, 1000);
        pool_int_100_release(pool);
        check_all_back(&allocator);
    }
}
