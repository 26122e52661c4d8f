/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_flip_wait.c - S_flip, S_flip_try and S_flip_done while a push is in flight: it is
 * in the middle of its call of the allocator. The flip waits until it sleeps, and may not be
 * cancelled there. And a thread that sleeps until another pushes or wakes it, or forks.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#ifdef __linux__
#    include <sys/syscall.h>
#    include <unistd.h>
#endif

#include "test_common.h"
#include "threads.h"

#define VF_T int
#define VF_N 4
#define VF_FLIP
#define VF_NAME flips
#include <veryfast/smallbuf.h>

static test_allocator allocator;
static flips buffer;
static void (*meanwhile)(void);
static pthread_t drainer;
static int sleeps, ended, taken; /* atomic */

/* In place of libc's: the library's wait is seen. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
    __atomic_fetch_add(&sleeps, 1, __ATOMIC_SEQ_CST);
    return clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);
}

static void *alloc_meanwhile(void *context, size_t size, size_t alignment)
{
    void (*now)(void) = meanwhile;
    meanwhile = NULL;
    if (now != NULL)
        now();
    (void)context;
    vf_allocator own = test_allocator_hook(&allocator);
    return own.alloc(own.context, size, alignment);
}

static void dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    vf_allocator own = test_allocator_hook(&allocator);
    own.dealloc(own.context, memory, size, alignment);
}

static const vf_smallbuf_options options = {.allocator = {alloc_meanwhile, dealloc, NULL}};

static void setup(void)
{
    allocator = (test_allocator){0};
    memset(&buffer, 0, sizeof buffer);
    sleeps = ended = taken = 0; /* no test has a process of its own for certain */
    flips_init(&buffer, &options);
}

/* Pushes 0, 1, ... until one of them has called this in its middle; how many. */
static int push_until(void (*called)(void))
{
    int n = 0;
    for (meanwhile = called; meanwhile != NULL; n++)
        cr_assert(flips_push(&buffer, n));
    return n;
}

static void try_in_vain(void)
{
    flips_drain drain = {0}; /* gcc with -O1 does not see that it is begun */
    cr_assert(!flips_flip_try(&buffer, &drain));
}

Test(smallbuf_flip_wait, a_try_does_not_wait, .init = setup)
{
    int n = push_until(try_in_vain);
    flips_drain drain = {0}; /* gcc with -O1 does not see that it is begun */
    cr_assert(flips_flip_try(&buffer, &drain));
    int value;
    for (int i = 0; i < n; i++)
        cr_assert(flips_drain_next(&drain, &value) && value == i);
    cr_assert(!flips_drain_next(&drain, &value));
    flips_drain_end(&drain);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}

#ifndef _WIN32 /* which has no cancellation, and sleeps by another function */
static void note_end(void *none)
{
    (void)none;
    __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
}

/* By itself, since gcc warns of any variable beside pthread_cleanup_push, for i386. */
__attribute__((noinline)) static void flip_and_drain(void)
{
    flips_drain drain = flips_flip(&buffer);
    for (int value; flips_drain_next(&drain, &value);)
        __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
    flips_drain_end(&drain);
}

static void *drain_all(void *none)
{
    pthread_cleanup_push(note_end, NULL);
    flip_and_drain();
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return none;
}

static void wait_for_sleeps(int n)
{
    while (__atomic_load_n(&sleeps, __ATOMIC_SEQ_CST) < n &&
           !__atomic_load_n(&ended, __ATOMIC_SEQ_CST))
        sched_yield();
}

static void cancel_the_drainer(void)
{
    cr_assert(pthread_create(&drainer, NULL, drain_all, NULL) == 0);
    wait_for_sleeps(1);
    cr_assert(pthread_cancel(drainer) == 0);
    wait_for_sleeps(__atomic_load_n(&sleeps, __ATOMIC_SEQ_CST) + 2);
}

Test(smallbuf_flip_wait, a_cancelled_drainer_takes_all_first, .init = setup)
{
    int n = push_until(cancel_the_drainer);
    void *result;
    cr_assert(pthread_join(drainer, &result) == 0);
    cr_assert(result == PTHREAD_CANCELED);
    check_equal((size_t)taken, (size_t)n);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}
#endif

#ifndef VF_CHECKED /* where a push in the middle of another is misuse */
static int pushed_beside;

/* Pushes that come later do not delay the flip, which waits for one. */
static void begin_and_push(void)
{
    flips_drain drain = {0}; /* gcc with -O1 does not see that it is begun */
    flips_flip_begin(&buffer);
    for (; pushed_beside < 1000; pushed_beside++) {
        cr_assert(flips_push(&buffer, 10000 + pushed_beside));
        cr_assert(!flips_flip_done(&buffer, &drain));
    }
}

Test(smallbuf_flip_wait, what_is_begun_waits_for_no_later_push, .init = setup)
{
    int n = push_until(begin_and_push), value;
    flips_drain drain = {0}; /* gcc with -O1 does not see that it is begun */
    cr_assert(flips_flip_done(&buffer, &drain));
    for (int i = 0; i < n; i++)
        cr_assert(flips_drain_next(&drain, &value) && value == i);
    cr_assert(!flips_drain_next(&drain, &value));
    flips_drain_end(&drain);
    check_equal(flips_count(&buffer), (size_t)pushed_beside);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}

/* In the child of a fork: as if the push in flight, and what was begun, were another thread's. */
static void fork_in_flight(void)
{
    flips_drain drain = {0}; /* gcc with -O1 does not see that it is begun */
    flips copy = buffer;
    flips_fork_child(&copy);
    check_equal(flips_count(&copy), 0); /* given up, with the elements that were whole */
    cr_assert(flips_flip_try(&copy, &drain));
    cr_assert(flips_push(&copy, 1));
    drain = flips_flip(&copy);
    flips_drain_end(&drain);
    copy = buffer;
    flips_flip_begin(&copy);
    cr_assert(flips_push(&copy, 7));
    flips_fork_child(&copy);
    cr_assert(!flips_flip_done(&copy, &drain));
    int value;
    drain = flips_flip(&copy); /* the bank without a push in flight is whole */
    cr_assert(flips_drain_next(&drain, &value) && value == 7);
    cr_assert(!flips_drain_next(&drain, &value));
    flips_drain_end(&drain);
    flips_destroy(&copy);
}

Test(smallbuf_flip_wait, the_child_of_a_fork_gives_up_what_is_in_flight, .init = setup)
{
    push_until(fork_in_flight);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}
#endif

static void *sleep_until_something(void *times)
{
    for (int i = 0; i < *(int *)times; i++) {
        errno = ETIMEDOUT; /* of a call before, which says nothing of this one */
        cr_assert(flips_wait(&buffer, -1));
        flips_drain drain = flips_flip(&buffer);
        for (int value; flips_drain_next(&drain, &value);)
            __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
        flips_drain_end(&drain);
        /* last: what is pushed from here on is for the next wait, and in no drain before it */
        __atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* One waits for the other: a wake-up that is lost would be seen, by a test that does not end. */
Test(smallbuf_flip_wait, pushes_and_wakes_end_a_sleep, .init = setup)
{
    int times = 2000;
    cr_assert(pthread_create(&drainer, NULL, sleep_until_something, &times) == 0);
    int pushes = 0;
    for (int i = 0; i < times; i++) {
        if (i % 3 != 0)
            cr_assert(flips_push(&buffer, pushes++));
        else
            flips_wake(&buffer);
        while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) <= i ||
               __atomic_load_n(&taken, __ATOMIC_SEQ_CST) < pushes)
            sched_yield();
    }
    cr_assert(pthread_join(drainer, NULL) == 0);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}

#ifdef SYS_futex
/* By a thread that means what had this address before, say. */
static bool wake_for_nothing(void)
{
    enum { WAKE_PRIVATE = 1 | 128 };
    const uint32_t *halves = (const uint32_t *)(const void *)&buffer.tail;
    return syscall(SYS_futex, &halves[0], WAKE_PRIVATE, 1, NULL, NULL, 0) > 0 ||
           syscall(SYS_futex, &halves[1], WAKE_PRIVATE, 1, NULL, NULL, 0) > 0;
}

Test(smallbuf_flip_wait, who_is_woken_for_nothing_sleeps_on, .init = setup)
{
    int once = 1;
    cr_assert(pthread_create(&drainer, NULL, sleep_until_something, &once) == 0);
    for (int woken = 0; woken < 5; woken += wake_for_nothing())
        cr_assert(__atomic_load_n(&ended, __ATOMIC_SEQ_CST) == 0);
    cr_assert(flips_push(&buffer, 1));
    cr_assert(pthread_join(drainer, NULL) == 0);
    check_equal((size_t)taken, 1);
    flips_destroy(&buffer);
    check_all_back(&allocator);
}
#endif
