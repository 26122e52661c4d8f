/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - POSIX' barriers, which macOS lacks: as much of them as tests need.
 */
#ifndef TESTS_SUPPORT_BARRIER_H
#define TESTS_SUPPORT_BARRIER_H

#include <pthread.h>

#ifdef __APPLE__
#    define PTHREAD_BARRIER_SERIAL_THREAD (-1)

typedef struct test_barrier {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    unsigned threads, waiting, rounds;
} pthread_barrier_t;

static inline int pthread_barrier_init(pthread_barrier_t *barrier, const void *attributes,
                                       unsigned threads)
{
    (void)attributes;
    barrier->threads = threads;
    barrier->waiting = barrier->rounds = 0;
    int error = pthread_mutex_init(&barrier->lock, NULL);
    return error != 0 ? error : pthread_cond_init(&barrier->all_here, NULL);
}

static inline int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    pthread_mutex_lock(&barrier->lock);
    unsigned round = barrier->rounds;
    int last = ++barrier->waiting == barrier->threads;
    if (last) {
        barrier->waiting = 0;
        barrier->rounds++;
        pthread_cond_broadcast(&barrier->all_here);
    }
    while (barrier->rounds == round)
        pthread_cond_wait(&barrier->all_here, &barrier->lock);
    pthread_mutex_unlock(&barrier->lock);
    return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

static inline int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    pthread_cond_destroy(&barrier->all_here);
    return pthread_mutex_destroy(&barrier->lock);
}
#endif

#endif
