/* SPDX-License-Identifier: MIT */
/*
 * wait.c - see wait.h.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "wait.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "cancel.h"

#define SPINS  100  /* a thread that runs is done by then */
#define YIELDS 1000 /* one that was preempted has had its turn */

void vf_wait_sleep(void)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    int state = vf_cancel_off();
    int saved = errno; /* a signal's handler may end the sleep */
    nanosleep(&pause, NULL);
    errno = saved;
    vf_cancel_restore(state);
}

void vf_wait_round(unsigned *round)
{
    if (*round > YIELDS) {
        vf_wait_sleep();
        return;
    }
    if (*round > SPINS)
        sched_yield();
    ++*round;
}
