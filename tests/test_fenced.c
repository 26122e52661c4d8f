/* SPDX-License-Identifier: MIT */
/*
 * test_fenced.c - the end of a pool whose last objects another living thread has freed: where a
 * free leaves its order to P_release (VF_FENCED_FREE), and the system's barrier is there, refused,
 * or refused from some time on. Built for both kinds of free.
 */
#define _GNU_SOURCE /* syscall */

#include <errno.h>

#include "support/membarrier.h"
#include "support/threads.h"
#include "test_common.h"

#define VF_T    uint64_t
#define VF_N    64
#define VF_NAME numbers
#include <veryfast/pool.h>

enum { OBJECTS = 500 };

static test_allocator allocator;
static numbers *pool;
static uint64_t *objects[OBJECTS];
static pthread_barrier_t turn;

/* Frees all, and lives on; flushes when it is told to. */
static void *free_all(void *none)
{
    for (size_t i = 0; i < OBJECTS; i++)
        numbers_free(pool, objects[i]);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    vf_thread_flush();
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    return none;
}

static pthread_t begin(void)
{
    pthread_t thread;
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = numbers_alloc(pool);
        cr_assert(objects[i] != NULL);
        *objects[i] = i;
    }
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(pthread_create(&thread, NULL, free_all, NULL) == 0);
    pthread_barrier_wait(&turn);
    return thread;
}

static void flush(void)
{
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
}

static void end(pthread_t thread)
{
    pthread_barrier_wait(&turn);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn);
    check_all_back(&allocator);
}

Test(fenced, memory_goes_back_at_once)
{
    pthread_t thread = begin();
    numbers_release(pool);
    check_all_back(&allocator);
    flush();
    end(thread);
}

Test(fenced, at_once_too_where_there_is_no_barrier)
{
    if (!refuse_membarrier(ENOSYS))
        return;
    pthread_t thread = begin();
    numbers_release(pool);
    check_all_back(&allocator);
    flush();
    end(thread);
}

/* The filter is the main thread's, which releases the pool. */
Test(fenced, with_the_owners_flush_where_the_barrier_is_refused_later)
{
    bool was_there = membarrier_is_there();
    pthread_t thread = begin();
    if (refuse_membarrier(EPERM)) {
        numbers_release(pool);
        bool waits = atomic_load(&allocator.bytes) != 0;
        cr_assert(waits == (was_there && VF_FENCED_FREE));
    } else {
        numbers_release(pool);
    }
    flush();
    end(thread);
}

Test(fenced, not_before_the_last_object_where_the_barrier_is_refused_later)
{
    pthread_t thread = begin();
    uint64_t *last = numbers_alloc(pool);
    cr_assert(last != NULL);
    (void)refuse_membarrier(EPERM);
    numbers_release(pool);
    cr_assert(atomic_load(&allocator.bytes) != 0);
    flush();
    cr_assert(atomic_load(&allocator.bytes) != 0, "with an object out");
    numbers_free(pool, last);
    end(thread);
}
