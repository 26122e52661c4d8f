/* SPDX-License-Identifier: MIT */
/*
 * own.h - a system of the program's own: a console, whose interface only its licensees may see, or
 * a kernel. The core is compiled with -DVF_OWN_SYSTEM='"file.h"', and the file, which is found by
 * -I, has these, as static inline functions or as prototypes of what the program has elsewhere:
 *
 *     typedef ... vf_own_mutex;                    may be moved by nobody; not recursive
 *     #define VF_OWN_MUTEX_INIT ...                an initialiser for a static one
 *     void vf_own_mutex_init(vf_own_mutex *);
 *     void vf_own_mutex_destroy(vf_own_mutex *);
 *     void vf_own_mutex_lock(vf_own_mutex *);
 *     int vf_own_mutex_trylock(vf_own_mutex *);    0: held, by whomever
 *     void vf_own_mutex_unlock(vf_own_mutex *);
 *     uintptr_t vf_own_self(void);                 another number in each living thread
 *     void vf_own_yield(void);                     lets another thread run
 *     void vf_own_sleep(long nanoseconds);         lets threads of lower priority run, too
 *     int vf_own_exit_open(void (*hook)(void *));  once: hook(value) is to run at the end of each
 *                                                  thread that has set a value; 0: it cannot
 *     int vf_own_exit_set(void *value);            the calling thread's; 0: it cannot
 *     void vf_own_exit_close(void);                the hook is not to run any more
 *
 * Without an exit hook threads have no caches: all works, but slower; or else VF_THREAD_INDEX is
 * defined. Memory is the C library's (aligned_alloc, free) unless the options name an allocator.
 * The rest of this room says that it cannot. tests/own/ has such a file for C11's <threads.h>;
 * one_thread.h is for systems without threads.
 */
#ifndef VF_OWN_H
#define VF_OWN_H

#include <stdint.h>

#include VF_OWN_SYSTEM

#endif
