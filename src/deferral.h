/*
 * deferral.h - deferrals: lists of objects that wait for a grace period together.
 *
 *     next | pool | rcu_head | count | room | slots[0] ... slots[59]
 *
 * One call_rcu serves 60 objects, and no object needs room for it. A deferral's room is a part of
 * pool->epoch.room, which max_deferred bounds.
 */
#ifndef VF_DEFERRAL_H
#define VF_DEFERRAL_H

#include "pool.h"

#define VF_DEFERRAL_SLOTS 60

typedef struct vf_deferral {
    struct vf_deferral *next; /* for those who take several */
    vf_pool *pool;
    void *head[2];  /* a struct rcu_head */
    uint32_t count; /* written in the order in which the child of a fork is to see it */
    uint32_t room;  /* places reserved */
    void *slots[VF_DEFERRAL_SLOTS];
} vf_deferral;

/* The flavour and the bound, from the options. */
void vf_deferrals_begin(vf_pool *pool, const vf_pool_options *options);

/* At the end of the pool, and in the child of a fork. */
void vf_deferrals_end(vf_pool *pool);
void vf_deferrals_after_fork(vf_pool *pool);

/* Reserves up to most places; how many: 0 at the bound. */
size_t vf_deferral_reserve(vf_epoch *epoch, size_t most);

/* An empty deferral with so much room, which was reserved; NULL, and no longer reserved, where
   memory is spent. */
vf_deferral *vf_deferral_new(vf_pool *pool, size_t room);

/* Hands the deferral to liburcu: by its owner while busy, or under epoch.lock, or the only one who
   knows of it. With the objects in it the pool may be gone at once. */
void vf_deferral_send(vf_pool *pool, vf_deferral *deferral);

/* Waits until all that was sent before has come back. Not in a read section. */
void vf_deferrals_barrier(vf_pool *pool);

#endif
