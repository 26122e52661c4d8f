/* SPDX-License-Identifier: MIT */
/*
 * test_out_of_memory.c - the allocator fails at its k-th call, for every k.
 *
 * One scenario with every entry point is run again and again: with the first call of the
 * allocator failing, with the second, and so on until a run in which none failed (as SQLite tests
 * itself). A call that fails says ENOMEM and changes nothing; the same call succeeds when it is
 * tried again; no object is lost; all memory is back at the end. In a second series all calls from
 * the k-th on fail. Frees with no memory at all are test_strays.c.
 */
#include <pthread.h>

#include "support/threads.h"
#include "test_common.h"

#define VF_T int
#define VF_N 50
#include <veryfast/pool.h>

#define MOST 2000

static test_allocator allocator;
static size_t refuse_from; /* calls of the allocator from this one on fail; 0: none */

static void *refusing_alloc(void *context, size_t size, size_t alignment)
{
    if (refuse_from != 0 && allocator.calls + 1 >= refuse_from)
        allocator.refuse = true;
    vf_allocator real = test_allocator_hook(context);
    return real.alloc(real.context, size, alignment);
}

static void refusing_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size, alignment);
}

/* What the scenario works on. */
static pool_int_50 *pool;
static pool_int_50_cache *cache;
static int *objects[MOST];
static size_t live;
static size_t failures; /* calls that failed in this run */

static bool forever(void)
{
    return allocator.refuse;
}

/* What must hold after each call; success: the call's own word. */
static void check_call(bool success)
{
    cr_assert(errno == (success ? EXDEV : ENOMEM), "errno is %d after %s", errno,
              success ? "a call that succeeded" : "one that failed");
    failures += !success;
    if (pool == NULL)
        return;
    vf_pool_stats stats = pool_int_50_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, live);
    errno = EXDEV;
}

/* Runs a call, and a second time if it failed; only one failure is to come, unless all are. */
#define twice(call)                                                                                \
    do {                                                                                           \
        errno = EXDEV;                                                                             \
        bool success_ = (call);                                                                    \
        check_call(success_);                                                                      \
        if (!success_ && !forever()) {                                                             \
            errno = EXDEV;                                                                         \
            success_ = (call);                                                                     \
            check_call(success_);                                                                  \
            cr_assert(success_, "failed twice: %s", #call);                                        \
        }                                                                                          \
    } while (0)

static bool keep(int *object)
{
    if (object != NULL)
        objects[live++] = object;
    return object != NULL;
}

static bool keep_n(size_t n)
{
    size_t given = pool_int_50_alloc_n(pool, objects + live, n);
    live += given;
    return given == n;
}

static bool make_pool(const vf_pool_options *options)
{
    pool = pool_int_50_new(options);
    return pool != NULL;
}

static bool make_cache(void)
{
    cache = pool_int_50_cache_new(pool);
    return cache != NULL;
}

/* Frees cannot fail; what is left must be as counted. */
static void free_half(void)
{
    errno = EXDEV;
    for (size_t i = live / 2; i < live; i++) {
        switch (i % 3) {
        case 0:
            pool_int_50_free(pool, objects[i]);
            break;
        case 1:
            pool_int_50_take(pool, objects[i]);
            break;
        default:
            if (cache != NULL)
                pool_int_50_cache_free(cache, objects[i]);
            else
                pool_int_50_free_n(pool, &objects[i], 1);
            break;
        }
    }
    live /= 2;
    check_call(true);
}

/* Another thread: its first call is a free, then it allocates what it was given room for. */
static void *body(void *result)
{
    bool *success = result;
    pool_int_50_free(pool, objects[--live]);
    int *object = pool_int_50_push(pool, 1);
    if (object == NULL && !forever())
        object = pool_int_50_push(pool, 1);
    *success = object != NULL;
    pool_int_50_free(pool, object);
    return NULL;
}

static void run_a_thread(void)
{
    if (live == 0)
        return;
    bool success = false;
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, body, &success) == 0);
    pthread_join(thread, NULL);
    cr_assert(success || forever());
    errno = EXDEV;
    check_call(true);
}

static void use_the_pool(void)
{
    for (int i = 0; i < 130; i++)
        twice(keep(pool_int_50_push(pool, i)));
    free_half();
    run_a_thread();
    twice(pool_int_50_reserve(pool, 170));
    twice(make_cache());
    for (int i = 0; i < 200; i++)
        twice(cache == NULL || keep(pool_int_50_cache_alloc(cache)));
    size_t before = live;
    twice(live > before || keep_n(333)); /* a part of them is no failure to be repeated */
    free_half();
    vf_thread_flush();
    twice(keep(pool_int_50_alloc(pool)));
    free_half();
    free_half();
    run_a_thread();
    for (int i = 0; i < 300; i++)
        twice(keep(pool_int_50_alloc(pool)));
    cr_assert(all_apart(objects, live, sizeof(int)));
    while (live > 0)
        free_half();
}

/* All that the pool has can be had. */
static void use_all_there_is(void)
{
    size_t capacity = pool_int_50_stats(pool).capacity;
    vf_thread_flush();
    pool_int_50_cache_release(cache);
    cache = NULL;
    allocator.fail_at = 0;
    allocator.refuse = true;
    refuse_from = 0;
    size_t given = pool_int_50_alloc_n(pool, objects, capacity);
    check_equal(given, capacity);
    cr_assert(all_apart(objects, given, sizeof(int)));
    pool_int_50_free_n(pool, objects, given);
    allocator.refuse = false;
    check_equal(pool_int_50_alloc_n(pool, objects, 700), 700);
    pool_int_50_free_n(pool, objects, 700);
    check_equal(pool_int_50_stats(pool).live, 0);
}

/* True if the allocator failed. */
static bool run(const vf_pool_options *options)
{
    pool = NULL;
    cache = NULL;
    live = failures = 0;
    twice(make_pool(options));
    if (pool == NULL) {
        check_all_back(&allocator); /* a pool that was half made */
        allocator.refuse = false;
        return true;
    }
    use_the_pool();
    bool failed =
        allocator.refuse || (allocator.fail_at != 0 && allocator.calls >= allocator.fail_at);
    use_all_there_is();
    pool_int_50_release(pool);
    check_all_back(&allocator);
    return failed;
}

/* Both series for pools with these options. */
static void run_all(size_t cache_objects, size_t max_objects)
{
    vf_pool_options options = {.allocator = {refusing_alloc, refusing_dealloc, &allocator},
                               .cache_objects = cache_objects,
                               .max_objects = max_objects};
    bool failed = true;
    size_t k = 0;
    size_t seen = 0;
    while (failed) {
        allocator = (test_allocator){.fail_at = ++k};
        refuse_from = 0;
        failed = run(&options);
        seen += failures > 0;
    }
    cr_assert(k > 5, "the scenario calls the allocator %zu times only", k - 1);
    cr_assert(seen > 3, "only %zu runs had a call that failed", seen);
    failed = true;
    for (k = 1; failed; k++) {
        allocator = (test_allocator){0};
        refuse_from = k;
        failed = run(&options);
    }
}

Test(out_of_memory, at_any_call_loses_nothing)
{
    run_all(0, 0);
}

Test(out_of_memory, at_any_call_loses_nothing_with_small_caches)
{
    run_all(3, 0);
}

Test(out_of_memory, at_any_call_loses_nothing_without_caches)
{
    run_all(VF_CACHE_NONE, 0);
}

Test(out_of_memory, at_any_call_loses_nothing_under_a_cap)
{
    run_all(0, 1000);
}

/* Threads beyond those that the tables have room for, with no memory for longer ones. */

enum { THREADS = 150, EACH = 5 };

static pthread_barrier_t all_there;

static void *alloc_and_free(void *result)
{
    size_t *given = result;
    int *own[EACH];
    pthread_barrier_wait(&all_there);
    for (size_t i = 0; i < EACH; i++) {
        own[i] = pool_int_50_push(pool, (int)i);
        *given += own[i] != NULL;
    }
    pthread_barrier_wait(&all_there);
    for (size_t i = 0; i < EACH; i++)
        pool_int_50_free(pool, own[i]);
    return NULL;
}

Test(out_of_memory, more_threads_than_there_is_room_for_do_without_caches)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .cache_objects = 1};
    pool = pool_int_50_new(&options);
    cr_assert(pool_int_50_reserve(pool, 2 * THREADS * 64)); /* each carves 64 at a time */
    size_t given[THREADS] = {0};
    void *results[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        results[i] = &given[i];
    allocator.refuse = true;
    pthread_barrier_init(&all_there, NULL, THREADS);
    test_run_threads(THREADS, alloc_and_free, results);
    pthread_barrier_destroy(&all_there);
    for (size_t i = 0; i < THREADS; i++)
        check_equal(given[i], EACH);
    allocator.refuse = false;
    vf_pool_stats stats = pool_int_50_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, 0);
    pool_int_50_release(pool);
    check_all_back(&allocator);
}
