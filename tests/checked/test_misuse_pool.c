/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_pool.c - each misuse of a pool's objects stops a checked build, and use does not.
 */
#include "misuse.h"

typedef struct job {
    char text[20];
} job;

#define VF_T job
#define VF_N 64
#include <veryfast/pool.h>

static int drops;

#define VF_T       job
#define VF_N       32
#define VF_NAME    dropped
#define VF_DROP(p) ((void)(p), drops++)
#include <veryfast/pool.h>

#define VF_T    job
#define VF_N    32
#define VF_NAME common
#define VF_SHARED
#include <veryfast/pool.h>

#define VF_T    job
#define VF_N    32
#define VF_NAME with_handles
#define VF_HANDLE
#include <veryfast/pool.h>

static pool_job_64 *pool;

static void setup(void)
{
    pool = pool_job_64_new(NULL);
    cr_assert(pool != NULL);
    vf_checked_quarantine(256 << 10); /* as it is at first */
    vf_checked_keep_contents(false);
}

static void teardown(void)
{
    pool_job_64_destroy(pool);
}

/* ---- frees ---- */

SCENE(frees_twice)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    pool_job_64_free(pool, object);
}

SCENE(frees_twice_by_n)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free_n(pool, (job *[]){object, NULL, object}, 3);
}

SCENE(takes_what_is_free)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    (void)pool_job_64_take(pool, object);
}

SCENE(frees_twice_long_after)
{
    vf_checked_quarantine(0);
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    vf_thread_flush();
    pool_job_64_free(pool, object);
}

Test(misuse_pool, double_free, .init = setup, .fini = teardown)
{
    check_stops(frees_twice, "pool_job_64", ": double free of 0x");
    misuse_check(frees_twice, "pool_job_64", ", allocated at frees_twice+0x",
                 ", freed at frees_twice+0x");
    check_stops(frees_twice_by_n, "pool_job_64", ": double free of 0x");
    check_stops(takes_what_is_free, "pool_job_64", ": double free of 0x");
    check_stops(frees_twice_long_after, "pool_job_64", ": double free of 0x");
}

/* ---- frees that find the pool by the object ---- */

SCENE(frees_any_twice)
{
    job *object = pool_job_64_alloc(pool);
    vf_free(object);
    vf_free(object);
}

SCENE(frees_any_inside)
{
    vf_free((char *)pool_job_64_alloc(pool) + 1);
}

SCENE(frees_what_is_fresh)
{
    job *object = pool_job_64_alloc(pool);
    vf_free((char *)object + pool_job_64_stats(pool).stride * 20);
}

SCENE(frees_any_of_no_pool)
{
    static int stranger;
    vf_free(&stranger);
}

SCENE(frees_any_of_a_pool_that_is_gone)
{
    pool_job_64 *other = pool_job_64_new(NULL);
    job *object = pool_job_64_alloc(other);
    pool_job_64_destroy(other);
    vf_free(object);
}

Test(misuse_pool, vf_free_of_what_is_no_live_object, .init = setup, .fini = teardown)
{
    check_stops(frees_any_twice, "pool_job_64", ": double free of 0x");
    check_stops(frees_any_inside, "pool_job_64", ": interior pointer 0x");
    check_stops(frees_what_is_fresh, "pool_job_64", " to what was never handed out");
    check_stops(frees_any_of_no_pool, "vf_free", ": pointer to an object of no pool");
    check_stops(frees_any_of_a_pool_that_is_gone, "vf_free", ": pointer to an object of no pool");
}

SCENE(releases_what_all_share)
{
    common_release(common_shared());
}

SCENE(destroys_what_all_share)
{
    common_destroy(common_shared());
}

Test(misuse_pool, end_of_a_shared_pool, .init = setup, .fini = teardown)
{
    check_stops(releases_what_all_share, "common", ": P_release of a pool that the whole program");
    check_stops(destroys_what_all_share, "common", ": P_destroy of a pool that the whole program");
}

static dropped *with_drop;

SCENE(drops_twice)
{
    with_drop = dropped_new(NULL);
    job *object = dropped_alloc(with_drop);
    dropped_free(with_drop, object);
    if (drops != 1)
        _exit(1);
    dropped_free(with_drop, object);
}

static void stop_unless_dropped_once(const char *report, void *context)
{
    (void)report;
    (void)context;
    if (drops != 1)
        _exit(2);
}

SCENE(drops_twice_in_n)
{
    vf_checked_on_misuse(stop_unless_dropped_once, NULL);
    with_drop = dropped_new(NULL);
    job *object = dropped_alloc(with_drop);
    dropped_free_n(with_drop, (job *[]){object, object}, 2);
}

#define VF_T       job
#define VF_N       32
#define VF_NAME    again
#define VF_DROP(p) free_again(p)
void free_again(job *object);
#include <veryfast/pool.h>

static again *with_free;

__attribute__((noinline)) void free_again(job *object)
{
    if (drops++ < 2)
        again_free(with_free, object);
}

/* As when another thread frees it while VF_DROP is at work. */
SCENE(frees_what_is_dropped)
{
    with_free = again_new(NULL);
    again_free(with_free, again_alloc(with_free));
}

Test(misuse_pool, no_object_is_dropped_twice, .init = setup, .fini = teardown)
{
    check_stops(drops_twice, "dropped", ": double free of 0x");
    check_stops(drops_twice_in_n, "dropped", ": double free of 0x");
    misuse_check(frees_what_is_dropped, "again", ": double free of 0x", " at free_again+0x");
}

/* ---- pointers ---- */

static pool_job_64 *other;

SCENE(frees_to_another)
{
    other = pool_job_64_new(&(vf_pool_options){.name = "other"});
    pool_job_64_free(other, pool_job_64_alloc(pool));
}

SCENE(frees_an_interior)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, (job *)(void *)(object->text + 8));
}

SCENE(frees_what_is_no_pools)
{
    pool_job_64_free(pool, (job *)(void *)&other);
}

SCENE(frees_any_that_is_fresh)
{
    char *object = (char *)pool_job_64_alloc(pool);
    pool_job_64_free(pool, (job *)(void *)(object + pool_job_64_stats(pool).stride));
}

Test(misuse_pool, wrong_pointers, .init = setup, .fini = teardown)
{
    check_stops(frees_to_another, "other", ": pointer 0x");
    misuse_check(frees_to_another, "other", " of another pool, pool_job_64,", " at ");
    check_stops(frees_an_interior, "pool_job_64", ": interior pointer 0x");
    misuse_check(frees_an_interior, "pool_job_64", ", 8 bytes into 0x", " at ");
    check_stops(frees_what_is_no_pools, "pool_job_64", " of no pool");
    check_stops(frees_any_that_is_fresh, "pool_job_64", " to what was never handed out");
}

/* ---- writes ---- */

SCENE(writes_behind)
{
    job *object = pool_job_64_alloc(pool);
    ((char *)object)[sizeof(job)] = 0;
    pool_job_64_free(pool, object);
}

SCENE(writes_far_behind)
{
    job *object = pool_job_64_alloc(pool);
    for (size_t i = 0; i < sizeof(job) + 40; i++) /* not memset, which sanitizers look at */
        ((volatile char *)object)[i] = 0;
    pool_job_64_free(pool, object);
}

SCENE(writes_before)
{
    job *objects[2];
    (void)pool_job_64_alloc_n(pool, objects, 2);
    size_t first = objects[0] > objects[1];
    ((char *)objects[!first])[-2] = 0;
    pool_job_64_free(pool, objects[first]);
}

Test(misuse_pool, write_past_the_end, .init = setup, .fini = teardown)
{
    check_stops(writes_behind, "pool_job_64", ": write past the end of 0x");
    misuse_check(writes_behind, "pool_job_64", " at writes_behind+0x",
                 ", allocated at writes_behind+0x");
    check_stops(writes_far_behind, "pool_job_64", ": write past the end of 0x");
    check_stops(writes_before, "pool_job_64", ": write far past the end of 0x");
}

static job *write_to_freed(void)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    object->text[sizeof object->text - 1] ^= 1;
    return object;
}

SCENE(writes_and_allocates)
{
    (void)write_to_freed();
    for (int i = 0; i < 100000; i++)
        pool_job_64_free(pool, pool_job_64_alloc(pool));
}

SCENE(writes_and_trims)
{
    (void)write_to_freed();
    (void)pool_job_64_trim(pool);
}

SCENE(writes_and_releases)
{
    (void)write_to_freed();
    pool_job_64_release(pool);
}

SCENE(writes_and_destroys)
{
    (void)write_to_freed();
    pool_job_64_destroy(pool);
}

/* Behind the quarantine, before it is handed out again. */
SCENE(writes_late)
{
    vf_checked_quarantine(0);
    (void)write_to_freed();
    (void)pool_job_64_alloc(pool);
}

SCENE(writes_although_contents_are_kept)
{
    vf_checked_keep_contents(true);
    (void)write_to_freed();
    (void)pool_job_64_trim(pool);
}

Test(misuse_pool, write_to_a_freed_object, .init = setup, .fini = teardown)
{
    check_stops(writes_and_allocates, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_and_trims, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_and_releases, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_and_destroys, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_late, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_although_contents_are_kept, "pool_job_64", ": write to freed object 0x");
}

/* ---- what is no misuse ---- */

static bool is_filled(const job *object, unsigned char fill)
{
    for (size_t i = 0; i < sizeof object->text; i++) {
        if ((unsigned char)object->text[i] != fill)
            return false;
    }
    return true;
}

Test(misuse_pool, fills, .init = setup, .fini = teardown)
{
    job *object = pool_job_64_alloc(pool);
    cr_assert(is_filled(object, 0xA5));
    memset(object->text, 1, sizeof object->text);
    pool_job_64_free(pool, object);
    cr_assert(is_filled(object, 0xDD));
    vf_checked_keep_contents(true);
    vf_checked_quarantine(0);
    object = pool_job_64_alloc(pool);
    memset(object->text, 1, sizeof object->text);
    pool_job_64_free(pool, object);
    cr_assert(is_filled(object, 1));
    cr_assert(pool_job_64_alloc(pool) == object && is_filled(object, 1));
}

/* A freed object waits its turn. */
Test(misuse_pool, quarantine, .init = setup, .fini = teardown)
{
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    check_equal(pool_job_64_stats(pool).live, 0);
    for (int i = 0; i < 500; i++) {
        job *next = pool_job_64_alloc(pool);
        cr_assert(next != object);
        pool_job_64_free(pool, next);
    }
    vf_pool_stats stats = pool_job_64_stats(pool);
    cr_assert(stats.capacity >= 501 && stats.live == 0);
    for (int i = 0; i < 100000; i++)
        pool_job_64_free(pool, pool_job_64_alloc(pool));
    cr_assert(pool_job_64_stats(pool).capacity * stats.stride < 1 << 20);
}

static pool_job_64 *capped_pool(size_t most)
{
    pool_job_64 *capped = pool_job_64_new(&(vf_pool_options){.max_objects = most});
    cr_assert(capped != NULL);
    return capped;
}

/* The one that was freed first comes first, and only where nothing else is left. */
Test(misuse_pool, quarantine_with_a_cap, .init = setup, .fini = teardown)
{
    enum { CAP = 300 };
    job *objects[CAP];
    pool_job_64 *capped = capped_pool(CAP);
    for (int i = 0; i < CAP; i++) {
        objects[i] = pool_job_64_alloc(capped);
        for (int k = 0; k < i; k++)
            cr_assert(objects[i] != objects[k]);
        pool_job_64_free(capped, objects[i]);
        check_equal(pool_job_64_stats(capped).live, 0);
    }
    for (int i = 0; i < CAP; i++)
        cr_assert(pool_job_64_alloc(capped) == objects[i]);
    check_refused(ENOMEM, pool_job_64_alloc(capped) == NULL);
    pool_job_64_destroy(capped);

    capped = capped_pool(1 << 20);
    for (int i = 0; i < 100000; i++)
        pool_job_64_free(capped, pool_job_64_alloc(capped));
    cr_assert(pool_job_64_stats(capped).bytes < 1 << 20);
    pool_job_64_destroy(capped);
}

/* With or without, all up to the cap can be had, and reserved. */
Test(misuse_pool, a_cap_is_exact, .init = setup, .fini = teardown)
{
    for (size_t bytes = 0; bytes <= 1024; bytes += 512) {
        vf_checked_quarantine(bytes);
        pool_job_64 *capped = capped_pool(20);
        for (size_t n = 0; n <= 20; n++) {
            job *objects[21];
            cr_assert(pool_job_64_reserve(capped, 20));
            check_refused(ENOMEM, !pool_job_64_reserve(capped, 21));
            check_equal(pool_job_64_alloc_n(capped, objects, n), n);
            cr_assert(pool_job_64_reserve(capped, 20 - n));
            check_refused(ENOMEM, !pool_job_64_reserve(capped, 21 - n));
            pool_job_64_free_n(capped, objects, n);
            errno = 0;
            check_equal(pool_job_64_alloc_n(capped, objects, 20), 20);
            cr_assert(errno == 0);
            check_refused(ENOMEM, pool_job_64_alloc(capped) == NULL);
            pool_job_64_free_n(capped, objects, 20);
        }
        pool_job_64_release(capped);
    }
}

static pool_job_64 *capped;

static job *write_to_freed_of_capped(void)
{
    capped = capped_pool(1);
    job *object = pool_job_64_alloc(capped);
    pool_job_64_free(capped, object);
    object->text[0] ^= 1;
    return object;
}

SCENE(writes_and_allocates_of_capped)
{
    (void)write_to_freed_of_capped();
    (void)pool_job_64_alloc(capped);
}

SCENE(writes_and_reserves)
{
    (void)write_to_freed_of_capped();
    (void)pool_job_64_reserve(capped, 1);
    (void)pool_job_64_alloc(capped);
}

SCENE(frees_twice_of_capped)
{
    capped = capped_pool(1);
    job *object = pool_job_64_alloc(capped);
    pool_job_64_free(capped, object);
    pool_job_64_free(capped, object);
}

Test(misuse_pool, of_a_capped_pool, .init = setup, .fini = teardown)
{
    check_stops(writes_and_allocates_of_capped, "pool_job_64", ": write to freed object 0x");
    check_stops(writes_and_reserves, "pool_job_64", ": write to freed object 0x");
    check_stops(frees_twice_of_capped, "pool_job_64", ": double free of 0x");
}

SCENE(publishes_what_is_free)
{
    with_handles *jobs = with_handles_new(NULL);
    job *object = with_handles_alloc(jobs);
    with_handles_free(jobs, object);
    with_handles_handle_of(jobs, object);
}

Test(misuse_pool, handle_of_what_is_free, .init = setup, .fini = teardown)
{
    check_stops(publishes_what_is_free, "with_handles", ": P_handle_of after the free of 0x");
}
