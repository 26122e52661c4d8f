/* SPDX-License-Identifier: MIT */
/*
 * test_release.c - the end of a pool, from one thread: its memory comes back with the handle or
 * with the last object, whichever is later.
 */
#include <pthread.h>

#include "test_common.h"

#define VF_T double
#define VF_N 40
#include <veryfast/pool.h>

static int drops;

#define VF_T       int
#define VF_N       10
#define VF_DROP(p) (drops += *(p))
#include <veryfast/pool.h>

#define MOST 1000

static double *objects[MOST];
static test_allocator allocator;
static pool_double_40 *pool;
static pool_double_40_cache *cache;

/* Kinds of pools. */
static const struct {
    size_t cache_objects, max_objects;
} kinds[] = {{0, 0}, {7, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const size_t counts[] = {1, 2, 63, 64, 65, 130, MOST};
enum { COUNTS = sizeof counts / sizeof *counts };

static void make_pool(int kind)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = kinds[kind].cache_objects,
                               .max_objects = kinds[kind].max_objects};
    pool = pool_double_40_new(&options);
    cr_assert(pool != NULL);
    cache = NULL;
}

/* Ways to allocate. */

static void by_alloc(size_t n)
{
    for (size_t i = 0; i < n; i++)
        objects[i] = pool_double_40_push(pool, (double)i);
}

static void by_alloc_n(size_t n)
{
    check_equal(pool_double_40_alloc_n(pool, objects, n), n);
    for (size_t i = 0; i < n; i++)
        *objects[i] = (double)i;
}

static void by_cache(size_t n)
{
    pool_double_40_cache *own = pool_double_40_cache_new(pool);
    for (size_t i = 0; i < n; i++) {
        objects[i] = pool_double_40_cache_alloc(own);
        *objects[i] = (double)i;
    }
    pool_double_40_cache_release(own);
}

static void by_all(size_t n)
{
    by_alloc_n(n / 3);
    for (size_t i = n / 3; i < n; i++)
        objects[i] = pool_double_40_alloc(pool);
    vf_thread_flush();
    for (size_t i = 0; i < n; i++)
        *objects[i] = (double)i;
}

static void (*const ways_to_allocate[])(size_t) = {by_alloc, by_alloc_n, by_cache, by_all};
enum { ALLOCATES = sizeof ways_to_allocate / sizeof *ways_to_allocate };

/* Ways to free one object. */

static void by_free(double *object)
{
    pool_double_40_free(pool, object);
}

static void by_take(double *object)
{
    pool_double_40_take(pool, object);
}

static void by_free_n(double *object)
{
    pool_double_40_free_n(pool, (double *[]){NULL, object, NULL}, 3);
}

static void (*const ways_to_free[])(double *) = {by_free, by_take, by_free_n};
enum { FREES = sizeof ways_to_free / sizeof *ways_to_free };

static void check_still_there(size_t n)
{
    cr_assert(allocator.bytes > 0, "the memory went back with %zu objects out", n);
    for (size_t i = 0; i < n; i++)
        cr_assert(*objects[i] == (double)i, "object %zu of %zu has changed", i, n);
}

static void outlive(int kind, int allocate, int way, size_t n)
{
    make_pool(kind);
    ways_to_allocate[allocate](n);
    pool_double_40_release(pool);
    for (; n > 0; n--) {
        if (n < 4 || n % 50 == 0)
            check_still_there(n);
        ways_to_free[way == FREES ? (int)(n % FREES) : way](objects[n - 1]);
    }
    check_all_back(&allocator);
}

Test(release, objects_outlive_the_handle_and_the_last_one_ends_the_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int allocate = 0; allocate < ALLOCATES; allocate++) {
            for (int way = 0; way <= FREES; way++) { /* FREES: all of them in turn */
                for (int i = 0; i < COUNTS; i++)
                    outlive(kind, allocate, way, counts[i]);
            }
        }
    }
}

Test(release, gives_all_back_at_once_if_nothing_is_live)
{
    for (int kind = 0; kind < KINDS; kind++) {
        make_pool(kind);
        pool_double_40_release(pool);
        check_all_back(&allocator);
        for (int i = 0; i < COUNTS; i++) {
            make_pool(kind);
            by_alloc(counts[i]);
            pool_double_40_free_n(pool, objects, counts[i]);
            cr_assert(allocator.bytes > 0);
            pool_double_40_release(pool);
            check_all_back(&allocator);
        }
    }
}

Test(release, a_bulk_free_of_the_last_objects_ends_the_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < COUNTS; i++) {
            size_t n = counts[i];
            make_pool(kind);
            by_alloc(n);
            pool_double_40_free_n(pool, objects + n / 2, n - n / 2);
            n /= 2;
            pool_double_40_release(pool);
            if (n > 0) {
                check_still_there(n);
                pool_double_40_free_n(pool, objects, n);
            }
            check_all_back(&allocator);
        }
    }
}

Test(release, frees_may_be_before_and_after_it)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t before = 0; before <= 300; before += 37) {
            make_pool(kind);
            by_alloc(300);
            for (size_t i = 300 - before; i < 300; i++)
                pool_double_40_free(pool, objects[i]);
            pool_double_40_release(pool);
            for (size_t i = 300 - before; i-- > 0;) {
                check_still_there(i + 1);
                pool_double_40_free(pool, objects[i]);
            }
            check_all_back(&allocator);
        }
    }
}

#ifndef VF_CHECKED
Test(release, is_followed_by_no_alloc)
{
    for (int kind = 0; kind < KINDS; kind++) {
        make_pool(kind);
        by_alloc(100);
        pool_double_40_free_n(pool, objects + 50, 50); /* some are free, and yet */
        pool_double_40_release(pool);
        double *more[3] = {NULL};
        check_refused(ENOMEM, pool_double_40_alloc(pool) == NULL);
        check_refused(ENOMEM, pool_double_40_push(pool, 1) == NULL);
        check_refused(ENOMEM, pool_double_40_alloc_n(pool, more, 3) == 0);
        check_still_there(50);
        pool_double_40_free_n(pool, objects, 50);
        check_all_back(&allocator);
    }
}
#endif

Test(release, a_thread_may_flush_between_it_and_the_frees)
{
    for (int kind = 0; kind < KINDS; kind++) {
        make_pool(kind);
        by_alloc(100);
        pool_double_40_release(pool);
        vf_thread_flush();
        check_still_there(100);
        for (size_t i = 100; i-- > 0;) {
            pool_double_40_free(pool, objects[i]);
            if (i == 50 || i == 0)
                vf_thread_flush(); /* the last time the pool is gone already */
        }
        check_all_back(&allocator);
    }
}

/*
 * A free that P_release catches half way has found its thread's cache already, and puts its object
 * there uncounted. The thread's next slow call, flush or exit finds it. Here such frees are made by
 * hand: the look at the table comes before the release, the rest of the free after it.
 */

#ifndef VF_BYPASS /* which has no caches */
enum { HALF_WAY = 10 };

static void release_amid_frees(size_t uncounted)
{
    by_alloc(HALF_WAY);
    vf_cache *found = vf_pool_core_find((const vf_pool_core *)pool);
    pool_double_40_release(pool);
    for (size_t i = 0; i < uncounted; i++)
        vf_cache_push(found, objects[i]);
}

Test(release, a_free_caught_half_way_is_found_by_the_next_one)
{
    for (size_t uncounted = 0; uncounted < HALF_WAY; uncounted++) {
        make_pool(0);
        release_amid_frees(uncounted);
        for (size_t i = uncounted; i < HALF_WAY; i++) {
            cr_assert(allocator.bytes > 0);
            pool_double_40_free(pool, objects[i]);
        }
        check_all_back(&allocator);
    }
}

Test(release, a_free_caught_half_way_is_found_by_a_flush)
{
    make_pool(0);
    release_amid_frees(HALF_WAY);
    cr_assert(allocator.bytes > 0);
    vf_thread_flush();
    check_all_back(&allocator);
}

static void *release_and_exit(void *unused)
{
    release_amid_frees(HALF_WAY);
    return unused;
}

Test(release, a_free_caught_half_way_is_found_at_the_threads_exit)
{
    make_pool(0);
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, release_and_exit, NULL) == 0);
    pthread_join(thread, NULL);
    check_all_back(&allocator);
}
#endif

/* Caches held by the caller keep the pool, as its handle does. */

Test(release_with_cache, an_open_cache_keeps_the_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        make_pool(kind);
        cache = pool_double_40_cache_new(pool);
        pool_double_40_cache_free(cache, pool_double_40_cache_alloc(cache));
        pool_double_40_release(pool);
        cr_assert(allocator.bytes > 0);
        pool_double_40_cache_release(cache);
        check_all_back(&allocator);
    }
}

/* What is last: the cache, an object freed to the cache, one freed to the pool. */

Test(release_with_cache, ends_the_pool_if_it_is_the_last)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < COUNTS; i++) {
            make_pool(kind);
            cache = pool_double_40_cache_new(pool);
            by_alloc(counts[i]);
            pool_double_40_release(pool);
            for (size_t n = counts[i]; n > 0; n--) {
                if (n % 2 == 0)
                    pool_double_40_free(pool, objects[n - 1]);
                else
                    pool_double_40_cache_free(cache, objects[n - 1]);
                cr_assert(allocator.bytes > 0);
            }
            pool_double_40_cache_release(cache);
            check_all_back(&allocator);
        }
    }
}

Test(release_with_cache, leaves_the_end_to_the_objects_if_it_is_not)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < COUNTS; i++) {
            size_t n = counts[i];
            make_pool(kind);
            cache = pool_double_40_cache_new(pool);
            by_cache(n);
            pool_double_40_release(pool);
            for (; n > counts[i] / 2 + 1; n--)
                pool_double_40_cache_free(cache, objects[n - 1]);
            pool_double_40_cache_release(cache);
            for (; n > 0; n--) {
                check_still_there(n);
                pool_double_40_free(pool, objects[n - 1]);
            }
            check_all_back(&allocator);
        }
    }
}

Test(release_with_cache, objects_of_a_cache_may_outlive_it_and_the_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        make_pool(kind);
        cache = pool_double_40_cache_new(pool);
        for (size_t i = 0; i < 200; i++) {
            objects[i] = pool_double_40_cache_alloc(cache);
            *objects[i] = (double)i;
        }
        pool_double_40_release(pool);
        pool_double_40_cache_release(cache);
        for (size_t n = 200; n > 0; n--) {
            check_still_there(n);
            pool_double_40_free(pool, objects[n - 1]);
        }
        check_all_back(&allocator);
    }
}

#ifndef VF_CHECKED
/* It is misuse; but whatever it gives, nothing goes back too early, and all of it in the end. */
Test(release_with_cache, an_alloc_after_release_does_no_harm)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int order = 0; order < 2; order++) {
            make_pool(kind);
            cache = pool_double_40_cache_new(pool);
            by_alloc(1);
            pool_double_40_release(pool);
            pool_double_40_cache_free(cache, pool_double_40_cache_alloc(cache));
            check_still_there(1);
            if (order == 0) {
                pool_double_40_cache_release(cache);
                check_still_there(1);
                pool_double_40_free(pool, objects[0]);
            } else {
                pool_double_40_free(pool, objects[0]);
                cr_assert(allocator.bytes > 0);
                pool_double_40_cache_release(cache);
            }
            check_all_back(&allocator);
        }
    }
}
#endif

Test(release_with_cache, two_caches_may_end_in_either_order)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int order = 0; order < 2; order++) {
            make_pool(kind);
            pool_double_40_cache *caches[] = {pool_double_40_cache_new(pool),
                                              pool_double_40_cache_new(pool)};
            objects[0] = pool_double_40_cache_alloc(caches[0]);
            pool_double_40_release(pool);
            pool_double_40_cache_free(caches[1], objects[0]);
            pool_double_40_cache_release(caches[order]);
            cr_assert(allocator.bytes > 0);
            pool_double_40_cache_release(caches[1 - order]);
            check_all_back(&allocator);
        }
    }
}

/* VF_DROP runs after the handle is gone too. */

Test(release, drops_objects_that_outlive_the_handle_and_no_others)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool_int_10 *counted = pool_int_10_new(&options);
    int *kept[] = {pool_int_10_push(counted, 1), pool_int_10_push(counted, 10),
                   pool_int_10_push(counted, 100)};
    pool_int_10_release(counted);
    cr_assert(drops == 0); /* release destroys nothing */
    pool_int_10_free(counted, kept[0]);
    pool_int_10_take(counted, kept[1]);
    pool_int_10_free_n(counted, &kept[2], 1);
    cr_assert(drops == 101, "drops came to %d", drops);
    check_all_back(&allocator);
}
