/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_flip_grace.c - flips that wait for a grace period instead of counting: what the
 * drain has, and threads that push all the time and meet at the end of each frame.
 */
#include <pthread.h>

#include "test_common.h"
#include "threads.h"

static uint64_t drops;

#define VF_T       uint64_t
#define VF_N       4
#define VF_NAME    numbers
#define VF_DROP(p) (drops += *(p))
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

static numbers buffer;

static void push(uint64_t from, uint64_t to)
{
    for (uint64_t value = from; value < to; value++)
        cr_assert(numbers_push(&buffer, value));
}

/* The drain has these, in order, and no more. */
static void check_drain(numbers_drain drain, uint64_t from, uint64_t to)
{
    uint64_t value;
    for (; from < to; from++) {
        cr_assert(numbers_drain_next(&drain, &value));
        check_equal(value, from);
    }
    cr_assert(!numbers_drain_next(&drain, &value));
    numbers_drain_end(&drain);
}

Test(flip_grace, what_was_pushed_before_the_begin)
{
    static const uint64_t counts[] = {0, 1, 4, 5, 300};
    enum { COUNTS = sizeof counts / sizeof *counts };
    for (size_t i = 0; i < COUNTS * COUNTS; i++) {
        uint64_t before = counts[i / COUNTS], after = before + counts[i % COUNTS];
        push(0, before);
        numbers_flip_begin(&buffer);
        push(before, after);
        check_drain(numbers_flip_finish(&buffer), 0, before);
        check_equal(numbers_count(&buffer), after - before);
        numbers_flip_begin(&buffer);
        check_drain(numbers_flip_finish(&buffer), before, after);
        check_equal(numbers_count(&buffer), 0);
        push(0, before);
        check_drain(numbers_drain_begin(&buffer), 0, before);
    }
    numbers_destroy(&buffer);
}

Test(flip_grace, the_rest_is_dropped)
{
    drops = 0;
    push(1, 11);
    numbers_flip_begin(&buffer);
    numbers_drain drain = numbers_flip_finish(&buffer);
    uint64_t value;
    cr_assert(numbers_drain_next(&drain, &value));
    numbers_drain_end(&drain);
    check_equal(drops, 54);
    numbers_destroy(&buffer);
}

Test(flip_grace, the_cap_is_each_fills)
{
    static const size_t caps[] = {1, 3, 4, 5, 100};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        vf_smallbuf_options options = {.max_elements = caps[i]};
        numbers_init(&buffer, &options);
        for (int turn = 0; turn < 4; turn++) {
            push(0, caps[i]);
            check_refused(ENOMEM, !numbers_push(&buffer, 0));
            numbers_flip_begin(&buffer);
            push(0, 1);
            numbers_drain drain = numbers_flip_finish(&buffer);
            check_equal(numbers_drain_refused(&drain), 1);
            check_drain(drain, 0, caps[i]);
            check_drain(numbers_drain_begin(&buffer), 0, 1);
        }
        numbers_destroy(&buffer);
        numbers_init(&buffer, NULL);
    }
}

/* Threads and frames. */

enum { PUSHERS = 3, FRAMES = 300, MOST = 40 };

static pthread_barrier_t frame_end;

static void *pusher(void *number)
{
    uint64_t random = (uint64_t)(uintptr_t)number + 1;
    uint64_t next = 0;
    for (int frame = 0; frame < FRAMES; frame++) {
        for (uint64_t n = test_random(&random) % MOST; n > 0; n--)
            cr_assert(numbers_push(&buffer, (uint64_t)(uintptr_t)number << 32 | next++));
        pthread_barrier_wait(&frame_end);
    }
    return (void *)(uintptr_t)next;
}

/* Each pusher's elements, in its order. */
static void take(numbers_drain drain, uint64_t *next)
{
    uint64_t value;
    while (numbers_drain_next(&drain, &value)) {
        cr_assert(value >> 32 < PUSHERS);
        check_equal(value & UINT32_MAX, next[value >> 32]);
        next[value >> 32]++;
    }
    numbers_drain_end(&drain);
}

Test(flip_grace, at_the_end_of_each_frame)
{
    pthread_t threads[PUSHERS];
    uint64_t next[PUSHERS] = {0};
    pthread_barrier_init(&frame_end, NULL, PUSHERS + 1);
    for (uintptr_t i = 0; i < PUSHERS; i++)
        cr_assert(pthread_create(&threads[i], NULL, pusher, (void *)i) == 0);
    for (int frame = 0; frame < FRAMES; frame++) {
        numbers_flip_begin(&buffer);
        pthread_barrier_wait(&frame_end);
        take(numbers_flip_finish(&buffer), next); /* while the next frame is being pushed */
    }
    void *pushed[PUSHERS];
    for (size_t i = 0; i < PUSHERS; i++)
        pthread_join(threads[i], &pushed[i]);
    take(numbers_drain_begin(&buffer), next);
    for (size_t i = 0; i < PUSHERS; i++)
        check_equal(next[i], (uintptr_t)pushed[i]);
    numbers_destroy(&buffer);
    pthread_barrier_destroy(&frame_end);
}
