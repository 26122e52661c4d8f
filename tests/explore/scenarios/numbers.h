/* SPDX-License-Identifier: MIT */
/*
 * numbers.h - what the scenarios of the small buffer share: each thread pushes PUSHES numbers that
 * say who pushed them and when, and a drain must hand out each that was accepted, once, and those
 * of one thread in order.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "explore.h"

#ifndef PUSHES
#    define PUSHES 2
#endif
#ifndef BEFORE
#    define BEFORE 0 /* pushed before the threads begin */
#endif
#ifndef REFUSED
#    define REFUSED 0 /* which allocation is refused; 0: none */
#endif
#ifndef FIRST_CHUNK
#    define FIRST_CHUNK 0 /* slots in the first chunk; 0: the usual */
#endif
#ifndef CAP
#    define CAP 0 /* elements; 0: none */
#endif

enum { PUSHERS = 2 };

#define VF_T    long
#define VF_NAME numbers
#define VF_N    1
#ifdef LANES
#    define VF_LANES
#endif
#include <veryfast/smallbuf.h>

static numbers buffer;
static bool accepted[PUSHERS][PUSHES];
static bool drained[PUSHERS][PUSHES];

static inline long number_of(long who, long when)
{
    return 100 + who * 10 + when;
}

static inline void prepare(void)
{
    static const vf_smallbuf_options options = {.first_chunk = FIRST_CHUNK, .max_elements = CAP};
    numbers_init(&buffer, &options);
    for (long i = 0; i < BEFORE; i++) {
        bool pushed = numbers_push_exclusive(&buffer, i);
        assert(pushed);
    }
    explore_refuse(REFUSED, REFUSED);
}

static inline void run(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t a, b;
    pthread_create(&a, NULL, first, (void *)0);
    pthread_create(&b, NULL, second, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* A number that a drain has handed out, which is not one of those from before. */
static inline void note_drained(long number)
{
    long who = (number - 100) / 10, when = number % 10;
    assert(who >= 0 && who < PUSHERS && when < PUSHES && !drained[who][when]);
#ifndef END /* lanes.c: several threads, between which there is no order */
    for (long later = when + 1; later < PUSHES; later++) {
        assert(!drained[who][later]);
    }
#endif
    drained[who][when] = true;
}

static inline size_t take_all_of(numbers_drain *drain)
{
    long number;
    size_t n = 0;
    for (; numbers_drain_next(drain, &number); n++) {
        if (number >= 100) {
            note_drained(number);
        }
    }
    return n;
}

static inline size_t take_all(numbers_drain *drain)
{
    size_t n = take_all_of(drain);
    numbers_drain_end(drain);
    return n;
}

/* How many were accepted; each of them has been drained, and no other. */
static inline size_t check_drained(void)
{
    size_t n = 0;
    for (int who = 0; who < PUSHERS; who++) {
        for (int when = 0; when < PUSHES; when++) {
            assert(drained[who][when] == accepted[who][when]);
            n += accepted[who][when];
        }
    }
    return n;
}

/* How many were accepted, where no drain came between: of each thread, the first ones. */
static inline size_t check_prefixes(void)
{
    for (int who = 0; who < PUSHERS; who++) {
        for (int when = 1; when < PUSHES; when++) {
            assert(accepted[who][when - 1] || !accepted[who][when]);
        }
    }
    return check_drained();
}
