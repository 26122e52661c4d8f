/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - a mutex that can be asked whether it is held, so that a function which needs a lock
 * asserts so in its first line.
 */
#ifndef VF_MUTEX_H
#define VF_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
typedef void *vf_mutex_word; /* an SRWLOCK */
#    define VF_MUTEX_WORD_INIT 0
#elif VF_SYSTEM == VF_SYSTEM_OWN
typedef vf_own_mutex vf_mutex_word;
#    define VF_MUTEX_WORD_INIT VF_OWN_MUTEX_INIT
#else
#    include <pthread.h>
typedef pthread_mutex_t vf_mutex_word;
#    define VF_MUTEX_WORD_INIT PTHREAD_MUTEX_INITIALIZER
#endif

typedef struct vf_mutex {
    vf_mutex_word word;
    uintptr_t owner; /* the thread that holds it; written by that thread, as held is */
    bool held;
} vf_mutex;

/* For one that lasts as long as the process, instead of vf_mutex_init. */
#define VF_MUTEX_INITIALIZER                                                                       \
    {                                                                                              \
        VF_MUTEX_WORD_INIT, 0, false                                                               \
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
