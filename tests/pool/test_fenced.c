/* SPDX-License-Identifier: MIT */
/*
 * test_fenced.c - the end of a pool whose last objects another living thread has freed: where a
 * free leaves its order to P_release (VF_FENCED_FREE), and the system's barrier is there, refused,
 * or refused from some time on. Built for both kinds of free.
 */
#define _GNU_SOURCE /* syscall */

#include <errno.h>
#include <sys/wait.h>

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

static bool all_back(void)
{
    return atomic_load(&allocator.bytes) == 0;
}

static pthread_t begin(void)
{
    pthread_t thread;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = numbers_new(&options);
    CHECK(pool != NULL);
    for (size_t i = 0; i < OBJECTS; i++) {
        objects[i] = numbers_alloc(pool);
        CHECK(objects[i] != NULL);
        *objects[i] = i;
    }
    CHECK(pthread_barrier_init(&turn, NULL, 2) == 0);
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
    CHECK(all_back());
}

/* A filter of system calls stays, and the library remembers whether there was a barrier: so each
   test has a process of its own. */
static void in_a_child(void (*body)(void))
{
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    int status = -1;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    check_equal((size_t)status, 0);
}

static void release_with_a_barrier(void)
{
    pthread_t thread = begin();
    numbers_release(pool);
    CHECK(all_back());
    flush();
    end(thread);
}

Test(fenced, memory_goes_back_at_once)
{
    in_a_child(release_with_a_barrier);
}

static void release_without(void)
{
    if (refuse_membarrier(ENOSYS))
        release_with_a_barrier();
}

Test(fenced, at_once_too_where_there_is_no_barrier)
{
    in_a_child(release_without);
}

/* The filter is the main thread's, which releases the pool. */
static void refuse_before_the_release(void)
{
    bool was_there = membarrier_is_there();
    pthread_t thread = begin();
    bool refused = refuse_membarrier(EPERM);
    numbers_release(pool);
    CHECK(all_back() != (refused && was_there && VF_FENCED_FREE));
    flush();
    end(thread);
}

Test(fenced, with_the_owners_flush_where_the_barrier_is_refused_later)
{
    in_a_child(refuse_before_the_release);
}

static void refuse_with_an_object_out(void)
{
    pthread_t thread = begin();
    uint64_t *last = numbers_alloc(pool);
    CHECK(last != NULL);
    (void)refuse_membarrier(EPERM);
    numbers_release(pool);
    CHECK(!all_back());
    flush();
    CHECK(!all_back());
    numbers_free(pool, last);
    end(thread);
}

Test(fenced, not_before_the_last_object_where_the_barrier_is_refused_later)
{
    in_a_child(refuse_with_an_object_out);
}
