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

/* What became of an object that was to be added. */
typedef enum vf_epoch_added {
    VF_EPOCH_NO_ROOM, /* no deferral is open: the caller opens one */
    VF_EPOCH_ADDED,
    VF_EPOCH_GONE /* it has ended by another free of its handle */
} vf_epoch_added;

/* Ends an object for which a deferral has capacity. bits: its handle, or 0 where the object is the
   caller's. False: the handle leads nowhere any more. */
bool vf_epoch_ends(const vf_pool *pool, void *object, uint64_t bits);

/* Adds the object to the deferral that the thread's cache has open, and ends it. The pool may be
   gone after it. Owner. */
vf_epoch_added vf_epoch_add(vf_pool *pool, vf_pool_cache *cache, void *object, uint64_t bits);

/* The same where it takes no call: no room, where it might. Owner. */
vf_epoch_added vf_epoch_add_fast(vf_pool *pool, vf_pool_cache *cache, void *object, uint64_t bits);

/* An empty deferral for up to most objects; NULL: at the bound, or out of memory. */
struct vf_deferral *vf_epoch_new_deferral(vf_pool *pool, size_t most);
void vf_epoch_open(vf_pool_cache *cache, struct vf_deferral *deferral); /* owner, that has none */
void vf_epoch_send(struct vf_deferral *deferral);                       /* of the caller alone */

/* The open deferral of the calling thread, or of one that is gone, goes out. Threads' lock. */
void vf_epoch_send_open(vf_pool_cache *cache);

/* The open deferrals of all threads go out. Patient: whatever was deferred before is with liburcu
   when this returns. Otherwise as far as it can be done at once. Any thread. */
void vf_epoch_send_all(vf_pool *pool, bool patient);

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

static inline void vf_epoch_send_open(vf_pool_cache *cache)
{
    (void)cache;
}

static inline void vf_epoch_send_all(vf_pool *pool, bool patient)
{
    (void)pool;
    (void)patient;
}

static inline void vf_epoch_drain(vf_pool *pool)
{
    (void)pool;
}

static inline VF_UNUSED void vf_epoch_after_fork(vf_pool *pool) /* where nothing forks */
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
