/* SPDX-License-Identifier: MIT */
/*
 * flip_trim.c - a push while the drainer gives back the memory of the bank that it has drained: the
 * push may have looked at a chunk that is gone when it takes its index, in that bank, whose next
 * fill has come to the slots that were there. With GROWN that fill has a chunk of its own for them.
 */
#define VF_FLIP
#define PUSHES      1
#define FIRST_CHUNK 1
#define BEFORE      3 /* one inside, one in the first chunk, one in the second */
#include "numbers.h"

static void *pusher(void *argument)
{
    accepted[0][0] = numbers_push(&buffer, number_of(0, 0));
    return argument;
}

static void flip(void)
{
    numbers_drain drain = numbers_flip(&buffer);
    take_all_of(&drain);
    numbers_drain_end_trim(&drain, 0);
}

void scenario(void)
{
    prepare();
    pthread_t thread;
    pthread_create(&thread, NULL, pusher, NULL);
    flip();
    flip();
#ifdef GROWN
    for (long i = 0; i < 3; i++) {
#else
    for (long i = 0; i < 2; i++) {
#endif
        bool pushed = numbers_push(&buffer, i);
        assert(pushed);
    }
    pthread_join(thread, NULL);
    flip();
    flip();
    assert(check_drained() == 1);
    assert(explore_blocks() <= 2); /* their first chunks */
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
