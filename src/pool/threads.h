/* SPDX-License-Identifier: MIT */
/*
 * threads.h - the threads that use pools: their indices, their ends, and the one that is left in
 * the child of a fork.
 */
#ifndef VF_THREADS_H
#define VF_THREADS_H

#include "pool.h"

/* Makes the pool known to threads, and gives it a column. */
void vf_threads_add_pool(vf_pool *pool);

/*
 * Gives the calling thread a cache of the pool, or back the one that was hidden from it. NULL where
 * it must do without: it has exited, or the process has, the pool has no caches or is released, it
 * is out of memory, or another thread holds the threads' lock right now.
 */
vf_pool_cache *vf_threads_attach(vf_pool *pool);

/* The same, also where the pool has no caches: then one for what the thread defers, and no more. */
vf_pool_cache *vf_threads_attach_for_defer(vf_pool *pool);

/* Ends the threads that went without their exit hook; were there any? False too where another
   thread holds the threads' lock right now. */
bool vf_threads_reap(void);

/* Sees to what the next thread needs of the pool that attaches: a cache. *spare becomes one that is
   to be added or freed, or NULL where there is one already. False: out of memory. */
bool vf_threads_prepare(vf_pool *pool, vf_pool_cache **spare);
void vf_threads_add_spare(vf_pool_cache *spare);

#endif
