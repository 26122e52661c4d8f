/* SPDX-License-Identifier: MIT */
/*
 * wait.c - see wait.h.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include "wait.h"

#include <errno.h>
#include <stddef.h>

#include "cancel.h"
#include "system.h"

#define SPINS  100  /* a thread that runs is done by then */
#define YIELDS 1000 /* one that was preempted has had its turn */

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
#    include "win32.h"

static void yield_once(void)
{
    SwitchToThread();
}

static void sleep_shortly(void)
{
    Sleep(1); /* less only lets threads of the same priority run */
}
#elif VF_SYSTEM == VF_SYSTEM_OWN
static void yield_once(void)
{
    vf_own_yield();
}

static void sleep_shortly(void)
{
    vf_own_sleep(50000);
}
#else
#    include <sched.h>
#    include <time.h>

static void yield_once(void)
{
    sched_yield();
}

static void sleep_shortly(void)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    nanosleep(&pause, NULL);
}
#endif

void vf_wait_sleep(void)
{
    int state = vf_cancel_off();
    int saved = errno; /* a signal's handler may end the sleep */
    sleep_shortly();
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
        yield_once();
    ++*round;
}
