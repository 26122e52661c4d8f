/* SPDX-License-Identifier: MIT */
/*
 * test_locality.c - what is allocated together lies together: whatever order objects were freed
 * in, they come again by ascending address, batch by batch.
 */
#include "support/threads.h"
#include "test_common.h"

typedef struct node {
    unsigned char bytes[64];
} node;

#define VF_T    node
#define VF_N    256
#define VF_NAME nodes
#include <veryfast/pool.h>

#define MANY 100000

static nodes *pool;
static node *objects[MANY];
static test_allocator allocator;

static void open_pool(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = nodes_new(&options);
    cr_assert(pool != NULL);
}

static void close_pool(void)
{
    nodes_destroy(pool);
    check_all_back(&allocator);
}

static void shuffle(size_t n, uint64_t random)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = test_random_below(&random, i + 1);
        node *other = objects[i];
        objects[i] = objects[j];
        objects[j] = other;
    }
}

/* n objects, one after another, from a pool or a cache that a caller holds. */
static void alloc(nodes_cache *cache, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        objects[i] = cache != NULL ? nodes_cache_alloc(cache) : nodes_alloc(pool);
        cr_assert(objects[i] != NULL);
    }
}

static void free_in_disorder(size_t n, uint64_t random)
{
    shuffle(n, random);
    for (size_t i = 0; i < n; i++)
        nodes_free(pool, objects[i]);
}

/* How often the next of the first n objects is not the one behind in memory. */
static size_t jumps(size_t n)
{
    size_t stride = nodes_stats(pool).stride, count = 0;
    for (size_t i = 1; i < n; i++)
        count += (uintptr_t)objects[i] != (uintptr_t)objects[i - 1] + stride;
    return count;
}

/*
 * Of all that was freed by this thread and flushed, batch after batch comes whole. Without a flush
 * the thread's cache has some, those that it was given last, which come first, in whatever order;
 * and of the batches that these are of, what is left comes in parts.
 */
static size_t jumps_allowed(size_t cached)
{
    return MANY / 256 + 1 + 3 * cached;
}

Test(locality, fresh_objects_come_by_address)
{
    open_pool();
    alloc(NULL, MANY);
    cr_assert(jumps(MANY) <= jumps_allowed(0), "%zu jumps", jumps(MANY));
    close_pool();
}

Test(locality, what_was_freed_in_disorder_comes_by_address)
{
    open_pool();
    alloc(NULL, MANY);
    for (uint64_t turn = 1; turn <= 5; turn++) {
        free_in_disorder(MANY, turn);
        size_t cached = nodes_stats(pool).cached;
        cr_assert(cached <= 8192);
        alloc(NULL, MANY);
        check_equal(nodes_stats(pool).capacity, (MANY + 255) / 256 * 256);
        cr_assert(jumps(MANY) <= jumps_allowed(cached), "%zu jumps, %zu were cached", jumps(MANY),
                  cached);
    }
    close_pool();
}

Test(locality, after_a_flush_all_of_it_comes_by_address)
{
    open_pool();
    alloc(NULL, MANY);
    for (uint64_t turn = 1; turn <= 5; turn++) {
        free_in_disorder(MANY, turn);
        vf_thread_flush();
        alloc(NULL, MANY);
        cr_assert(jumps(MANY) <= jumps_allowed(0) + 1, "%zu jumps", jumps(MANY));
    }
    close_pool();
}

/* Half of what there was, at random: what is allocated again fills the gaps by address, each batch
   by itself. */
Test(locality, gaps_are_filled_by_address_batch_by_batch)
{
    open_pool();
    alloc(NULL, MANY);
    shuffle(MANY, 1);
    nodes_free_n(pool, objects, MANY / 2);
    vf_thread_flush();
    alloc(NULL, MANY / 2);
    size_t descents = 0, far = 0;
    for (size_t i = 1; i < MANY / 2; i++) {
        descents += (uintptr_t)objects[i] < (uintptr_t)objects[i - 1];
        far += (uintptr_t)objects[i] - (uintptr_t)objects[i - 1] >= (uintptr_t)256 * 64;
    }
    cr_assert(descents <= MANY / 256 + 1 && far <= MANY / 256 + 1, "%zu descents, %zu far jumps",
              descents, far);
    close_pool();
}

/* Two that refill in turns do so from batches of their own. */
Test(locality, two_caches_do_not_share_batches)
{
    open_pool();
    alloc(NULL, MANY);
    free_in_disorder(MANY, 1);
    vf_thread_flush();
    nodes_cache *cache = nodes_cache_new(pool);
    cr_assert(cache != NULL);
    enum { PART = MANY / 2 };
    static node *others[PART];
    for (size_t i = 0; i < PART; i++) {
        objects[i] = nodes_alloc(pool);
        others[i] = nodes_cache_alloc(cache);
        cr_assert(objects[i] != NULL && others[i] != NULL);
    }
    size_t own = jumps(PART);
    memcpy(objects, others, sizeof others);
    size_t of_other = jumps(PART);
    cr_assert(own <= PART / 256 + 5 && of_other <= PART / 256 + 5, "%zu and %zu jumps", own,
              of_other);
    nodes_cache_release(cache);
    close_pool();
}

/* A thread that sleeps over a cache takes its slots from the order of the others, not more. */
static pthread_barrier_t turn;

static void *sleep_over_a_cache(void *none)
{
    node *own[300];
    for (size_t i = 0; i < 300; i++)
        own[i] = nodes_alloc(pool);
    nodes_free_n(pool, own, 300);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    return none;
}

Test(locality, beside_a_thread_that_sleeps)
{
    open_pool();
    alloc(NULL, MANY);
    free_in_disorder(MANY, 1);
    vf_thread_flush();
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(pthread_create(&thread, NULL, sleep_over_a_cache, NULL) == 0);
    pthread_barrier_wait(&turn);
    alloc(NULL, MANY / 2);
    cr_assert(jumps(MANY / 2) <= jumps_allowed(0), "%zu jumps", jumps(MANY / 2));
    pthread_barrier_wait(&turn);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn);
    close_pool();
}
