/* SPDX-License-Identifier: MIT */
/*
 * pthread.h - of macOS, what the examples and unit tests use beyond the library: in front of
 * bsd/. It has no barrier. What macOS hides where _POSIX_C_SOURCE or _XOPEN_SOURCE is defined is
 * hidden here too.
 */
#pragma once
#include_next <pthread.h>
#include <stddef.h>
typedef struct vf_stub_thread_attributes {
    long words[8];
} pthread_attr_t;
typedef struct vf_stub_condition_attributes pthread_condattr_t;
#define PTHREAD_CANCELED              ((void *)1)
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *context);
int pthread_join(pthread_t thread, void **result);
int pthread_attr_init(pthread_attr_t *attributes);
int pthread_attr_destroy(pthread_attr_t *attributes);
int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int pthread_cond_destroy(pthread_cond_t *condition);
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int pthread_cond_signal(pthread_cond_t *condition);
int pthread_cancel(pthread_t thread);
void pthread_testcancel(void);
