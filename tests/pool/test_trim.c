/* SPDX-License-Identifier: MIT */
/*
 * test_trim.c - P_trim finds free slots wherever they are, needs no memory, and loses no slot.
 */
#define _GNU_SOURCE /* syscall */

#include "support/membarrier.h"
#include "support/threads.h"
#include "test_common.h"

#define VF_T    uint64_t
#define VF_N    64
#define VF_NAME numbers
#include <veryfast/pool.h>

#define MANY 5000

static test_allocator allocator;
static numbers *pool;
static uint64_t *objects[MANY];

static void open_numbers(size_t cache_objects)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = cache_objects};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

static void close_numbers(void)
{
    numbers_destroy(pool);
    check_all_back(&allocator);
}

static void fill(void)
{
    for (size_t i = 0; i < MANY; i++) {
        objects[i] = numbers_push(pool, i);
        cr_assert(objects[i] != NULL);
    }
}

/* ---- where free slots are ---- */

static void check_nothing_left(void)
{
    size_t before = numbers_stats(pool).bytes;
    size_t back = numbers_trim(pool);
    vf_pool_stats stats = numbers_stats(pool);
    check_equal(back, before - stats.bytes);
    check_equal(stats.batches, 0);
    check_equal(stats.capacity, 0);
    check_sums(stats, &allocator);
}

Test(trim, finds_slots_that_were_reserved)
{
    open_numbers(0);
    cr_assert(numbers_reserve(pool, 1000));
    check_nothing_left();
    numbers_free(pool, numbers_push(pool, 1));
    cr_assert(numbers_reserve(pool, 1000));
    check_nothing_left();
    close_numbers();
}

Test(trim, finds_a_batch_most_of_which_was_never_handed_out)
{
    open_numbers(1);
    for (size_t i = 0; i < 3; i++) {
        numbers_free(pool, numbers_push(pool, 1));
        check_nothing_left();
    }
    close_numbers();
}

static void free_but_each(size_t keep_each)
{
    for (size_t i = 0; i < MANY; i++) {
        if (keep_each == 0 || i % keep_each != 0)
            numbers_free(pool, objects[i]);
    }
}

Test(trim, finds_what_threads_without_a_cache_freed)
{
    open_numbers(VF_CACHE_NONE);
    fill();
    free_but_each(0);
    check_nothing_left();
    close_numbers();
}

static pthread_barrier_t turn;

static void *fill_and_empty(void *none)
{
    fill();
    numbers_free_n(pool, objects, MANY);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    return none;
}

/* All but one object, where the system lets it. */
Test(trim, finds_what_another_thread_keeps)
{
    open_numbers(0);
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(pthread_create(&thread, NULL, fill_and_empty, NULL) == 0);
    pthread_barrier_wait(&turn);
    numbers_trim(pool);
    vf_pool_stats stats = numbers_stats(pool);
    if (membarrier_is_there()) {
        check_equal(stats.batches, 1);
        check_equal(stats.cached,
                    1); /* the rest is with the depot, though the owner has not looked */
    }
    check_equal(stats.live, 0);
    pthread_barrier_wait(&turn);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn);
    check_nothing_left(); /* a thread's end leaves nothing behind */
    close_numbers();
}

static void *free_few(void *n)
{
    for (size_t i = 0; i < *(size_t *)n; i++)
        numbers_free(pool, objects[i]);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    return NULL;
}

Test(trim, finds_all_but_one_however_few_they_are)
{
    for (size_t n = 1; n <= 4; n++) {
        open_numbers(0);
        check_equal(numbers_alloc_n(pool, objects, n), n);
        vf_thread_flush();
        pthread_t thread;
        pthread_barrier_init(&turn, NULL, 2);
        CHECK(pthread_create(&thread, NULL, free_few, &n) == 0);
        pthread_barrier_wait(&turn);
        check_equal(numbers_stats(pool).cached, n);
        numbers_trim(pool);
        check_equal(numbers_stats(pool).cached, membarrier_is_there() ? 1 : n);
        pthread_barrier_wait(&turn);
        CHECK(pthread_join(thread, NULL) == 0);
        pthread_barrier_destroy(&turn);
        close_numbers();
    }
}

Test(trim, leaves_what_a_caller_keeps_until_the_cache_is_released)
{
    open_numbers(0);
    numbers_cache *cache = numbers_cache_new(pool);
    cr_assert(cache != NULL);
    numbers_cache_free(cache, numbers_cache_alloc(cache));
    numbers_trim(pool);
    check_equal(numbers_stats(pool).batches, 1);
    numbers_cache_release(cache);
    check_nothing_left();
    close_numbers();
}

/* ---- what a trim needs, and leaves ---- */

Test(trim, in_a_loop_leaves_no_more_from_turn_to_turn)
{
    size_t second = 0;
    open_numbers(0);
    for (size_t i = 0; i < 200; i++) {
        fill();
        for (size_t k = 0; k < MANY; k++)
            numbers_free(pool, objects[k]);
        numbers_trim(pool);
        if (i == 1)
            second = numbers_stats(pool).bytes;
        cr_assert(i < 1 || numbers_stats(pool).bytes == second, "turn %zu", i);
    }
    close_numbers();
}

static void check_kept(size_t keep_each)
{
    size_t kept = 0;
    for (size_t i = 0; i < MANY; i += keep_each, kept++)
        check_equal(*objects[i], i);
    vf_pool_stats stats = numbers_stats(pool);
    check_equal(stats.live, kept);
    check_sums(stats, &allocator);
}

/* All that is free can be had, and no more without memory. */
static void check_all_can_be_had(void)
{
    static uint64_t *had[MANY];
    vf_pool_stats stats = numbers_stats(pool);
    allocator.refuse = true;
    size_t free_slots = stats.capacity - stats.live;
    check_equal(numbers_alloc_n(pool, had, MANY), free_slots);
    cr_assert(all_apart(had, free_slots, sizeof **had));
    numbers_free_n(pool, had, free_slots);
    allocator.refuse = false;
}

Test(trim, needs_no_memory_and_loses_nothing)
{
    for (size_t kind = 0; kind < 2; kind++) {
        open_numbers(kind == 0 ? 0 : VF_CACHE_NONE);
        fill();
        free_but_each(5);
        size_t calls = allocator.calls;
        allocator.refuse = true;
        numbers_trim(pool);
        check_equal(allocator.calls, calls);
        check_kept(5);
        check_all_can_be_had();
        close_numbers();
    }
}

/* Batches that went back stand between: what is free behind them is found nevertheless, before the
   allocator is asked, and where it refuses. */
Test(trim, leaves_slots_where_an_alloc_finds_them)
{
    static const size_t cache_objects[] = {0, VF_CACHE_NONE};
    for (size_t kind = 0; kind < 2; kind++) {
        open_numbers(cache_objects[kind]);
        size_t last = 500 * 64;
        uint64_t **all = test_memory(last, sizeof *all);
        check_equal(numbers_alloc_n(pool, all, last), last);
        for (size_t i = 0; i + 1 < last; i++)
            numbers_free(pool, all[i]);
        numbers_trim(pool);
        vf_pool_stats stats = numbers_stats(pool);
        check_equal(stats.batches, 1);
        check_equal(stats.live, 1);
        uint64_t *one = numbers_alloc(pool);
        cr_assert(one != NULL);
        check_equal(numbers_stats(pool).batches, 1);
        numbers_free(pool, one);
        allocator.refuse = true;
        check_equal(numbers_alloc_n(pool, all, last - 1), 63);
        numbers_free_n(pool, all, 63);
        allocator.refuse = false;
        close_numbers();
        free(all);
    }
}

/* ---- all of it, by chance ---- */

static size_t count; /* of objects that are live */
static numbers_cache *held;
static size_t found;

static void check_visit(uint64_t *number, void *none)
{
    (void)none;
    cr_assert(*number == (uint64_t)(uintptr_t)number);
    found++;
}

static void check_model(void)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(*objects[i] == (uint64_t)(uintptr_t)objects[i]);
    vf_pool_stats stats = numbers_stats(pool);
    check_equal(stats.live, count);
    check_sums(stats, &allocator);
    found = 0;
    if (numbers_each(pool, check_visit, NULL))
        check_equal(found, count);
    else
        cr_assert(allocator.refuse);
}

static void alloc_one(bool from_held)
{
    uint64_t *object = from_held ? numbers_cache_alloc(held) : numbers_alloc(pool);
    if (object == NULL) {
        cr_assert(allocator.refuse);
        return;
    }
    *object = (uint64_t)(uintptr_t)object;
    objects[count++] = object;
}

static void free_one(bool to_held, uint64_t chance)
{
    size_t i = (size_t)(chance % count);
    *objects[i] = 0;
    if (to_held)
        numbers_cache_free(held, objects[i]);
    else
        numbers_free(pool, objects[i]);
    objects[i] = objects[--count];
}

static void live_by_chance(size_t cache_objects, uint64_t random)
{
    open_numbers(cache_objects);
    count = 0;
    held = numbers_cache_new(pool);
    cr_assert(held != NULL);
    for (size_t phase = 0; phase < 40; phase++) {
        size_t allocs = phase % 4 < 2 ? 6 : 3; /* of ten */
        allocator.refuse = test_random(&random) % 3 == 0;
        for (size_t i = 0; i < 800; i++) {
            uint64_t chance = test_random(&random);
            bool by_held = chance >> 32 & 1;
            if (count == 0 || (count < MANY && chance % 10 < allocs))
                alloc_one(by_held);
            else
                free_one(by_held, chance >> 33);
        }
        if (test_random(&random) % 4 == 0)
            vf_thread_flush();
        numbers_trim(pool);
        check_model();
    }
    close_numbers();
}

Test(trim, beside_all_else_by_chance)
{
    for (uint64_t random = 1; random <= 5; random++) {
        live_by_chance(0, random);
        live_by_chance(5, random);
        live_by_chance(VF_CACHE_NONE, random);
    }
}
