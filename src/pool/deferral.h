/* SPDX-License-Identifier: MIT */
/*
 * deferral.h - deferrals: lists of objects that wait for a grace period together.
 *
 *     next | pool | rcu_head | over | count | capacity | slots[0] ... slots[59]
 *
 * One call_rcu serves 60 objects, and no object needs room for it. A deferral's capacity is a part
 * of pool->epoch.reserved, which max_deferred bounds.
 */
#ifndef VF_DEFERRAL_H
#define VF_DEFERRAL_H

#include "pool.h"

#define VF_DEFERRAL_SLOTS 60

typedef struct vf_deferral {
    struct vf_deferral *next; /* for a thread that takes several */
    vf_pool *pool;
    void *head[2];                              /* a struct rcu_head */
    void (*over)(struct vf_deferral *deferral); /* what happens after the grace period */
    uint32_t count;    /* written in the order in which the child of a fork is to see it */
    uint32_t capacity; /* objects that it may have */
    void *slots[VF_DEFERRAL_SLOTS];
} vf_deferral;

/* The flavour and the bound, from the options. */
void vf_deferrals_init(vf_pool *pool, const vf_pool_options *options);

/* At the end of the pool. */
void vf_deferrals_free(vf_pool *pool);

/* Reserves capacity for up to most objects; for how many: 0 at the bound. And gives some back. Any
   thread. */
size_t vf_deferral_reserve(vf_epoch *epoch, size_t most);
void vf_deferral_unreserve(vf_epoch *epoch, size_t objects);

/* An empty deferral for so many objects, for which capacity was reserved; NULL: out of memory, and
   that capacity is given back. Any thread. */
vf_deferral *vf_deferral_new(vf_pool *pool, size_t capacity);
void vf_deferral_free(vf_pool *pool, vf_deferral *deferral);

/* liburcu has the deferral until a grace period is over, and its thread calls when_over then. The
   pool may be gone at once. */
void vf_deferral_hand_over(vf_deferral *deferral, void (*when_over)(vf_deferral *deferral));

/* Waits until when_over has returned for all that were handed over before. Not in a read section.
 */
void vf_deferrals_barrier(vf_pool *pool);

#endif
