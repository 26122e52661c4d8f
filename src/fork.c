/*
 * fork.c - the child of a fork goes on with every pool, from its one thread.
 *
 * All locks are held over the fork, so what they guard is whole in the child. What they do not
 * guard is whole at each moment: a depot's head is one word, and a cache's slots below count are
 * free, once, whatever its owner was in the midst of. Slots that a thread had in its hands are
 * lost with it and count as live. The caches of the threads that did not come along are detached,
 * as if these had ended; those held by callers stay open.
 */
#define _POSIX_C_SOURCE 200809L /* pthread_atfork */

#include <pthread.h>

#include "pool.h"

#ifdef _WIN32 /* which has no fork */
void vf_fork_watch(void)
{
}
#else
static void prepare(void)
{
    vf_threads_enter();
    for (vf_pool *pool = vf_pools; pool != NULL; pool = pool->next)
        pthread_mutex_lock(&pool->growth_lock);
}

static void unlock_pools(void)
{
    for (vf_pool *pool = vf_pools; pool != NULL; pool = pool->next)
        pthread_mutex_unlock(&pool->growth_lock);
}

static void in_parent(void)
{
    unlock_pools();
    vf_threads_leave();
}

static void in_child(void)
{
    unlock_pools();
    for (vf_pool *pool = vf_pools; pool != NULL; pool = pool->next)
        vf_epoch_after_fork(pool);
    vf_threads_end_others();
    vf_threads_leave();
}

/* Once for the process. Where it fails, only a fork beside other threads' calls is affected. */
void vf_fork_watch(void)
{
    (void)pthread_atfork(prepare, in_parent, in_child);
}
#endif
