/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the threads' lock: under it threads, caches and pools come and go. Alloc and free only
 * ever try it.
 *
 * The thread that holds it may acquire it again: an allocator hook that is called under it may use
 * other pools. It comes before all other locks of the library.
 */
#ifndef VF_LOCK_H
#define VF_LOCK_H

#include <stdbool.h>

#include <veryfast/detail/pool_core.h>

/* Something that is to be done when the lock has been released. */
typedef struct vf_lock_task {
    struct vf_lock_task *next;
    void (*run)(struct vf_lock_task *task); /* may free the task */
} vf_lock_task;

/* What the calling thread is known by: no other thread has it at the same time. */
static inline const void *vf_lock_self(void)
{
#ifdef VF_THREAD_INDEX
    return (const void *)(uintptr_t)vf_thread_own();
#else
    return &vf_thread_index;
#endif
}

void vf_lock_acquire(void);
void vf_lock_release(void);

/* False where it is held, by this thread or another. */
bool vf_lock_try(void);

/* Does the calling thread hold it? For assertions. */
bool vf_lock_held(void);

/* Runs the task when the calling thread, which holds the lock, has released it for good. */
void vf_lock_after(vf_lock_task *task);

#endif
