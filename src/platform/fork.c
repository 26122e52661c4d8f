/* SPDX-License-Identifier: MIT */
/*
 * fork.c - see fork.h.
 */
#define _POSIX_C_SOURCE 200809L /* pthread_atfork */

#include "fork.h"

#if VF_FORKS
#    include <pthread.h>

void vf_fork_watch(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    (void)pthread_atfork(before, in_parent, in_child);
}
#endif
