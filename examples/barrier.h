/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - where some threads wait for one another: pthread_barrier_t, which macOS lacks.
 */
#ifndef BARRIER_H
#define BARRIER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct barrier {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    size_t threads, waiting, rounds;
};

static inline bool barrier_init(struct barrier *barrier, size_t threads)
{
    barrier->threads = threads;
    barrier->waiting = barrier->rounds = 0;
    if (pthread_mutex_init(&barrier->lock, NULL))
        return false;
    if (!pthread_cond_init(&barrier->all_here, NULL))
        return true;
    pthread_mutex_destroy(&barrier->lock);
    return false;
}

static inline void barrier_destroy(struct barrier *barrier)
{
    pthread_cond_destroy(&barrier->all_here);
    pthread_mutex_destroy(&barrier->lock);
}

/* True on the thread that came last. */
static inline bool barrier_wait(struct barrier *barrier)
{
    pthread_mutex_lock(&barrier->lock);
    size_t round = barrier->rounds;
    bool last = ++barrier->waiting == barrier->threads;
    if (last) {
        barrier->waiting = 0;
        barrier->rounds++;
        pthread_cond_broadcast(&barrier->all_here);
    }
    while (barrier->rounds == round)
        pthread_cond_wait(&barrier->all_here, &barrier->lock);
    pthread_mutex_unlock(&barrier->lock);
    return last;
}

#endif
