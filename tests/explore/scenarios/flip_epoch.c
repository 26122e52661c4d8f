/* SPDX-License-Identifier: MIT */
/*
 * flip_epoch.c - the flip that counts no pushes: one thread pushes before the end of a frame, which
 * the drainer waits for (here by a join), another pushes all the time, into the bank that is the
 * current one then. What was pushed before is handed out by the first drain, the rest by a second.
 * With AGAIN it may push into the bank that the first drain has emptied, which it must see.
 */
#define VF_FLIP
#define VF_EPOCH
#define PUSHES 1
#include "numbers.h"

static void *pusher(void *argument)
{
    long who = (long)argument;
    accepted[who][0] = numbers_push(&buffer, number_of(who, 0));
    return NULL;
}

static void take(void)
{
    numbers_drain drain = numbers_flip_finish(&buffer);
    take_all(&drain);
}

void scenario(void)
{
    prepare();
    pthread_t before, beside;
    pthread_create(&before, NULL, pusher, (void *)0);
    numbers_flip_begin(&buffer);
    pthread_join(before, NULL);
    pthread_create(&beside, NULL, pusher, (void *)1);
    take();
#ifdef AGAIN
    numbers_flip_begin(&buffer);
    pthread_join(beside, NULL);
    take();
#else
    pthread_join(beside, NULL);
#endif
    numbers_flip_begin(&buffer);
    take();
    assert(check_drained() == PUSHERS);
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
