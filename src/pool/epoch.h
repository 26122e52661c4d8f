/* SPDX-License-Identifier: MIT */
/*
 * epoch.h - from the deferral that each thread's cache has open to the end of its grace period.
 * Where there is no liburcu, nothing is ever deferred.
 */
#ifndef VF_EPOCH_H
#define VF_EPOCH_H

#include "pool.h"

#ifdef VF_HAS_EPOCH

void vf_epoch_init(vf_pool *pool, const vf_pool_options *options);

/* The pool has ended. Waits for a thread that has deferred its last objects and has yet to leave
   the call. */
void vf_epoch_end(vf_pool *pool);

/* Adds the object to the deferral that the thread's cache has open. False: there is none, and the
   caller opens one. The pool may be gone after it. Owner. */
bool vf_epoch_add(vf_pool *pool, vf_pool_cache *cache, void *object);

/* The same where it takes no call: false, where it might. Owner. */
bool vf_epoch_add_fast(vf_pool *pool, vf_pool_cache *cache, void *object);

/* An empty deferral for up to most objects; NULL: at the bound, or out of memory. */
struct vf_deferral *vf_epoch_new_deferral(vf_pool *pool, size_t most);
void vf_epoch_open(vf_pool_cache *cache, struct vf_deferral *deferral); /* owner, that has none */
void vf_epoch_send(struct vf_deferral *deferral);                       /* of the caller alone */

/* The open deferral of the calling thread, or of one that is gone, goes out. Threads' lock. */
void vf_epoch_flush(vf_pool_cache *cache);

/* The open deferrals of all threads go out. Patient: whatever was deferred before is with liburcu
   when this returns. Otherwise as far as it can be done at once. Any thread. */
void vf_epoch_flush_all(vf_pool *pool, bool patient);

/* Waits until nothing is deferred, and liburcu's thread has left the pool. No other call on the
   pool; but VF_DROP may defer more. */
void vf_epoch_drain(vf_pool *pool);

/* In the child of a fork. */
void vf_epoch_after_fork(vf_pool *pool);

/* Objects waiting; an estimate beside other calls. */
size_t vf_epoch_deferred(const vf_pool *pool);

#else

static inline void vf_epoch_init(vf_pool *pool, const vf_pool_options *options)
{
    (void)pool;
    (void)options;
}

static inline void vf_epoch_end(vf_pool *pool)
{
    (void)pool;
}

static inline void vf_epoch_flush(vf_pool_cache *cache)
{
    (void)cache;
}

static inline void vf_epoch_flush_all(vf_pool *pool, bool patient)
{
    (void)pool;
    (void)patient;
}

static inline void vf_epoch_drain(vf_pool *pool)
{
    (void)pool;
}

static inline void vf_epoch_after_fork(vf_pool *pool)
{
    (void)pool;
}

static inline size_t vf_epoch_deferred(const vf_pool *pool)
{
    (void)pool;
    return 0;
}

#endif

#endif
