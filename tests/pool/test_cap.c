/* SPDX-License-Identifier: MIT */
/*
 * test_cap.c - max_objects: so many objects may live, neither one fewer nor one more.
 */
#include "support/threads.h"
#include "test_common.h"

typedef struct five_bytes {
    unsigned char bytes[5];
} five_bytes;

typedef struct large {
    unsigned char bytes[1000];
} large;

/* One test for each type and batch, over all caps. */
#define TYPE char
#define N    1
#define NAME chars_by_1
#include "test_cap_type.h"

#define TYPE five_bytes
#define N    4
#define NAME five_bytes_by_4
#include "test_cap_type.h"

#define TYPE long
#define N    64
#define NAME longs_by_64
#include "test_cap_type.h"

#define TYPE large
#define N    10
#define NAME large_by_10
#include "test_cap_type.h"

#define TYPE five_bytes
#define N    1000000
#define NAME five_bytes_by_a_million
#include "test_cap_type.h"

#define VF_T int
#define VF_N 10
#include <veryfast/pool.h>

static test_allocator allocator;

static pool_int_10 *capped(size_t max_objects)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .max_objects = max_objects};
    pool_int_10 *pool = pool_int_10_new(&options);
    cr_assert(pool != NULL);
    return pool;
}

Test(cap, is_not_memory_taken_ahead)
{
    pool_int_10 *pool = capped((size_t)1 << 30);
    check_equal(pool_int_10_stats(pool).capacity, 0);
    int *object = pool_int_10_push(pool, 1);
    cr_assert(object != NULL);
    cr_assert(allocator.peak < 3600 + 100 * VF_CACHE_LINE, "%zu bytes for one object",
              allocator.peak);
    pool_int_10_free(pool, object);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}

Test(cap, need_not_be_a_multiple_of_the_batch)
{
    pool_int_10 *pool = capped(23);
    int *objects[24];
    check_refused(ENOMEM, pool_int_10_alloc_n(pool, objects, 24) == 23);
    vf_pool_stats stats = pool_int_10_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.capacity, 23);
    check_equal(stats.live, 23);
    check_equal(stats.peak, 23);
    pool_int_10_free_n(pool, objects, 23);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}

Test(cap, counts_batches_as_whole_ones)
{
    for (size_t batches = 1; batches < 5; batches++) {
        pool_int_10 *pool = capped(10 * batches);
        cr_assert(pool_int_10_reserve(pool, 10 * batches));
        vf_pool_stats stats = pool_int_10_stats(pool);
        check_equal(stats.batches, batches);
        check_equal(stats.capacity, 10 * batches);
        pool_int_10_release(pool);
        check_all_back(&allocator);
    }
    pool_int_10 *pool = capped(11); /* part of a batch counts as one */
    cr_assert(pool_int_10_reserve(pool, 11));
    check_equal(pool_int_10_stats(pool).batches, 2);
    pool_int_10_release(pool);
}

Test(cap, bounds_what_can_be_reserved)
{
    pool_int_10 *pool = capped(100);
    check_refused(ENOMEM, !pool_int_10_reserve(pool, 101));
    check_refused(ENOMEM, !pool_int_10_reserve(pool, SIZE_MAX));
    check_equal(pool_int_10_stats(pool).capacity, 0);
    int *kept[40];
    int *objects[70];
    check_equal(pool_int_10_alloc_n(pool, kept, 40), 40);
    check_refused(ENOMEM, !pool_int_10_reserve(pool, 61));
    pool_int_10_free_n(pool, kept + 30, 10);
    check_refused(ENOMEM, !pool_int_10_reserve(pool, 71));
    cr_assert(pool_int_10_reserve(pool, 70));
    check_equal(pool_int_10_stats(pool).live, 30);
    allocator.refuse = true; /* what is reserved is there */
    check_equal(pool_int_10_alloc_n(pool, objects, 70), 70);
    pool_int_10_free_n(pool, objects, 70);
    check_equal(pool_int_10_stats(pool).live, 30);
    check_refused(ENOMEM, !pool_int_10_reserve(pool, 71));
    pool_int_10_free_n(pool, kept, 30);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}

#if SIZE_MAX > UINT32_MAX
typedef struct vast {
    unsigned char bytes[(size_t)1 << 40];
} vast;
#    define VF_T    vast
#    define VF_N    1
#    define VF_NAME vasts
#    include <veryfast/pool.h>

/* More bytes than can be counted. */
Test(cap, of_objects_so_large_that_all_are_too_many)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .max_objects = (size_t)1 << 30};
    vasts *pool = vasts_new(&options);
    cr_assert(pool != NULL);
    size_t calls = atomic_load(&allocator.calls);
    check_refused(ENOMEM, !vasts_reserve(pool, (size_t)1 << 30));
    check_equal(atomic_load(&allocator.calls), calls);
    check_equal(vasts_stats(pool).capacity, 0);
    vasts_release(pool);
    check_all_back(&allocator);
}
#endif

Test(cap, counts_live_objects_whoever_frees_them)
{
    pool_int_10 *pool = capped(3);
    pool_int_10_cache *one = pool_int_10_cache_new(pool);
    pool_int_10_cache *two = pool_int_10_cache_new(pool);
    for (int i = 0; i < 1000; i++) {
        int *a = pool_int_10_cache_alloc(one);
        int *b = pool_int_10_cache_alloc(two);
        int *c = pool_int_10_alloc(pool);
        cr_assert(a != NULL && b != NULL && c != NULL);
        check_refused(ENOMEM, pool_int_10_alloc(pool) == NULL);
        check_refused(ENOMEM, pool_int_10_cache_alloc(one) == NULL);
        check_refused(ENOMEM, pool_int_10_cache_alloc(two) == NULL);
        check_refused(ENOMEM, pool_int_10_push(pool, 1) == NULL);
        pool_int_10_cache_free(two, a);
        check_equal(pool_int_10_stats(pool).live, 2);
        check_equal(pool_int_10_stats(pool).cached, 0); /* caches keep nothing here */
        a = pool_int_10_alloc(pool);
        cr_assert(a != NULL);
        pool_int_10_free(pool, a);
        pool_int_10_free(pool, b);
        pool_int_10_take(pool, c);
    }
    vf_pool_stats stats = pool_int_10_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, 0);
    check_equal(stats.peak, 3);
    pool_int_10_cache_release(one);
    pool_int_10_cache_release(two);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}

Test(cap, takes_smaller_steps_where_memory_is_short)
{
    pool_int_10 *pool = capped(1000);
    cr_assert(pool_int_10_reserve(pool, 320));
    allocator.fail_at = allocator.calls + 1; /* as many again, says the pool; no, the allocator */
    int *objects[1000];
    check_equal(pool_int_10_alloc_n(pool, objects, 330), 330);
    check_equal(pool_int_10_stats(pool).capacity, 330);
    check_equal(pool_int_10_alloc_n(pool, objects + 330, 670), 670);
    pool_int_10_free_n(pool, objects, 1000);
    check_equal(pool_int_10_stats(pool).live, 0);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}

Test(cap, holds_over_random_use)
{
    enum { CAP = 77 };
    pool_int_10 *pool = capped(CAP);
    int *objects[CAP];
    uint64_t random = 1;
    size_t live = 0;
    for (int i = 0; i < 100000; i++) {
        size_t at = live > 0 ? test_random_below(&random, live) : 0;
        if (test_random(&random) % 2 == 0) {
            int *object = pool_int_10_push(pool, i);
            cr_assert((object != NULL) == (live < CAP));
            if (object != NULL)
                objects[live++] = object;
        } else if (live > 0) {
            pool_int_10_free(pool, objects[at]);
            objects[at] = objects[--live];
        }
        if (i % 100 == 0)
            check_equal(pool_int_10_stats(pool).live, live);
    }
    pool_int_10_free_n(pool, objects, live);
    pool_int_10_release(pool);
    check_all_back(&allocator);
}
