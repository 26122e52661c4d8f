/* SPDX-License-Identifier: MIT */
/*
 * lock.c - see lock.h.
 */
#include "lock.h"

#include <assert.h>
#include <stddef.h>

#include "../platform/compiler.h"
#include "../platform/mutex.h"

static vf_mutex mutex = VF_MUTEX_INITIALIZER;
static const void *holder; /* atomic: the holder's vf_lock_self() */
static unsigned depth;     /* how often it has acquired it */
static vf_lock_task *tasks;

static bool is_mine(void)
{
    /* relaxed: it is this thread's own address only if this thread wrote it */
    return vf_load_relaxed(&holder) == vf_lock_self();
}

/* An assertion is no step of the algorithm, so that no tool which looks at those is to see it. */
VF_NO_TSAN bool vf_lock_held(void)
{
    return *(const void *const volatile *)&holder == vf_lock_self();
}

void vf_lock_acquire(void)
{
    if (!is_mine()) {
        vf_mutex_lock(&mutex);
        vf_store_relaxed(&holder, vf_lock_self());
    }
    depth++;
}

bool vf_lock_try(void)
{
    if (is_mine() || !vf_mutex_trylock(&mutex))
        return false;
    vf_store_relaxed(&holder, vf_lock_self());
    depth++;
    return true;
}

void vf_lock_release(void)
{
    assert(vf_lock_held() && depth > 0);
    if (--depth > 0)
        return;
    vf_lock_task *task = tasks;
    tasks = NULL;
    vf_store_relaxed(&holder, (const void *)NULL);
    vf_mutex_unlock(&mutex);
    while (task != NULL) {
        vf_lock_task *next = task->next;
        task->run(task);
        task = next;
    }
}

void vf_lock_after(vf_lock_task *task)
{
    assert(vf_lock_held());
    task->next = tasks;
    tasks = task;
}
