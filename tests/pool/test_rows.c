/* SPDX-License-Identifier: MIT */
/*
 * test_rows.c - more pools at a time than there are columns, and columns that pools and threads
 * hand on: each pool works, and none finds what another left.
 */
#include "test_common.h"

#include "support/threads.h"

#define VF_T    unsigned
#define VF_N    8
#define VF_NAME numbers
#include <veryfast/pool.h>

/* So many pools at a time have caches for threads, and there are some more. */
enum { CACHED = (sizeof(void *) == 8 ? 16384 : 4096) - 1, POOLS = CACHED + 10, STEP = 512 };

static numbers *pools[POOLS];

static void make_all(void)
{
    for (size_t i = 0; i < POOLS; i++)
        cr_assert((pools[i] = numbers_new(NULL)) != NULL);
}

static void release_all(void)
{
    for (size_t i = 0; i < POOLS; i++)
        numbers_release(pools[i]);
}

/* Of a pool without objects: does the thread get a cache? */
static bool has_cache(numbers *pool)
{
    CHECK(numbers_stats(pool).live == 0);
    unsigned *one = numbers_alloc(pool), *two = numbers_alloc(pool);
    CHECK(one != NULL && two != NULL && one != two);
    CHECK(numbers_stats(pool).live == 2);
    numbers_free(pool, one);
    numbers_free(pool, two);
    CHECK(numbers_stats(pool).live == 0);
    return numbers_stats(pool).cached > 0;
}

static void *use_some(void *context)
{
    for (size_t i = 0; i < POOLS; i += STEP)
        CHECK(has_cache(pools[i]) == (i < CACHED));
    CHECK(!has_cache(pools[POOLS - 1]));
    return context;
}

static void use_in_another_thread(void)
{
    void *context = NULL;
    test_run_threads(1, use_some, &context);
}

Test(rows, pools_without_a_column_work)
{
    make_all();
    use_some(NULL);
    numbers *last = pools[POOLS - 1];
    unsigned *taken[100];
    cr_assert(numbers_reserve(last, 100));
    check_equal(numbers_alloc_n(last, taken, 100), 100);
    numbers_free_n(last, taken, 100);
    numbers_cache *held = numbers_cache_new(last);
    unsigned *object = numbers_cache_alloc(held);
    cr_assert(object != NULL);
    numbers_cache_free(held, object);
    check_equal(numbers_stats(last).live, 0);
    numbers_cache_release(held);
    cr_assert(numbers_trim(last) > 0);
    release_all();
}

Test(rows, a_column_goes_to_the_next_pool)
{
    make_all();
    use_some(NULL);
    numbers_release(pools[0]);
    numbers_destroy(pools[STEP]);
    pools[0] = numbers_new(NULL);
    pools[STEP] = numbers_new(NULL);
    use_some(NULL);
    use_in_another_thread();
    release_all();
}

Test(rows, a_column_stays_until_the_last_object_is_free)
{
    numbers *pool = numbers_new(NULL);
    unsigned *object = numbers_alloc(pool);
    numbers_release(pool);
    numbers *other = numbers_new(NULL);
    cr_assert(has_cache(other));
    numbers_free(pool, object); /* the pool ends */
    pool = numbers_new(NULL);
    cr_assert(has_cache(pool) && has_cache(other));
    numbers_release(pool);
    numbers_release(other);
}

Test(rows, a_row_goes_to_the_next_thread)
{
    make_all();
    use_in_another_thread();
    use_in_another_thread();
    release_all();
    make_all();
    use_in_another_thread();
    use_some(NULL);
    release_all();
}
