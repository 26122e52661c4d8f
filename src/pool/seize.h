/* SPDX-License-Identifier: MIT */
/*
 * seize.h - takes the free slots that caches keep, other threads' too: for P_trim, and for an alloc
 * that would have to fail without them.
 */
#ifndef VF_SEIZE_H
#define VF_SEIZE_H

#include "pool.h"

/* The begin of a slow call on the thread's own cache, during which nothing is seized; false: the
   thread has just lost the cache. And its end. Owner. */
bool vf_seize_begin_call(vf_pool *pool, vf_pool_cache *cache);
void vf_seize_end_call(vf_pool_cache *cache);

/* Moves to the depot what other threads' caches have, as far as it can. Any thread. Costs a system
   call, and a look at each cache. */
void vf_seize_all(vf_pool *pool);

/* Moves to the depot what the calling thread's cache has; how many bytes the cache gives back. */
size_t vf_seize_own(vf_pool *pool);

/* Moves to the depot what every cache has. No other call on the pool. */
void vf_seize_every(vf_pool *pool);

#endif
