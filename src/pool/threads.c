/* SPDX-License-Identifier: MIT */
/*
 * threads.c - see threads.h.
 *
 * A thread works without a cache, through the depot, before it has an index, as long as it cannot
 * get one (out of memory, or another thread holds the lock: no thread waits for it here), and after
 * its exit hook has run.
 *
 * Fork: the threads' lock is held over it, so what it guards is whole in the child. All else is
 * whole at each moment: a bit of the depot is one bit, a cache's slots below top are free, once,
 * whatever its owner was in the midst of, and a pool grows in steps that leave it whole. So a
 * pool's growth lock is not acquired, but initialised again in the child, and what lists batches is
 * made from the bits. Slots that a thread had in its hands are lost with it and count as live. The
 * caches of the threads that did not come along are detached, as if these had ended; those held by
 * callers stay open.
 */
#include "threads.h"

#include <assert.h>
#include <errno.h>

#include "../platform/exit.h"
#include "../platform/fork.h"
#include "../platform/once.h"
#include "attach.h"
#include "epoch.h"
#include "indices.h"
#include "map.h"
#include "release.h"

/* Both under the threads' lock. */
static vf_pool *all_pools; /* by this name a debugger finds them */
static bool attaches;      /* threads can have caches */

bool vf_threads_reap(void)
{
    if (!vf_lock_try())
        return false;
    bool reaped = vf_indices_reap();
    vf_lock_release();
    return reaped;
}

/* ---- attaching ---- */

vf_pool_cache *vf_threads_attach(vf_pool *pool)
{
    return pool->uncached ? NULL : vf_threads_attach_for_defer(pool);
}

/* The thread's own, which P_trim has hidden from it for a while, or a new one; NULL: out of
   memory. */
static vf_pool_cache *own_or_new(vf_pool *pool)
{
    assert(vf_lock_held());
    vf_pool_cache *cache = vf_attach_own(pool);
    if (cache == NULL)
        return vf_attach_new(pool, vf_indices_caches());
    vf_cache_unseize(cache);
    return cache;
}

vf_pool_cache *vf_threads_attach_for_defer(vf_pool *pool)
{
    if (vf_thread_own() == VF_INDEX_AFTER || pool->core.column == VF_ROW_NO_COLUMN ||
        !vf_lock_try())
        return NULL;
    int saved = errno;
    vf_pool_cache *cache = NULL;
    if (!vf_load_relaxed(&pool->closed) && attaches && vf_indices_begin()) {
        cache = own_or_new(pool);
        if (cache != NULL)
            vf_attach_show(cache);
    }
    errno = saved;
    vf_lock_release();
    return cache;
}

bool vf_threads_prepare(vf_pool *pool, vf_pool_cache **spare)
{
    *spare = NULL;
    if (pool->uncached)
        return true;
    vf_lock_acquire();
    bool prepared = pool->idle != NULL;
    if (!prepared) {
        *spare = vf_cache_new(pool, &pool->depot, pool->cache_limit);
        prepared = *spare != NULL;
    }
    vf_lock_release();
    return prepared;
}

void vf_threads_add_spare(vf_pool_cache *spare)
{
    vf_lock_acquire();
    vf_cache_add(&spare->pool->caches, spare);
    vf_attach_add_idle(spare);
    vf_lock_release();
}

/* ---- the end of a thread ---- */

#ifndef VF_THREAD_INDEX
/* The exit hook: what a thread has ends with it. It may still call, at VF_INDEX_AFTER. On Windows a
   thread may end another thread's fibre, which this then outlives. */
static void thread_exit(void *value)
{
    vf_lock_acquire();
    vf_indices_exit((uint32_t)(uintptr_t)value);
    vf_lock_release();
}
#endif

void vf_thread_flush(void)
{
    if (vf_thread_own() < VF_INDEX_FIRST)
        return;
    vf_lock_acquire();
    vf_pool_cache **caches = vf_indices_caches();
    vf_pool_cache *cache = caches != NULL ? *caches : NULL;
    for (; cache != NULL; cache = cache->next_of_owner) {
        vf_epoch_send_open(cache);
        if (!vf_load_relaxed(&cache->pool->closed))
            vf_cache_flush(cache);
        else if (vf_release_settle(cache->pool, cache, 0))
            vf_release_end(cache->pool); /* its memory stays until the lock is released */
    }
    vf_lock_release();
}

/* ---- forks ---- */

#if VF_FORKS
static void before_fork(void)
{
    vf_lock_acquire();
}

static void in_parent(void)
{
    vf_lock_release();
}

static void in_child(void)
{
    vf_map_after_fork();
    for (vf_pool *pool = all_pools; pool != NULL; pool = pool->next) {
        vf_mutex_init(&pool->growth);
        vf_depot_after_fork(&pool->depot);
        vf_epoch_after_fork(pool);
        for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
            if (cache->held || (cache->thread != 0 && cache->thread != vf_thread_own()))
                vf_cache_abandon(cache);
        }
    }
    vf_indices_after_fork();
    vf_lock_release();
}

/* As early as can be: handlers of fork that are registered later run before the library's, while it
   has no lock, and after them in the parent and the child, when it has none any more. So they may
   use pools, and a lock of the program's that is held over a fork is always acquired first. */
VF_AT_LOAD(300) static void watch_forks(void)
{
    vf_fork_watch(before_fork, in_parent, in_child);
}
#endif

/* ---- the beginning and the end ---- */

/*
 * A plug-in that has the library inside it takes the exit hook with it when it is unloaded, and
 * what is known of threads. At the process's end it is the same, only that other threads may be
 * inside calls: those go on, without a hook, and nothing that they have is touched. Where one holds
 * the lock, or this thread does (an allocator that calls exit), all stays as it is.
 */
static void end_process(void)
{
    if (!vf_lock_try())
        return;
    if (attaches)
        vf_exit_close();
    attaches = false;
    if (all_pools == NULL) { /* so no index has a cache */
        vf_map_end();
        vf_indices_end();
    }
    vf_lock_release();
}

/* Where a thread's end would go unseen threads have no caches, and all works but slower. */
static void begin_process(void)
{
    vf_row_init();
#ifdef VF_THREAD_INDEX
    (void)vf_exit_open(NULL, end_process);
    attaches = true;
#else
    attaches = vf_exit_open(thread_exit, end_process);
#endif
}

static void begin_process_once(void)
{
    static vf_once once = VF_ONCE_INIT;
    vf_once_run(&once, begin_process);
}

#ifdef VF_THREAD_INDEX
uint64_t vf_thread_lane_begin(void)
{
    return vf_thread_lane();
}
#else
/* The calling thread's index; VF_INDEX_BEFORE or VF_INDEX_AFTER where it cannot have one now. */
static uint32_t own_or_begin(void)
{
    begin_process_once();
    if (vf_thread_own() != VF_INDEX_BEFORE || !vf_lock_try())
        return vf_thread_own();
    int saved = errno;
    if (attaches)
        (void)vf_indices_begin();
    errno = saved;
    vf_lock_release();
    return vf_thread_own();
}

uint64_t vf_thread_lane_begin(void)
{
    static uint64_t others; /* atomic: threads without an index; behind all indices */
    if (vf_thread_lane_number == 0) {
        uint64_t index = own_or_begin();
        /* relaxed: only that no two are the same */
        vf_thread_lane_number =
            index >= VF_INDEX_FIRST ? index : UINT64_MAX - vf_fetch_add_relaxed(&others, 1);
    }
    return vf_thread_lane_number;
}
#endif

void vf_threads_add_pool(vf_pool *pool)
{
    begin_process_once();
    vf_lock_acquire();
    pool->next = all_pools;
    pool->link = &all_pools;
    if (all_pools != NULL)
        all_pools->link = &pool->next;
    all_pools = pool;
    pool->core.column = vf_row_take_column();
    pool->uncached = pool->uncached || pool->core.column == VF_ROW_NO_COLUMN;
    vf_lock_release();
}
