/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - no call is a cancellation point: a thread that is cancelled within one ends behind it,
 * with all locks released and nothing in its hands.
 *
 *     int state = vf_cancel_off();
 *     ...                             what may be a cancellation point of the system or of liburcu
 *     vf_cancel_restore(state);
 */
#ifndef VF_CANCEL_H
#define VF_CANCEL_H

#include <pthread.h>

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

#endif
