/* SPDX-License-Identifier: MIT */
/*
 * signals.c - see signals.h.
 */
#define _POSIX_C_SOURCE 200809L /* pthread_sigmask */

#include "signals.h"

#include <stddef.h>

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_POSIX && !defined(__wasm__)
#    include <signal.h>

void vf_signals_block(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}
#else
void vf_signals_block(void)
{
}
#endif
