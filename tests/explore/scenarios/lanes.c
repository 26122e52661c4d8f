/* SPDX-License-Identifier: MIT */
/*
 * lanes.c - two threads push with VF_LANES, each into runs of its own, and their lanes are in one
 * list. BEFORE puts them among the single slots, where runs begin, or at the end of a chunk.
 *
 *     RESERVE   room was reserved, and no memory is to be had: no push may fail, or need any
 *     BULK      the second push is one of two elements: one in the lane, one behind it, if the run
 *               is of two
 *     END       one thread is two, one after the other
 *     READ      two readers meet lanes with slots, of this thread and of one that has ended
 */
#include "numbers.h"

#ifndef LAST
#    define LAST REFUSED
#endif

static void *push_from(void *argument)
{
    long who = (long)argument / PUSHES;
    for (long i = (long)argument % PUSHES; i < PUSHES; i++) {
#ifdef BULK
        if (i == 1) {
            long both[] = {number_of(who, 1), number_of(who, 2)};
            size_t n = numbers_push_n(&buffer, both, 2);
            accepted[who][1] = n > 0;
            accepted[who][++i] = n > 1;
            continue;
        }
#endif
        accepted[who][i] = numbers_push(&buffer, number_of(who, i));
        assert(!accepted[who][i] || i == 0 || accepted[who][i - 1]);
    }
    return NULL;
}

#ifndef READ
static void *push_all(void *argument)
{
    return push_from((void *)((long)argument * PUSHES));
}
#endif

#ifdef END
static void *push_first(void *argument)
{
    accepted[0][0] = numbers_push(&buffer, number_of(0, 0));
    return argument;
}

/* The second one has the index of the first, and its lane. */
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
#elif defined(READ)
static void *first(void *argument)
{
    size_t count = numbers_count(&buffer), seen = BEFORE;
    const long *some;
    assert(count == BEFORE + 1 + PUSHES);
    for (size_t n; (n = numbers_span(&buffer, seen, &some)) > 0; seen += n) {
        for (size_t k = 0; k < n; k++) {
            assert(some[k] >= 100);
        }
    }
    assert(seen == count);
    return argument;
}
#else
#    define first push_all
#endif

void scenario(void)
{
    prepare();
#ifdef RESERVE
    bool reserved = numbers_reserve(&buffer, PUSHERS * PUSHES);
    assert(reserved);
    explore_refuse(1, 99);
#else
    explore_refuse(REFUSED, LAST);
#endif
#ifdef READ
    pthread_t other;
    accepted[0][0] = numbers_push(&buffer, number_of(0, 0));
    pthread_create(&other, NULL, push_from, (void *)PUSHES);
    pthread_join(other, NULL);
    run(first, first);
#else
    run(first, push_all);
#endif
    size_t count = numbers_count(&buffer);
    size_t refused = numbers_refused(&buffer);
#ifdef RESERVE
    assert(refused == 0);
#endif
    numbers_drain drain = numbers_drain_begin(&buffer);
    size_t n = take_all(&drain);
    size_t drained_now = check_drained();
    assert(n == count && count == BEFORE + drained_now);
#ifdef READ
    assert(refused == 0);
#else
    assert(refused == PUSHERS * PUSHES - drained_now);
#endif
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
