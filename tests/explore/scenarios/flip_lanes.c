/* SPDX-License-Identifier: MIT */
/*
 * flip_lanes.c - a thread pushes with VF_LANES, or two do (TWO), while another flips the buffer and
 * drains what it has taken. The lanes are in one list, and BEFORE puts them where runs begin. A
 * slot of a run that is claimed and not yet filled, or never, must not come out, nor may the drain
 * miss one. The first push of a fill is told so, and no other.
 *
 *     BEGIN     the flip is begun, and the drain asked for again and again
 *     AGAIN     the bank comes round, as full as it was, to threads that have looked at it before
 *     TRIM      the same, with the memory given back in between: a run that was within room may not
 *               be there, and REFUSED, too
 *     BULK      the second push is one of two elements: one in the lane, one behind it, if the run
 *               is of two
 *     END       one thread is two, one after the other
 */
#define VF_FLIP
#include <sched.h>

#include "numbers.h"

#ifndef LAST
#    define LAST REFUSED
#endif

static size_t refused;
static size_t edges, fills; /* pushes that were told to be the first, and drains with elements */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note_edge(size_t index)
{
    if (index == 0) {
        pthread_mutex_lock(&lock);
        edges++;
        pthread_mutex_unlock(&lock);
    }
}

static void *push_from(void *argument)
{
    long who = (long)argument / PUSHES;
    for (long i = (long)argument % PUSHES; i < PUSHES; i++) {
        size_t index;
#ifdef BULK
        if (i == 1) {
            long both[] = {number_of(who, 1), number_of(who, 2)};
            size_t n = numbers_push_n_index(&buffer, both, 2, &index);
            accepted[who][1] = n > 0;
            accepted[who][++i] = n > 1;
            note_edge(index);
            continue;
        }
#endif
        accepted[who][i] = numbers_push_index(&buffer, number_of(who, i), &index);
        note_edge(index);
    }
    return NULL;
}

#if !defined(END) || defined(TWO)
static void *push_all(void *argument)
{
    return push_from((void *)((long)argument * PUSHES));
}
#endif

#ifdef END
static void *push_first(void *argument)
{
    size_t index;
    accepted[0][0] = numbers_push_index(&buffer, number_of(0, 0), &index);
    note_edge(index);
    return argument;
}

/* The second one has the index of the first, and its lanes. */
static void *push_in_turn(void *argument)
{
    pthread_t one;
    pthread_create(&one, NULL, push_first, NULL);
    pthread_join(one, NULL);
    pthread_create(&one, NULL, push_from, (void *)1);
    pthread_join(one, NULL);
    return argument;
}
#    define first push_in_turn
#else
#    define first push_all
#endif

static void flip(void)
{
    numbers_drain drain;
#ifdef BEGIN
    while (!numbers_flip_try(&buffer, &drain)) {
        sched_yield();
    }
#else
    drain = numbers_flip(&buffer);
#endif
    refused += numbers_drain_refused(&drain);
    size_t n = take_all_of(&drain);
    fills += n > 0;
#ifdef TRIM
    numbers_drain_end_trim(&drain, 0);
#else
    numbers_drain_end(&drain);
#endif
}

static void fill(size_t count)
{
    static const long before[BEFORE + 1];
    size_t index = 1, n = numbers_push_n_index(&buffer, before, count, &index);
    assert(n == count);
    note_edge(index);
}

void scenario(void)
{
#ifdef TRIM
    fill(BEFORE + 1);
    numbers_clear(&buffer);
    edges = 0;
#endif
    fill(BEFORE);
#ifndef TRIM
    explore_refuse(REFUSED, REFUSED);
#endif
    pthread_t a;
    pthread_create(&a, NULL, first, (void *)0);
#ifdef TWO
    pthread_t b;
    pthread_create(&b, NULL, push_all, (void *)1);
#endif
#if defined(AGAIN) || defined(TRIM)
    sched_yield(); /* the other one goes first, which is no preemption */
    flip();
    flip();
    explore_refuse(0, 0);
    fill(BEFORE);
    explore_refuse(REFUSED, LAST);
#else
    flip();
#endif
    pthread_join(a, NULL);
#ifdef TWO
    pthread_join(b, NULL);
#else
    refused += PUSHES; /* as if, of the other one */
#endif
    flip();
    flip();
    assert(edges == fills);
    assert(refused == PUSHERS * PUSHES - check_drained());
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
