/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - no call is a cancellation point: a thread that is cancelled within one ends behind it,
 * with all locks released and nothing in its hands.
 *
 *     int state = vf_cancel_off();
 *     ...                             what may be a cancellation point of the system or of liburcu
 *     vf_cancel_restore(state);
 *
 * Android, Windows and WebAssembly have no cancellation.
 */
#ifndef VF_CANCEL_H
#define VF_CANCEL_H

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_POSIX && !defined(__ANDROID__) && !defined(__wasi__)
#    include <pthread.h>

static inline int vf_cancel_off(void)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

static inline void vf_cancel_restore(int state)
{
    pthread_setcancelstate(state, &state);
}
#else
static inline int vf_cancel_off(void)
{
    return 0;
}

static inline void vf_cancel_restore(int state)
{
    (void)state;
}
#endif

#endif
