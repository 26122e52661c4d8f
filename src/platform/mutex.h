/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - a mutex that can be asked whether it is held, so that a function which needs a lock
 * asserts so in its first line.
 */
#ifndef VF_MUTEX_H
#define VF_MUTEX_H

#include <pthread.h>
#include <stdbool.h>

typedef struct vf_mutex {
    pthread_mutex_t mutex;
    pthread_t owner; /* where it is held; these two are its holder's */
    bool held;
} vf_mutex;

#define VF_MUTEX_INITIALIZER                                                                       \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                         \
    }

void vf_mutex_init(vf_mutex *mutex);
void vf_mutex_destroy(vf_mutex *mutex);
void vf_mutex_lock(vf_mutex *mutex);
void vf_mutex_unlock(vf_mutex *mutex);

/* False: another thread holds it, or this one. */
bool vf_mutex_trylock(vf_mutex *mutex);

/* Does the calling thread hold it? For assertions. */
bool vf_mutex_held(const vf_mutex *mutex);

#endif
