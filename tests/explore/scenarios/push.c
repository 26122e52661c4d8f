/* SPDX-License-Identifier: MIT */
/*
 * push.c - two threads push into one small buffer, which spills, grows by a chunk, or has one
 * refused: BEFORE says how full it is at first, REFUSED which allocation fails. What was accepted
 * must be a prefix, each number at the index that its push was told; and a chunk must be seen only
 * when its window is. With TOGETHER one thread pushes both its numbers in one call. With ONE of two
 * allocations for one chunk one fails: the push that has the chunk must have been before.
 */
#include "numbers.h"

static size_t index_of[PUSHERS][PUSHES];

static void *pusher(void *argument)
{
    long who = (long)argument;
    for (long i = 0; i < PUSHES; i++) {
        accepted[who][i] = numbers_push_index(&buffer, number_of(who, i), &index_of[who][i]);
        assert(accepted[who][i] || errno == ENOMEM);
    }
    return NULL;
}

#ifdef TOGETHER
enum { TOLD = 1 };
static void *other(void *argument)
{
    long who = (long)argument;
    const long both[2] = {number_of(who, 0), number_of(who, 1)};
    size_t n = numbers_push_n(&buffer, both, 2);
    accepted[who][0] = n > 0;
    accepted[who][1] = n > 1;
    return NULL;
}
#else
enum { TOLD = PUSHERS }; /* their indices, by their pushes */
#    define other pusher
#endif

static void check_prefix(size_t count)
{
    for (int who = 0; who < TOLD; who++) {
        for (int i = 0; i < PUSHES; i++) {
            assert(accepted[who][i] == (index_of[who][i] < count));
        }
    }
    const long *run;
    for (size_t at = 0, n; (n = numbers_span(&buffer, at, &run)) > 0; at += n) {
        for (size_t i = 0; i < n; i++) {
            assert(run[i] >= 100 || run[i] == (long)(at + i)); /* those from before stand first */
        }
    }
}

void scenario(void)
{
    prepare();
    run(pusher, other);
    size_t count = numbers_count(&buffer);
    size_t refused = numbers_refused(&buffer);
    check_prefix(count);
    numbers_drain drain = numbers_drain_begin(&buffer);
    size_t n = take_all(&drain);
    assert(n == count && count == BEFORE + check_prefixes());
    assert(refused == (size_t)BEFORE + PUSHERS * PUSHES - count);
#ifdef ONE
    explore_sometimes(refused > 0 && count > BEFORE, "the chunk", "is there although one failed");
    explore_sometimes(refused > 0 && count == BEFORE, "the chunk", "is not there");
    explore_sometimes(refused == 0, "the chunk", "was not wanted twice");
#endif
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
