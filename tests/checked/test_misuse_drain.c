/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_drain.c - calls in the middle of something: pushes in a drain of the same bank, or in
 * another push; a pool's call in another one, by a signal's handler.
 */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <pthread.h>
#include <sys/time.h>

#include "misuse.h"

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

#define VF_T       int
#define VF_N       4
#define VF_NAME    dropped
#define VF_DROP(p) ((void)(*(p) = 0))
#include <veryfast/smallbuf.h>

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

#define VF_T    int
#define VF_N    4
#define VF_NAME flipped
#define VF_FLIP
#include <veryfast/smallbuf.h>

static smallbuf_int_4 buffer, second;
static dropped drops;
static flipped flips;
static smallbuf_int_4_drain drain;
static dropped_drain dropping;
static flipped_drain flipping;

SCENE(push_one)
{
    (void)smallbuf_int_4_push(&buffer, 1);
}

SCENE(push_one_alone)
{
    (void)smallbuf_int_4_push_exclusive(&buffer, 1);
}

SCENE(take_next)
{
    int value;
    (void)smallbuf_int_4_drain_next(&drain, &value);
}

SCENE(take_span)
{
    int *values;
    (void)smallbuf_int_4_drain_span(&drain, &values);
}

SCENE(end_dropping)
{
    dropped_drain_end(&dropping);
}

static void begin(void)
{
    for (int i = 0; i < 10; i++)
        push_one();
    drain = smallbuf_int_4_drain_begin(&buffer);
}

/* A handler of messages that sends one to its own mailbox. */
SCENE(pushes_and_goes_on)
{
    begin();
    take_next();
    push_one();
    take_next();
}

SCENE(pushes_alone_and_goes_on)
{
    begin();
    push_one_alone();
    take_span();
}

SCENE(pushes_behind_the_last_span)
{
    begin();
    for (int i = 0; i < 2; i++)
        take_span();
    push_one();
    take_span();
}

SCENE(pushes_and_ends)
{
    for (int i = 0; i < 10; i++)
        (void)dropped_push(&drops, i);
    dropping = dropped_drain_begin(&drops);
    (void)dropped_push(&drops, 1);
    end_dropping();
}

static void *push_there(void *none)
{
    push_one();
    return none;
}

SCENE(another_thread_pushes)
{
    pthread_t thread;
    begin();
    if (pthread_create(&thread, NULL, push_there, NULL) != 0 || pthread_join(thread, NULL) != 0)
        _exit(1);
    take_next();
}

#define SAYS " goes on after a push to the buffer that is drained at "

Test(misuse_drain, that_goes_on_after_a_push)
{
    const char *name = "smallbuf_int_4";
    misuse_check(pushes_and_goes_on, name, ": S_drain_next" SAYS "take_next+0x",
                 ", begun at push_one+0x");
    misuse_check(pushes_alone_and_goes_on, name, ": S_drain_span" SAYS "take_span+0x",
                 ", begun at push_one_alone+0x");
    misuse_check(pushes_behind_the_last_span, name, ": S_drain_span" SAYS "take_span+0x",
                 ", begun at push_one+0x");
    misuse_check(pushes_and_ends, "dropped", ": S_drain_end" SAYS "end_dropping+0x",
                 ", begun at pushes_and_ends+0x");
    misuse_check(another_thread_pushes, name, ": S_drain_next" SAYS "take_next+0x",
                 ", begun at push_one+0x");
}

/* Of a buffer with two banks, where the third flip is before the first drain's end. */
SCENE(flips_again_and_goes_on)
{
    int value;
    (void)flipped_push(&flips, 1);
    flipping = flipped_flip(&flips);
    (void)flipped_flip(&flips);
    (void)flipped_push(&flips, 2);
    (void)flipped_drain_next(&flipping, &value);
}

SCENE(drains_flipped_and_goes_on)
{
    int value;
    (void)flipped_push(&flips, 1);
    flipping = flipped_drain_begin(&flips);
    (void)flipped_push(&flips, 2);
    (void)flipped_drain_next(&flipping, &value);
}

Test(misuse_drain, of_a_bank_that_is_pushed_to_again)
{
    misuse_check(flips_again_and_goes_on, "flipped", ": S_drain_next" SAYS,
                 ", begun at flips_again_and_goes_on+0x");
    misuse_check(drains_flipped_and_goes_on, "flipped", ": S_drain_next" SAYS,
                 ", begun at drains_flipped_and_goes_on+0x");
}

/* What is no misuse. */
SCENE(begins_anew)
{
    begin();
    take_next();
    push_one(); /* the drain was abandoned */
    begin();
    for (int i = 0; i < 12; i++)
        take_next();
    push_one(); /* it had come to its end */
    smallbuf_int_4_drain_end(&drain);
    begin();
    (void)smallbuf_int_4_push(&second, 1);
    take_next();
}

SCENE(pushes_to_the_other_bank)
{
    int value;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 10; i++)
            (void)flipped_push(&flips, i);
        if (round % 2 != 0)
            flipping = flipped_flip(&flips);
        else if (!flipped_flip_try(&flips, &flipping))
            _exit(1);
        for (int i = 0; i < 10; i++) {
            (void)flipped_push(&flips, i);
            (void)flipped_drain_next(&flipping, &value);
        }
        flipped_drain_end(&flipping);
    }
}

/* Each part keeps the bank: also when others have ended. */
static smallbuf_int_4_drain parts[2];
static flipped_drain flipped_parts[2];

SCENE(pushes_and_goes_on_with_a_part)
{
    begin();
    if (smallbuf_int_4_drain_split(&drain, parts, 2) != 2)
        _exit(1);
    smallbuf_int_4_drain_end(&drain);
    smallbuf_int_4_drain_end(&parts[0]);
    smallbuf_int_4_drain_end(&parts[0]);
    push_one();
    drain = parts[1];
    take_next();
}

SCENE(pushes_and_splits)
{
    begin();
    push_one();
    (void)smallbuf_int_4_drain_split(&drain, parts, 2);
}

SCENE(trims_before_a_part_has_ended)
{
    for (int i = 0; i < 10; i++)
        (void)flipped_push(&flips, i);
    flipping = flipped_flip(&flips);
    if (flipped_drain_split(&flipping, flipped_parts, 2) != 2)
        _exit(1);
    flipped_drain_end(&flipped_parts[1]);
    (void)flipped_drain_end_trim(&flipping, 0);
}

Test(misuse_drain, of_parts)
{
    misuse_check(pushes_and_goes_on_with_a_part, "smallbuf_int_4",
                 ": S_drain_next" SAYS "take_next+0x", ", begun at push_one+0x");
    misuse_check(pushes_and_splits, "smallbuf_int_4", ": S_drain_split" SAYS "pushes_and_splits+0x",
                 ", begun at push_one+0x");
    misuse_check(trims_before_a_part_has_ended, "flipped",
                 ": S_drain_end_trim before all parts of the drain have ended at "
                 "trims_before_a_part_has_ended+0x",
                 ", 1 are left");
}

/* Parts of two banks, the first of which ends in the middle of the second. */
SCENE(splits_two_banks)
{
    int *values;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            if (i == 5)
                flipped_flip_begin(&flips);
            (void)flipped_push(&flips, i);
        }
        flipping = flipped_drain_begin(&flips);
        if (flipped_drain_split(&flipping, flipped_parts, 2) != 2)
            _exit(1);
        for (int i = 0; i < 2; i++) {
            while (flipped_drain_span(&flipped_parts[i], &values) > 0) {
            }
            flipped_drain_end(&flipped_parts[i]);
        }
        if (round == 1)
            (void)flipped_drain_end_trim(&flipping, 0);
    }
    (void)flipped_push(&flips, 1);
    flipped_drain_end(&flipping);
}

Test(misuse_drain, that_is_none)
{
    cr_assert(check_passes(splits_two_banks)[0] == '\0');
    cr_assert(check_passes(begins_anew)[0] == '\0');
    cr_assert(check_passes(pushes_to_the_other_bank)[0] == '\0');
}

/* ---- a push in a push ---- */

SCENE(push_in_the_allocator)
{
    (void)smallbuf_int_4_push(&buffer, 2);
}

static void *alloc_and_push(void *context, size_t size, size_t alignment)
{
    (void)context;
    push_in_the_allocator();
    return misuse_alloc(size, alignment);
}

SCENE(pushes_with_that_allocator)
{
    static const vf_smallbuf_options options = {
        .allocator = {alloc_and_push, misuse_dealloc, NULL}};
    smallbuf_int_4_init(&buffer, &options);
    for (int i = 0; i < 5; i++)
        push_one();
}

SCENE(push_in_a_handler)
{
    (void)flipped_push(&flips, 3);
}

static void handle(int number)
{
    (void)number;
    push_in_a_handler();
}

/* Until a signal comes in the middle of a push, where a checked build has its own lock mostly. */
SCENE(pushes_while_signals_come)
{
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, NULL);
    for (;;) {
        for (int i = 0; i < 1000; i++)
            (void)flipped_push(&flips, i);
        flipped_clear(&flips);
    }
}

Test(misuse_drain, a_push_in_a_push)
{
    misuse_check(pushes_with_that_allocator, "smallbuf_int_4",
                 ": a push in the middle of another (by a signal's handler, or the allocator) at "
                 "push_in_the_allocator+0x",
                 ", begun at push_one+0x");
    for (int i = 0; i < 20; i++)
        misuse_check(pushes_while_signals_come, "flipped", " in the middle of another",
                     " at push_in_a_handler+0x");
}

/* ---- a pool's call in another one ---- */

static pool_int_64 *pool;
static bool signal_comes;

/* In place of libc's: a signal comes while the lock is still held. */
int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    static int (*unlock)(pthread_mutex_t *);
    if (unlock == NULL)
        *(void **)&unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
    if (signal_comes) {
        signal_comes = false;
        raise(SIGUSR1);
    }
    return unlock(mutex);
}

SCENE(alloc_in_a_handler)
{
    (void)pool_int_64_alloc(pool);
}

static void handle_by_a_pool(int number)
{
    (void)number;
    alloc_in_a_handler();
}

SCENE(alloc_while_a_signal_comes)
{
    struct sigaction action = {.sa_handler = handle_by_a_pool};
    sigaction(SIGUSR1, &action, NULL);
    pool = pool_int_64_new(NULL);
    signal_comes = true;
    (void)pool_int_64_alloc(pool);
}

Test(misuse_drain, a_call_of_a_pool_in_another)
{
    misuse_check(alloc_while_a_signal_comes, "a pool",
                 ": a signal's handler makes a call in the middle of another",
                 " at alloc_in_a_handler+0x");
}
