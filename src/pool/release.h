/* SPDX-License-Identifier: MIT */
/*
 * release.h - what counts as live, and the end of a pool.
 */
#ifndef VF_RELEASE_H
#define VF_RELEASE_H

#include "pool.h"

/* pool->outstanding of a pool that is not released begins here, so that it cannot come to 0. */
#define VF_RELEASE_NOT_YET ((int64_t)1 << 62)

/* Objects that did not go through a settled cache came back (or, negative, went out). True: the
   pool has ended, and the caller calls vf_release_end. */
bool vf_release_return(vf_pool *pool, int64_t objects);

/* The same, and ends the pool if that was the end. From here on it may be gone. */
void vf_release_return_last(vf_pool *pool, int64_t objects);

/* Of a released pool: brings outstanding up to date with the cache, which is the caller's own or
   under the threads' lock, and with freed objects that are in no cache. True: the pool has ended.
 */
bool vf_release_settle(vf_pool *pool, vf_pool_cache *cache, int64_t freed);

/* What P_release finds lent by the caches of threads. Threads' lock. */
int64_t vf_release_settle_all(vf_pool *pool);

/* The handle, or a cache held by a caller, is gone, and objects (live ones) count themselves off
   from here on. True: the pool has ended. */
bool vf_release_put_holder(vf_pool *pool);

/* Ends a pool whose outstanding has come to 0: takes it out of all threads' sight, and gives its
   memory back when the threads' lock is not held any more. */
void vf_release_end(vf_pool *pool);

#endif
