/* SPDX-License-Identifier: MIT */
/*
 * test_reserve.c - what is reserved can be had without the allocator, and a reservation that
 * fails leaves the pool as it was.
 */
#include <pthread.h>
#ifndef _WIN32
#    include <sys/wait.h>
#    include <unistd.h>
#endif

#include "support/barrier.h"
#include "test_common.h"

typedef struct twelve_bytes {
    char bytes[12];
} twelve_bytes;

#define VF_T twelve_bytes
#define VF_N 1
#include <veryfast/pool.h>

#define VF_T twelve_bytes
#define VF_N 100
#include <veryfast/pool.h>

#define VF_T twelve_bytes
#define VF_N 4096
#include <veryfast/pool.h>

#define MOST 10000

static twelve_bytes *objects[MOST];
static test_allocator allocator;
static const size_t counts[] = {0, 1, 2, 63, 64, 65, 99, 100, 101, 127, 128, 129, 1000, 5000};

/* What a pool has been through before. */
typedef enum history { FRESH, USED, FLUSHED, PARTLY_LIVE } history;

#define BATCH 1
#include "test_reserve_batch.h"
#define BATCH 100
#include "test_reserve_batch.h"
#define BATCH 4096
#include "test_reserve_batch.h"

static pool_twelve_bytes_100 *new_pool(size_t cache_objects)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = cache_objects};
    pool_twelve_bytes_100 *pool = pool_twelve_bytes_100_new(&options);
    cr_assert(pool != NULL);
    return pool;
}

Test(reserve, of_what_is_there_asks_for_nothing)
{
    pool_twelve_bytes_100 *pool = new_pool(0);
    cr_assert(pool_twelve_bytes_100_reserve(pool, 1000));
    size_t calls = allocator.calls;
    cr_assert(pool_twelve_bytes_100_reserve(pool, 1000)); /* it says n more, not another n */
    cr_assert(pool_twelve_bytes_100_reserve(pool, 10));
    cr_assert(pool_twelve_bytes_100_reserve(pool, 0));
    check_equal(allocator.calls, calls);
    check_equal(pool_twelve_bytes_100_stats(pool).capacity, 1000);
    pool_twelve_bytes_100_release(pool);
    check_all_back(&allocator);
}

#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
/* What is there is there in the child of a fork too, and no more. */
Test(reserve, in_a_child_knows_what_is_there)
{
    pool_twelve_bytes_100 *pool = new_pool(0);
    objects[0] = pool_twelve_bytes_100_alloc(pool);
    cr_assert(pool_twelve_bytes_100_reserve(pool, 1000));
    pid_t child = fork();
    if (child == 0) {
        size_t there = pool_twelve_bytes_100_stats(pool).capacity - 1;
        allocator.refuse = true;
        bool had = pool_twelve_bytes_100_reserve(pool, there);
        _exit(had && !pool_twelve_bytes_100_reserve(pool, there + 1) ? 0 : 1);
    }
    int status = -1;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    check_equal((size_t)status, 0);
    pool_twelve_bytes_100_free(pool, objects[0]);
    pool_twelve_bytes_100_release(pool);
    check_all_back(&allocator);
}
#endif

Test(reserve, touches_no_object)
{
    pool_twelve_bytes_100 *pool = new_pool(0);
    cr_assert(pool_twelve_bytes_100_reserve(pool, 1000));
    vf_pool_stats stats = pool_twelve_bytes_100_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.fresh, stats.capacity);
#ifndef VF_CHECKED
    twelve_bytes untouched;
    memset(&untouched, 0xA5, sizeof untouched);
    for (size_t i = 0; i < 1000; i++) {
        objects[i] = pool_twelve_bytes_100_alloc(pool);
        cr_assert(memcmp(objects[i], &untouched, sizeof untouched) == 0);
    }
#else
    check_equal(pool_twelve_bytes_100_alloc_n(pool, objects, 1000), 1000);
#endif
    pool_twelve_bytes_100_free_n(pool, objects, 1000);
    pool_twelve_bytes_100_release(pool);
}

/* The k-th call of the allocator fails, for each k: the batches got before it go back. */
Test(reserve, that_fails_changes_nothing)
{
    pool_twelve_bytes_100 *pool = new_pool(0);
    objects[0] = pool_twelve_bytes_100_alloc(pool);
    size_t refused = 0;
    for (;; refused++) {
        vf_pool_stats before = pool_twelve_bytes_100_stats(pool);
        allocator.fail_at = allocator.calls + 1 + refused;
        errno = 0;
        if (pool_twelve_bytes_100_reserve(pool, 2000))
            break;
        cr_assert(errno == ENOMEM);
        vf_pool_stats after = pool_twelve_bytes_100_stats(pool);
        check_equal(after.bytes, before.bytes);
        cr_assert(memcmp(&before, &after, sizeof after) == 0);
        check_sums(after, &allocator);
    }
    cr_assert(refused >= 20, "%zu refusals on the way to 20 batches", refused);
    cr_assert(errno == 0);
    check_equal(pool_twelve_bytes_100_alloc_n(pool, objects + 1, 2000), 2000);
    pool_twelve_bytes_100_free_n(pool, objects, 2001);
    pool_twelve_bytes_100_release(pool);
    check_all_back(&allocator);
}

/* ---- another thread has what was reserved ---- */

enum { CROWD = 70 }; /* more than a pool's table has places for at first */

static pool_twelve_bytes_100 *shared;
static pthread_barrier_t one_more, all_there;

static void *alloc_and_stay(void *place)
{
    *(twelve_bytes **)place = pool_twelve_bytes_100_alloc(shared);
    pthread_barrier_wait(&one_more);
    pthread_barrier_wait(&all_there);
    return NULL;
}

/* Its cache and its place in the table were reserved too: it takes more than one object at once. */
Test(reserve, the_next_thread_gets_a_cache_without_the_allocator)
{
    shared = new_pool(0);
    pthread_t threads[CROWD];
    pthread_barrier_init(&one_more, NULL, 2);
    pthread_barrier_init(&all_there, NULL, CROWD + 1);
    for (size_t i = 0; i < CROWD; i++) {
        cr_assert(pool_twelve_bytes_100_reserve(shared, 100));
        size_t cached = pool_twelve_bytes_100_stats(shared).cached;
        allocator.refuse = true;
        cr_assert(pthread_create(&threads[i], NULL, alloc_and_stay, &objects[i]) == 0);
        pthread_barrier_wait(&one_more);
        cr_assert(objects[i] != NULL);
        cr_assert(pool_twelve_bytes_100_stats(shared).cached > cached, "thread %zu has none", i);
        allocator.refuse = false;
    }
    pthread_barrier_wait(&all_there);
    for (size_t i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&one_more);
    pthread_barrier_destroy(&all_there);
    pool_twelve_bytes_100_free_n(shared, objects, CROWD);
    pool_twelve_bytes_100_release(shared);
    check_all_back(&allocator);
}

Test(reserve, beyond_what_a_pool_can_hold_is_refused_at_once)
{
    pool_twelve_bytes_100 *pool = new_pool(0);
    vf_pool_stats before = pool_twelve_bytes_100_stats(pool);
    allocator.peak = 0;
    check_refused(ENOMEM, !pool_twelve_bytes_100_reserve(pool, SIZE_MAX));
    check_refused(ENOMEM, !pool_twelve_bytes_100_reserve(pool, ((size_t)1 << 30) + 1));
    cr_assert(allocator.peak < 100000, "tried with %zu bytes", allocator.peak);
    vf_pool_stats after = pool_twelve_bytes_100_stats(pool);
    check_equal(after.capacity, before.capacity);
    pool_twelve_bytes_100_release(pool);
    check_all_back(&allocator);
}
