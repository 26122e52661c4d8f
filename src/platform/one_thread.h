/* SPDX-License-Identifier: MIT */
/*
 * one_thread.h - what own.h asks for, on a system where each program has one thread. WASI compiled
 * without -pthread is one, and has this file by itself. Another takes it by
 * -DVF_OWN_SYSTEM='"platform/one_thread.h"', found by -Isrc.
 *
 * A mutex only knows whether it is held. The thread's end is the program's, at which nothing is to
 * be done, so that the thread has caches.
 */
#ifndef VF_ONE_THREAD_H
#define VF_ONE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool vf_own_mutex; /* held */
#define VF_OWN_MUTEX_INIT false

static inline void vf_own_mutex_init(vf_own_mutex *mutex)
{
    *mutex = false;
}

static inline void vf_own_mutex_destroy(vf_own_mutex *mutex)
{
    (void)mutex;
}

static inline void vf_own_mutex_lock(vf_own_mutex *mutex)
{
    *mutex = true;
}

static inline int vf_own_mutex_trylock(vf_own_mutex *mutex)
{
    if (*mutex)
        return 0;
    *mutex = true;
    return 1;
}

static inline void vf_own_mutex_unlock(vf_own_mutex *mutex)
{
    *mutex = false;
}

static inline uintptr_t vf_own_self(void)
{
    return 1;
}

/* There is no other thread to run: a wait with a deadline looks at the clock until it comes. */
static inline void vf_own_yield(void)
{
}

static inline void vf_own_sleep(long nanoseconds)
{
    (void)nanoseconds;
}

static inline int vf_own_exit_open(void (*hook)(void *value))
{
    (void)hook;
    return 1;
}

static inline int vf_own_exit_set(void *value)
{
    (void)value;
    return 1;
}

static inline void vf_own_exit_close(void)
{
}

#endif
