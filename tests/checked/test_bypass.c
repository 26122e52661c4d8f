/* SPDX-License-Identifier: MIT */
/*
 * test_bypass.c - pools made with VF_BYPASS: an alloc is one malloc, and a free one free.
 */
#define VF_BYPASS

#include "../support/threads.h"
#include "bypass_jobs.h"
#include "misuse.h"

static size_t drops;

#define VF_T       double
#define VF_N       16
#define VF_DROP(p) ((void)(p), drops++)
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

#define COUNT 300

/* What an allocator was asked for that is no bookkeeping: blocks of the size of an object. */
typedef struct counter {
    size_t size, alignment; /* of an object */
    size_t allocs, frees;
} counter;

static void *counted_alloc(void *context, size_t size, size_t alignment)
{
    counter *count = context;
    count->allocs += size == count->size && alignment == count->alignment;
    void *memory;
    size_t least = alignment < sizeof(void *) ? sizeof(void *) : alignment;
    return posix_memalign(&memory, least, size) == 0 ? memory : NULL;
}

static void counted_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    counter *count = context;
    count->frees += size == count->size && alignment == count->alignment;
    free(memory);
}

static test_allocator allocator;
static pool_job_64 *pool;
static job *objects[COUNT];

static void open_jobs(size_t cap)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .max_objects = cap};
    pool = pool_job_64_new(&options);
    cr_assert(pool != NULL);
}

static void setup(void)
{
    open_jobs(0);
}

static void fill(size_t n)
{
    check_equal(pool_job_64_alloc_n(pool, objects, n), n);
    for (size_t i = 0; i < n; i++)
        memset(objects[i], (int)i, sizeof(job));
}

/* ---- what malloc sees ---- */

Test(bypass, each_alloc_is_one_of_the_allocator_and_each_free)
{
    counter count = {.size = sizeof(job), .alignment = 1};
    vf_pool_options options = {.allocator = {counted_alloc, counted_dealloc, &count}};
    pool = pool_job_64_new(&options);
    for (size_t i = 0; i < COUNT; i++) {
        objects[i] = pool_job_64_alloc(pool);
        cr_assert(objects[i] != NULL);
        check_equal(count.allocs, i + 1);
    }
    pool_job_64_cache *cache = pool_job_64_cache_new(pool);
    for (size_t i = 0; i < COUNT; i++) {
        check_equal(count.frees, i);
        if (i % 3 == 0)
            pool_job_64_free(pool, objects[i]);
        else if (i % 3 == 1)
            pool_job_64_cache_free(cache, objects[i]);
        else
            (void)pool_job_64_take(pool, objects[i]);
    }
    pool_job_64_free(pool, pool_job_64_cache_alloc(cache));
    pool_job_64_cache_release(cache);
    check_equal(count.allocs, COUNT + 1);
    check_equal(count.frees, COUNT + 1);
    pool_job_64_release(pool);
}

Test(bypass, objects_are_aligned_and_dropped_once)
{
    counter count = {.size = sizeof(double), .alignment = VF_CACHE_LINE};
    vf_pool_options options = {.allocator = {counted_alloc, counted_dealloc, &count}};
    pool_double_16 *doubles = pool_double_16_new(&options);
    double *some[COUNT];
    check_equal(pool_double_16_alloc_n(doubles, some, COUNT), COUNT);
    check_equal(count.allocs, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        check_equal((uintptr_t)some[i] % VF_CACHE_LINE, 0);
    pool_double_16_free_n(doubles, some, 100);
    check_equal(drops, 100);
    pool_double_16_destroy(doubles);
    check_equal(drops, COUNT);
    check_equal(count.frees, COUNT);
}

/* ---- what holds as ever ---- */

Test(bypass, numbers_tell_of_what_is_out, .init = setup)
{
    fill(COUNT);
    pool_job_64_free_n(pool, objects, 100);
    vf_pool_stats stats = pool_job_64_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, COUNT - 100);
    check_equal(stats.capacity, COUNT - 100);
    check_equal(stats.batches, 0);
    check_equal(stats.stride, sizeof(job));
    check_equal(stats.peak, COUNT);
    check_equal(pool_job_64_trim(pool), 0);
    pool_job_64_destroy(pool);
    check_all_back(&allocator);
}

/* Each once, in one part or in several; those that go leave their numbers to others. */
Test(bypass, walks_give_what_is_out, .init = setup)
{
    fill(COUNT);
    pool_job_64_free_n(pool, objects, 100);
    check_equal(pool_job_64_alloc_n(pool, objects, 50), 50);
    for (size_t parts = 1; parts <= 5; parts++) {
        size_t n = 0, out = pool_job_64_stats(pool).live;
        pool_job_64_walk walks[5];
        for (size_t i = 0; i < parts; i++)
            walks[i] =
                parts == 1 ? pool_job_64_walk_begin(pool) : pool_job_64_walk_part(pool, i, parts);
        for (size_t i = 0; i < parts; i++) {
            for (job *each; (each = pool_job_64_walk_next(&walks[i])) != NULL; n++) {
                cr_assert(pool_job_64_owns(pool, each));
                if (n % 10 == 0)
                    pool_job_64_free(pool, each);
            }
            pool_job_64_walk_end(&walks[i]);
        }
        check_equal(n, out);
    }
    pool_job_64_walk walk = pool_job_64_walk_part(pool, 0, SIZE_MAX);
    (void)pool_job_64_walk_next(&walk); /* the one with number 0, if it is out */
    cr_assert(pool_job_64_walk_next(&walk) == NULL);
    pool_job_64_destroy(pool);
    check_all_back(&allocator);
}

Test(bypass, a_cap_is_exact)
{
    open_jobs(100);
    for (int turn = 0; turn < 2; turn++) {
        cr_assert(pool_job_64_reserve(pool, 100));
        check_refused(ENOMEM, !pool_job_64_reserve(pool, 101));
        fill(100);
        check_refused(ENOMEM, pool_job_64_alloc(pool) == NULL);
        check_refused(ENOMEM, !pool_job_64_reserve(pool, 1));
        pool_job_64_free(pool, objects[50]);
        objects[50] = pool_job_64_alloc(pool);
        cr_assert(objects[50] != NULL);
        check_refused(ENOMEM, pool_job_64_alloc(pool) == NULL);
        pool_job_64_free_n(pool, objects, 100);
    }
    pool_job_64_release(pool);
    check_all_back(&allocator);
    vf_pool_options options = {.max_objects = ((size_t)1 << 30) + 1};
    check_refused(EINVAL, pool_job_64_new(&options) == NULL);
}

Test(bypass, the_kth_call_of_the_allocator_fails)
{
    for (size_t k = 1; k < 2 * COUNT; k++) {
        open_jobs(0);
        atomic_store(&allocator.fail_at, allocator.calls + k);
        size_t got = 0;
        for (size_t i = 0; i < COUNT; i++) {
            errno = 0;
            objects[got] = pool_job_64_alloc(pool);
            check_equal((uint64_t)errno, objects[got] == NULL ? ENOMEM : 0);
            got += objects[got] != NULL;
        }
        cr_assert(got + 1 >= COUNT);
        check_equal(pool_job_64_stats(pool).live, got);
        pool_job_64_free_n(pool, objects, got);
        pool_job_64_release(pool);
        check_all_back(&allocator);
    }
}

Test(bypass, the_last_free_ends_a_released_pool, .init = setup)
{
    fill(COUNT);
    pool_job_64_release(pool);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert(allocator.bytes > 0);
        pool_job_64_free(pool, objects[i]);
    }
    check_all_back(&allocator);
}

static void *free_every_other(void *first)
{
    for (size_t i = *(size_t *)first; i < COUNT; i += 2) {
        pool_job_64_free(pool, objects[i]);
        objects[i] = pool_job_64_alloc(pool);
        if (objects[i] == NULL)
            abort();
    }
    return NULL;
}

static void *release_alone(void *unused)
{
    pool_job_64_release(pool);
    return unused;
}

Test(bypass, any_thread_frees, .init = setup)
{
    fill(COUNT);
    size_t first[] = {0, 1};
    test_run_threads(2, free_every_other, (void *[]){&first[0], &first[1]});
    check_equal(pool_job_64_stats(pool).live, COUNT);
    test_run_threads(1, release_alone, (void *[]){NULL});
    pool_job_64_free_n(pool, objects, COUNT);
    check_all_back(&allocator);
}

Test(bypass, the_child_of_a_fork_goes_on, .init = setup)
{
    fill(COUNT);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        pool_job_64_free_n(pool, objects, 100);
        fill(100);
        pool_job_64_free_n(pool, objects, COUNT);
        pool_job_64_release(pool);
        _exit(allocator.bytes == 0 ? 0 : 1);
    }
    int status;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    pool_job_64_destroy(pool);
}

/* Which pool it is says how: not the file that calls. */
Test(bypass, is_of_the_pool)
{
    open_jobs(0);
    pool_job_64 *plain = plain_pool();
    for (size_t i = 0; i < COUNT; i++) {
        objects[i] = i % 2 == 0 ? plain_alloc(pool) : pool_job_64_alloc(pool);
        job *other = pool_job_64_alloc(plain);
        cr_assert(objects[i] != NULL && other != NULL);
        pool_job_64_free(plain, other);
    }
    check_equal(pool_job_64_stats(pool).batches, 0);
    cr_assert(pool_job_64_stats(plain).batches > 0);
    for (size_t i = 0; i < COUNT; i++)
        plain_free(pool, objects[i]);
    check_equal(pool_job_64_stats(pool).live, 0);
    pool_job_64_release(plain);
    pool_job_64_release(pool);
    check_all_back(&allocator);
}

/* ---- what is stopped still ---- */

SCENE(frees_twice)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    pool_job_64_free(pool, object);
}

static pool_double_16 *doubles;

/* VF_DROP has run, and the free is yet to come. */
SCENE(drops_twice)
{
    double *object = pool_double_16_alloc(doubles);
    (void)vf_checked_may_drop((vf_pool_core *)doubles, object, __builtin_return_address(0));
    pool_double_16_free(doubles, object);
}

SCENE(frees_an_inner_pointer)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, (job *)(void *)(object->text + 20));
}

SCENE(frees_to_another)
{
    pool_job_64_free(plain_pool(), pool_job_64_alloc(pool));
}

SCENE(takes_from_the_stack)
{
    job local;
    (void)pool_job_64_take(pool, &local);
}

SCENE(allocates_after_release)
{
    (void)pool_job_64_alloc(pool);
    pool_job_64_release(pool);
    (void)pool_job_64_alloc(pool);
}

Test(bypass, misuse_is_stopped, .init = setup)
{
    doubles = pool_double_16_new(NULL);
    check_stops(frees_twice, "pool_job_64", "double free of");
    misuse_check(drops_twice, "pool_double_16", "double free of", ", allocated at drops_twice+0x");
    check_stops(frees_an_inner_pointer, "pool_job_64", "interior pointer");
    check_stops(frees_to_another, "pool_job_64", "of another pool, pool_job_64,");
    check_stops(takes_from_the_stack, "pool_job_64", "or pointer of no pool");
    check_stops(allocates_after_release, "pool_job_64", "alloc with a released pool");
    pool_double_16_destroy(doubles);
    pool_job_64_destroy(pool);
}

SCENE(leaves_two_out)
{
    fill(3);
    pool_job_64_free(pool, objects[1]);
    vf_checked_list_leaks(stderr);
    pool_job_64_release(pool);
}

Test(bypass, what_is_out_is_listed, .init = setup)
{
    const char *text = check_passes(leaves_two_out);
    size_t lines = 0;
    for (const char *line = text; (line = strstr(line, " is still live, allocated at ")) != NULL;
         line++)
        lines++;
    check_equal(lines, 2);
    pool_job_64_destroy(pool);
}
