/* SPDX-License-Identifier: MIT */
/*
 * test_cache.c - caches held by the caller, and vf_thread_flush.
 */
#include <pthread.h>

#include "test_common.h"

#define VF_T unsigned
#define VF_N 500
#include <veryfast/pool.h>

#define MOST 5000

static unsigned *objects[MOST];
static test_allocator allocator;
static pool_unsigned_500 *pool;

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = pool_unsigned_500_new(&options);
    cr_assert(pool != NULL);
}

static void teardown(void)
{
    vf_pool_stats stats = pool_unsigned_500_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, 0);
    pool_unsigned_500_release(pool);
    check_all_back(&allocator);
}

Test(cache, gives_and_takes_like_the_pool, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    for (int turn = 0; turn < 5; turn++) {
        for (unsigned i = 0; i < MOST; i++) {
            objects[i] = pool_unsigned_500_cache_alloc(cache);
            cr_assert(objects[i] != NULL);
            *objects[i] = i;
        }
        for (unsigned i = 0; i < MOST; i++)
            cr_assert(*objects[i] == i);
        vf_pool_stats stats = pool_unsigned_500_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.live, MOST);
        for (size_t i = 0; i < MOST; i++)
            pool_unsigned_500_cache_free(cache, objects[i]);
        cr_assert(pool_unsigned_500_stats(pool).cached > 0);
    }
    pool_unsigned_500_cache_release(cache);
    check_equal(pool_unsigned_500_stats(pool).cached, 0);
}

Test(cache, exchanges_objects_with_the_pool_and_other_caches, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache *one = pool_unsigned_500_cache_new(pool);
    pool_unsigned_500_cache *two = pool_unsigned_500_cache_new(pool);
    for (int turn = 0; turn < 100; turn++) {
        for (unsigned i = 0; i < 300; i += 3) {
            objects[i] = pool_unsigned_500_cache_alloc(one);
            objects[i + 1] = pool_unsigned_500_cache_alloc(two);
            objects[i + 2] = pool_unsigned_500_alloc(pool);
        }
        check_equal(pool_unsigned_500_stats(pool).live, 300);
        for (unsigned i = 0; i < 300; i += 3) { /* each goes back another way than it came */
            pool_unsigned_500_free(pool, objects[i]);
            pool_unsigned_500_cache_free(one, objects[i + 1]);
            pool_unsigned_500_cache_free(two, objects[i + 2]);
        }
        check_equal(pool_unsigned_500_stats(pool).live, 0);
    }
    pool_unsigned_500_cache_release(one);
    pool_unsigned_500_cache_release(two);
}

/* ---- how many objects a cache has room for ---- */

#define ROOM 128 /* at first */

static void alloc_many(void)
{
    for (size_t i = 0; i < MOST; i++)
        cr_assert((objects[i] = pool_unsigned_500_alloc(pool)) != NULL);
}

static void free_many(void)
{
    for (size_t i = 0; i < MOST; i++)
        pool_unsigned_500_free(pool, objects[i]);
}

static void burst(void)
{
    for (int turn = 0; turn < 20; turn++) {
        alloc_many();
        free_many();
    }
}

Test(cache, a_thread_with_bursts_gets_a_larger_one, .init = setup, .fini = teardown)
{
    alloc_many();
    free_many();
    cr_assert(pool_unsigned_500_stats(pool).cached <= ROOM);
    burst();
    cr_assert(pool_unsigned_500_stats(pool).cached > ROOM);
    vf_thread_flush();
    alloc_many();
    free_many();
    cr_assert(pool_unsigned_500_stats(pool).cached <= ROOM);
}

Test(cache, one_burst_doubles_it_once, .init = setup, .fini = teardown)
{
    for (size_t room = ROOM; room <= 4 * ROOM; room *= 2) {
        alloc_many();
        free_many();
        size_t cached = pool_unsigned_500_stats(pool).cached;
        cr_assert(cached > room / 2 && cached <= room, "%zu of %zu are cached", cached, room);
    }
}

Test(cache, so_does_one_that_has_taken_what_was_reserved, .init = setup, .fini = teardown)
{
    cr_assert(pool_unsigned_500_reserve(pool, MOST));
    burst();
    cr_assert(pool_unsigned_500_stats(pool).cached > ROOM);
}

/* It has not been empty before. */
Test(cache, one_that_others_objects_have_filled_does_not_grow, .init = setup, .fini = teardown)
{
    alloc_many();
    vf_thread_flush();
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    for (size_t i = 0; i < MOST; i++)
        pool_unsigned_500_cache_free(cache, objects[i]);
    for (size_t i = 0; i < 2 * ROOM; i++)
        objects[i] = pool_unsigned_500_cache_alloc(cache);
    for (size_t i = 0; i < 2 * ROOM; i++)
        pool_unsigned_500_cache_free(cache, objects[i]);
    cr_assert(pool_unsigned_500_stats(pool).cached <= ROOM);
    pool_unsigned_500_cache_release(cache);
}

/* What one cache has left, the next one hands out, before the pool grows. */
Test(cache, leaves_its_objects_to_the_pool, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    for (size_t i = 0; i < 500; i++)
        objects[i] = pool_unsigned_500_cache_alloc(cache);
    for (size_t i = 0; i < 500; i++)
        pool_unsigned_500_cache_free(cache, objects[i]);
    cr_assert(pool_unsigned_500_stats(pool).cached > 0);
    pool_unsigned_500_cache_release(cache);
    vf_pool_stats stats = pool_unsigned_500_stats(pool);
    check_equal(stats.cached, 0);
    check_equal(stats.depot, 500);
    check_equal(pool_unsigned_500_alloc_n(pool, objects, 500), 500);
    check_equal(pool_unsigned_500_stats(pool).capacity, 500);
    pool_unsigned_500_free_n(pool, objects, 500);
}

Test(cache, is_used_again_after_its_release, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache_release(pool_unsigned_500_cache_new(pool));
    size_t calls = allocator.calls;
    for (int i = 0; i < 1000; i++)
        pool_unsigned_500_cache_release(pool_unsigned_500_cache_new(pool));
    check_equal(allocator.calls, calls);
}

Test(cache, is_bounded_as_a_threads_is)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .cache_objects = 10};
    pool = pool_unsigned_500_new(&options);
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    for (size_t i = 0; i < 1000; i++)
        objects[i] = pool_unsigned_500_cache_alloc(cache);
    for (size_t i = 0; i < 1000; i++) {
        pool_unsigned_500_cache_free(cache, objects[i]);
        cr_assert(pool_unsigned_500_stats(pool).cached <= 10);
    }
    pool_unsigned_500_cache_release(cache);
    teardown();
}

Test(cache, goes_on_where_memory_ends, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    cr_assert(pool_unsigned_500_reserve(pool, MOST));
    allocator.refuse = true;
    for (size_t i = 0; i < MOST; i++)
        objects[i] = pool_unsigned_500_cache_alloc(cache);
    check_refused(ENOMEM, pool_unsigned_500_cache_alloc(cache) == NULL);
    /* the reservation has set one aside, for a thread that begins */
    pool_unsigned_500_cache *reserved = pool_unsigned_500_cache_new(pool);
    cr_assert(reserved != NULL);
    check_refused(ENOMEM, pool_unsigned_500_cache_alloc(reserved) == NULL);
    check_refused(ENOMEM, pool_unsigned_500_cache_new(pool) == NULL);
    pool_unsigned_500_cache_release(reserved);
    check_equal(pool_unsigned_500_stats(pool).live, MOST);
    cr_assert(all_apart(objects, MOST, sizeof(unsigned)));
    for (size_t i = 0; i < MOST; i++)
        pool_unsigned_500_cache_free(cache, objects[i]);
    check_equal(pool_unsigned_500_stats(pool).live, 0);
    for (size_t i = 0; i < MOST; i++)
        objects[i] = pool_unsigned_500_cache_alloc(cache);
    cr_assert(all_apart(objects, MOST, sizeof(unsigned)));
    for (size_t i = 0; i < MOST; i++)
        pool_unsigned_500_cache_free(cache, objects[i]);
    pool_unsigned_500_cache_release(cache);
}

Test(thread_flush, gives_every_pools_objects_to_their_depots, .init = setup, .fini = teardown)
{
    pool_unsigned_500 *other = pool_unsigned_500_new(NULL);
    unsigned *here = pool_unsigned_500_push(pool, 1);
    unsigned *there = pool_unsigned_500_push(other, 2);
    pool_unsigned_500_free(pool, here);
    pool_unsigned_500_free(other, there);
    cr_assert(pool_unsigned_500_stats(pool).cached > 0);
    cr_assert(pool_unsigned_500_stats(other).cached > 0);
    vf_thread_flush();
    check_equal(pool_unsigned_500_stats(pool).cached, 0);
    check_equal(pool_unsigned_500_stats(other).cached, 0);
    cr_assert(pool_unsigned_500_stats(pool).depot > 0);
    vf_thread_flush(); /* nothing left to give */
    pool_unsigned_500_release(other);
}

Test(thread_flush, leaves_live_objects_and_held_caches_alone, .init = setup, .fini = teardown)
{
    pool_unsigned_500_cache *cache = pool_unsigned_500_cache_new(pool);
    unsigned *kept = pool_unsigned_500_push(pool, 7);
    pool_unsigned_500_cache_free(cache, pool_unsigned_500_cache_alloc(cache));
    size_t cached = pool_unsigned_500_stats(pool).cached;
    vf_thread_flush();
    vf_pool_stats stats = pool_unsigned_500_stats(pool);
    check_equal(stats.live, 1);
    cr_assert(*kept == 7);
    cr_assert(stats.cached > 0 && stats.cached < cached);
    pool_unsigned_500_free(pool, kept);
    pool_unsigned_500_cache_release(cache);
    check_equal(pool_unsigned_500_stats(pool).cached, 1); /* the one just freed */
}

static void *flush_only(void *unused)
{
    vf_thread_flush();
    return unused;
}

Test(thread_flush, is_allowed_to_a_thread_that_has_no_pool)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, flush_only, NULL) == 0);
    pthread_join(thread, NULL);
}

/* The thread goes on as before, with the objects that it gave. */
Test(thread_flush, is_no_end, .init = setup, .fini = teardown)
{
    for (int turn = 0; turn < 50; turn++) {
        for (size_t i = 0; i < 1000; i++)
            objects[i] = pool_unsigned_500_alloc(pool);
        for (size_t i = 0; i < 1000; i++)
            pool_unsigned_500_free(pool, objects[i]);
        vf_thread_flush();
    }
    check_equal(pool_unsigned_500_stats(pool).capacity, 1000);
}
