/* SPDX-License-Identifier: MIT */
/*
 * flip.c - two threads push while a third flips the buffer and drains what it has taken (FLIPS
 * times), or tries to (TRY). A push counted as done before its number is there, or into a bank that
 * is drained already, loses the number or shows it twice; the bank that pushes go to next must be
 * seen emptied. What the pushers were refused is what the drains say was. With BEGIN a flip is
 * begun, and the drain asked for again and again. The last drain has exclusive access: with BEGIN
 * while a flip is begun.
 */
#define VF_FLIP
#define PUSHES 1
#include <sched.h>

#include "numbers.h"

#ifndef FLIPS
#    define FLIPS 2
#endif

static void *pusher(void *argument)
{
    long who = (long)argument;
    accepted[who][0] = numbers_push(&buffer, number_of(who, 0));
    return NULL;
}

static size_t refused;

static void take(numbers_drain *drain)
{
    refused += numbers_drain_refused(drain);
    take_all(drain);
}

static void flip(void)
{
    numbers_drain drain;
#ifdef COUNT
    assert(numbers_count_about(&buffer) <= BEFORE + PUSHERS);
#endif
#ifdef TRY
    if (numbers_flip_try(&buffer, &drain)) {
        take(&drain);
    }
#elif defined(BEGIN)
    numbers_flip_begin(&buffer);
    while (!numbers_flip_done(&buffer, &drain)) {
        sched_yield();
        numbers_flip_begin(&buffer); /* nothing, as one has begun */
    }
    take(&drain);
#else
    drain = numbers_flip(&buffer);
    take(&drain);
#endif
}

void scenario(void)
{
    prepare();
    pthread_t thread[PUSHERS];
    for (long who = 0; who < PUSHERS; who++) {
        pthread_create(&thread[who], NULL, pusher, (void *)who);
    }
    for (int i = 0; i < FLIPS; i++) {
        flip();
    }
    for (long who = 0; who < PUSHERS; who++) {
        pthread_join(thread[who], NULL);
    }
#ifdef BEGIN
    numbers_flip_begin(&buffer);
    numbers_drain drain = numbers_drain_begin(&buffer);
    take(&drain);
#else
    flip();
    flip(); /* both banks */
#endif
    assert(refused == PUSHERS - check_drained());
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
