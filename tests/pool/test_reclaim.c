/* SPDX-License-Identifier: MIT */
/*
 * test_reclaim.c - what other threads keep free is had before an alloc is refused; and what the
 * calls of one thread leave alone.
 */
#define _GNU_SOURCE /* syscall */
#ifndef _WIN32
#    include <sys/wait.h>
#    include <unistd.h>
#endif

#include "support/membarrier.h"
#include "support/threads.h"
#include "test_common.h"

#define VF_T    uint64_t
#define VF_N    128
#define VF_NAME numbers
#include <veryfast/pool.h>

#define MOST 4000

static test_allocator allocator;
static numbers *pool;
static uint64_t *mine[2 * MOST];

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

/* ---- threads that sleep ---- */

#define SLEEPERS 3

static pthread_barrier_t turn;

/* Has freed all that it had, several times, so that its cache is large; sleeps; goes on. */
static void *sleep_over_a_cache(void *context)
{
    uint64_t **own = test_memory(MOST / SLEEPERS, sizeof *own);
    size_t n = MOST / SLEEPERS;
    for (int round = 0; round < 6; round++) {
        CHECK(numbers_alloc_n(pool, own, n) == n);
        numbers_free_n(pool, own, n);
    }
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    uint64_t *one = numbers_alloc(pool); /* what was left to it, if anything */
    *(uint64_t **)context = one;
    pthread_barrier_wait(&turn);
    free(own);
    return NULL;
}

/* All that can be had without memory; how many. */
static size_t take_all(void)
{
    size_t n = 0;
    allocator.refuse = true;
    while (n < 2 * MOST && (mine[n] = numbers_alloc(pool)) != NULL)
        n++;
    allocator.refuse = false;
    return n;
}

Test(reclaim, what_sleeping_threads_cache_is_had_before_an_alloc_is_refused)
{
    pthread_t threads[SLEEPERS];
    uint64_t *theirs[SLEEPERS];
    open_numbers(0);
    pthread_barrier_init(&turn, NULL, SLEEPERS + 1);
    for (size_t i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&threads[i], NULL, sleep_over_a_cache, &theirs[i]) == 0);
    pthread_barrier_wait(&turn);
    vf_pool_stats stats = numbers_stats(pool);
    check_equal(stats.live, 0);
    cr_assert(stats.cached > SLEEPERS * 100);
    size_t n = take_all();
    if (membarrier_is_there()) /* each keeps one, that it may be about to hand out */
        cr_assert(n + SLEEPERS >= stats.capacity, "%zu of %zu were had", n, stats.capacity);
    check_equal(numbers_stats(pool).live, n);
    allocator.refuse = true;
    check_refused(ENOMEM, numbers_alloc(pool) == NULL);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    size_t more = n;
    for (size_t i = 0; i < SLEEPERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        if (theirs[i] != NULL)
            mine[more++] = theirs[i];
    }
    pthread_barrier_destroy(&turn);
    if (membarrier_is_there())
        cr_assert(more + SLEEPERS >= stats.capacity); /* one may have got what another had left */
    check_equal(numbers_stats(pool).live, more);
    cr_assert(all_apart(mine, more, sizeof **mine));
    numbers_free_n(pool, mine, more);
    close_numbers();
}

/* Once more, and each time that something was freed there. */
static void *free_when_told(void *none)
{
    for (int round = 0; round < 10; round++) {
        uint64_t *own[200];
        CHECK(numbers_alloc_n(pool, own, 200) == 200);
        numbers_free_n(pool, own, 200);
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
    }
    return none;
}

Test(reclaim, is_tried_again_whenever_the_other_has_freed_some)
{
    pthread_t thread;
    open_numbers(0);
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(pthread_create(&thread, NULL, free_when_told, NULL) == 0);
    for (int round = 0; round < 10; round++) {
        pthread_barrier_wait(&turn);
        size_t capacity = numbers_stats(pool).capacity;
        size_t n = take_all();
        if (membarrier_is_there())
            cr_assert(n + 1 >= capacity, "%zu of %zu were had", n, capacity);
        numbers_free_n(pool, mine, n);
        vf_thread_flush();
        pthread_barrier_wait(&turn);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn);
    close_numbers();
}

/* ---- pools and threads ---- */

#define CROWD 200

static numbers *common;

static void *use_common(void *none)
{
    numbers_free(common, numbers_alloc(common));
    pthread_barrier_wait(&turn); /* all at once, so each has an index of its own */
    return none;
}

Test(reclaim, a_pool_pays_nothing_for_threads_that_do_not_use_it)
{
    open_numbers(0);
    common = numbers_new(NULL);
    cr_assert(common != NULL && numbers_alloc(pool) != NULL);
    size_t bytes = numbers_stats(pool).bytes, calls = allocator.calls;
    size_t of_common = numbers_stats(common).bytes;
    void *contexts[CROWD] = {NULL};
    pthread_barrier_init(&turn, NULL, CROWD);
    test_run_threads(CROWD, use_common, contexts);
    pthread_barrier_destroy(&turn);
    cr_assert(numbers_stats(common).bytes > of_common);
    check_equal(numbers_stats(pool).bytes, bytes);
    check_equal(allocator.calls, calls);
    numbers_destroy(common);
    close_numbers();
}

/* ---- a trim, beside other pools ---- */

static numbers *third;
static size_t beside; /* times that the allocator did all this */

static void *use_third(void *none)
{
    uint64_t *number = numbers_push(third, 7);
    CHECK(number != NULL);
    numbers_free(third, number);
    return none;
}

/* While memory goes back, another pool is made and given up, and a thread comes and goes. */
static void busy_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    if (third != NULL && beside < 10) {
        beside++;
        numbers *another = numbers_new(NULL);
        CHECK(another != NULL && numbers_push(another, 1) != NULL);
        test_run_threads(2, use_third, (void *[]){NULL, NULL});
        use_third(NULL);
        numbers_destroy(another);
    }
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size, alignment);
}

Test(reclaim, a_trim_keeps_no_lock_that_other_pools_need)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    options.allocator.dealloc = busy_dealloc;
    beside = 0;
    pool = numbers_new(&options);
    check_equal(numbers_alloc_n(pool, mine, MOST), MOST);
    numbers_free_n(pool, mine, MOST);
    vf_thread_flush();
    third = numbers_new(NULL);
    cr_assert(third != NULL);
    numbers_trim(pool);
    cr_assert(beside > 5);
    numbers *last = third;
    third = NULL;
    numbers_destroy(last);
    close_numbers();
}

/* ---- indices ---- */

static void *tell_index(void *index)
{
    CHECK(numbers_alloc(pool) != NULL);
    *(uint32_t *)index = vf_thread_own();
    pthread_barrier_wait(&turn); /* all are there at once */
    return NULL;
}

/* Of so many threads that are there at once. */
static uint32_t highest_index(size_t n)
{
    uint32_t index[50], highest = 0;
    void *places[50];
    for (size_t i = 0; i < n; i++)
        places[i] = &index[i];
    pthread_barrier_init(&turn, NULL, (unsigned)n);
    test_run_threads(n, tell_index, places);
    pthread_barrier_destroy(&turn);
    for (size_t i = 0; i < n; i++)
        highest = index[i] > highest ? index[i] : highest;
    return highest;
}

Test(reclaim, gives_the_indices_of_threads_that_ended_to_others)
{
    open_numbers(0);
    uint32_t first = highest_index(50); /* or less, where some found the library busy */
    for (size_t n = 50; n > 10; n--)
        cr_assert(highest_index(n) <= first + 50);
    close_numbers();
}

#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
/* ---- the child of a fork ---- */

static void *use_up(void *none)
{
    atomic_store(&allocator.refuse, true);
    while (numbers_alloc(pool) != NULL) {
    }
    atomic_store(&allocator.refuse, false);
    return none;
}

/* A thread that finds no memory looks for threads that are gone. This one is not, though the child
   knows it by another number. */
static bool child_keeps_its_thread(void)
{
    uint32_t index[3];
    test_run_threads(1, use_up, (void *[]){NULL});
    pthread_barrier_init(&turn, NULL, 3);
    test_run_threads(3, tell_index, (void *[]){&index[0], &index[1], &index[2]});
    for (size_t i = 0; i < 3; i++) {
        if (index[i] == vf_thread_own())
            return false;
    }
    return true;
}

Test(reclaim, takes_nothing_from_the_thread_that_has_forked)
{
    open_numbers(0);
    cr_assert(numbers_push(pool, 1) != NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(child_keeps_its_thread() ? 0 : 1);
    int status = -1;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    check_equal((size_t)status, 0);
    close_numbers();
}
#endif
