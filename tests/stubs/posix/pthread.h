/* SPDX-License-Identifier: MIT */
/*
 * pthread.h - of Android, macOS and the BSDs, what src/platform uses: to compile for them. What
 * only some of them have is in their own folders, which are looked into first.
 */
#pragma once
#include <signal.h>
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
#define PTHREAD_ONCE_INIT                                                                          \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
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
