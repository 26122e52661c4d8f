/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - POSIX' barriers, by those of the examples on macOS, which lacks them: as much of them
 * as tests need.
 */
#ifndef TESTS_SUPPORT_BARRIER_H
#define TESTS_SUPPORT_BARRIER_H

#include <pthread.h>

#ifdef __APPLE__
#    include <errno.h>

#    include "../../examples/barrier.h"

#    define PTHREAD_BARRIER_SERIAL_THREAD (-1)

typedef struct barrier pthread_barrier_t;

static inline int pthread_barrier_init(pthread_barrier_t *barrier, const void *attributes,
                                       unsigned threads)
{
    (void)attributes;
    return barrier_init(barrier, threads) ? 0 : EAGAIN;
}

static inline int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    return barrier_wait(barrier) ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

static inline int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    barrier_destroy(barrier);
    return 0;
}
#endif

#endif
