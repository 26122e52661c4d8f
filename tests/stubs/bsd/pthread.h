/* SPDX-License-Identifier: MIT */
/*
 * pthread.h - of macOS and the BSDs, what src/platform uses: to compile for them. Their folder has
 * neither link.h nor sys/syscall.h, and no barrier.
 */
#pragma once
#include <signal.h>
typedef struct vf_stub_thread *pthread_t;
typedef unsigned long pthread_key_t;
typedef struct vf_stub_mutex {
    long words[8];
} pthread_mutex_t;
typedef struct vf_stub_once {
    long words[2];
} pthread_once_t;
typedef struct vf_stub_attributes pthread_mutexattr_t;
#define PTHREAD_MUTEX_INITIALIZER                                                                  \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define PTHREAD_COND_INITIALIZER                                                                   \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define PTHREAD_ONCE_INIT                                                                          \
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
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_once(pthread_once_t *once, void (*call)(void));
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);
int pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
pthread_t pthread_self(void);
int pthread_setcancelstate(int state, int *before);
