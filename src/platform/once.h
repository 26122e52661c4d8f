/* SPDX-License-Identifier: MIT */
/*
 * once.h - a function that is called once, before any of those that want it goes on.
 */
#ifndef VF_ONCE_H
#define VF_ONCE_H

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS
typedef void *vf_once; /* an INIT_ONCE */
#    define VF_ONCE_INIT 0
#elif VF_SYSTEM == VF_SYSTEM_OWN
#    include <stdbool.h>

#    include "mutex.h"
typedef struct vf_once {
    vf_mutex lock;
    bool done; /* atomic */
} vf_once;
#    define VF_ONCE_INIT                                                                           \
        {                                                                                          \
            VF_MUTEX_INITIALIZER, false                                                            \
        }
#else
#    include <pthread.h>
typedef pthread_once_t vf_once;
#    define VF_ONCE_INIT PTHREAD_ONCE_INIT
#endif

/* The same function for the same once, always. */
void vf_once_run(vf_once *once, void (*call)(void));

#endif
