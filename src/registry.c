/*
 * registry.c - the pools there are, and the threads' lock that guards the list.
 */
#include <assert.h>

#include "pool.h"

/*
 * The lock under which threads, caches and pools come and go; alloc and free only ever try it.
 * It may be entered again by the thread that holds it: an allocator hook that is called under it
 * may use other pools. Pools that end meanwhile are freed when it is left.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const void *lock_owner; /* atomic: the holder's own &vf_thread_index */
static unsigned lock_depth;
static vf_pool *ended; /* to be freed when the lock is left */

vf_pool *vf_pools;

static bool is_mine(void)
{
    /* relaxed: it is this thread's own address only if this thread wrote it */
    return vf_load_relaxed(&lock_owner) == &vf_thread_index;
}

void vf_threads_enter(void)
{
    if (!is_mine()) {
        pthread_mutex_lock(&lock);
        vf_store_relaxed(&lock_owner, (const void *)&vf_thread_index);
    }
    lock_depth++;
}

/* False where it is held, by this thread or another. */
bool vf_threads_try_enter(void)
{
    if (is_mine() || pthread_mutex_trylock(&lock) != 0)
        return false;
    vf_store_relaxed(&lock_owner, (const void *)&vf_thread_index);
    lock_depth++;
    return true;
}

void vf_threads_leave(void)
{
    assert(is_mine() && lock_depth > 0);
    if (--lock_depth > 0)
        return;
    vf_pool *pool = ended;
    ended = NULL;
    vf_store_relaxed(&lock_owner, (const void *)NULL);
    pthread_mutex_unlock(&lock);
    while (pool != NULL) {
        vf_pool *next = pool->next;
        vf_pool_free_memory(pool);
        pool = next;
    }
}

/* Makes the pool known to threads. */
void vf_threads_add_pool(vf_pool *pool)
{
    vf_threads_begin();
    vf_threads_enter();
    pool->next = vf_pools;
    pool->link = &vf_pools;
    if (vf_pools != NULL)
        vf_pools->link = &pool->next;
    vf_pools = pool;
    vf_threads_leave();
}

/* Ends a pool whose outstanding has come to 0: takes it out of everybody's sight, then frees it. */
void vf_pool_end(vf_pool *pool)
{
    vf_threads_enter();
    *pool->link = pool->next;
    if (pool->next != NULL)
        pool->next->link = pool->link;
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->thread != 0)
            vf_thread_forget(cache);
    }
    pool->next = ended;
    ended = pool;
    vf_threads_leave();
}
