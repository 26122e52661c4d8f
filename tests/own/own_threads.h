/* SPDX-License-Identifier: MIT */
/*
 * own_threads.h - a system of the program's own, src/platform/own.h, filled in with C11's
 * <threads.h>.
 */
#ifndef TESTS_OWN_THREADS_H
#define TESTS_OWN_THREADS_H

#include <threads.h>

/* Of zero bytes, whatever the type is, it is a plain mutex, in glibc and in musl. */
typedef struct {
    int zero;
    mtx_t mutex;
} vf_own_mutex;
#define VF_OWN_MUTEX_INIT                                                                          \
    {                                                                                              \
        .zero = 0                                                                                  \
    }

static inline void vf_own_mutex_init(vf_own_mutex *mutex)
{
    (void)mtx_init(&mutex->mutex, mtx_plain);
}

static inline void vf_own_mutex_destroy(vf_own_mutex *mutex)
{
    mtx_destroy(&mutex->mutex);
}

static inline void vf_own_mutex_lock(vf_own_mutex *mutex)
{
    (void)mtx_lock(&mutex->mutex);
}

static inline int vf_own_mutex_trylock(vf_own_mutex *mutex)
{
    return mtx_trylock(&mutex->mutex) == thrd_success;
}

static inline void vf_own_mutex_unlock(vf_own_mutex *mutex)
{
    (void)mtx_unlock(&mutex->mutex);
}

static inline uintptr_t vf_own_self(void)
{
    return (uintptr_t)thrd_current();
}

static inline void vf_own_yield(void)
{
    thrd_yield();
}

static inline void vf_own_sleep(long nanoseconds)
{
    (void)thrd_sleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

/* Of the program, which has it once: own_exit.c. */
int vf_own_exit_open(void (*hook)(void *value));
int vf_own_exit_set(void *value);
void vf_own_exit_close(void);

#endif
