/*
 * fork.c - the child of a fork goes on with every pool, from its one thread.
 *
 * The threads' lock is held over the fork, so what it guards is whole in the child. All else is
 * whole at each moment: a bit of the depot is one bit, a cache's slots below top are free, once,
 * whatever its owner was in the midst of, and a pool grows in steps that leave it whole. So a
 * pool's growth lock is not taken, but made anew in the child. What lists batches is made from the
 * bits there. Slots that a thread had in its hands are lost with it and count as live. The caches
 * of the threads that did not come along are detached, as if these had ended; those held by callers
 * stay open.
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
}

static void in_parent(void)
{
    vf_threads_leave();
}

static void in_child(void)
{
    for (vf_pool *pool = vf_pools; pool != NULL; pool = pool->next) {
        pthread_mutex_init(&pool->growth_lock, NULL);
        vf_depot_after_fork(pool);
        vf_epoch_after_fork(pool);
    }
    vf_threads_end_others();
    vf_threads_leave();
}

/* Once for the process. Where it fails, only a fork beside other threads' calls is affected. */
void vf_fork_watch(void)
{
    (void)pthread_atfork(prepare, in_parent, in_child);
}
#endif
