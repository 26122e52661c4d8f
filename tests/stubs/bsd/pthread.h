/* SPDX-License-Identifier: MIT */
/* pthread.h - of macOS and the BSDs. They have neither link.h nor sys/syscall.h, and no barrier. */
#pragma once
typedef struct vf_stub_thread *pthread_t;
#include_next <pthread.h>
#define PTHREAD_COND_INITIALIZER                                                                   \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define PTHREAD_CANCEL_DISABLE 0
struct timespec;
typedef struct vf_stub_condition {
    long words[8];
} pthread_cond_t;
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *until);
int pthread_cond_broadcast(pthread_cond_t *condition);
int pthread_setcancelstate(int state, int *before);
