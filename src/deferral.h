/*
 * deferral.h - deferrals: magazines of objects that wait for a grace period.
 *
 *     link | index | count | room | slots[0] ... slots[59] | rcu_head | pool | next
 *
 * A deferral has the last four of its places for what a grace period needs: so one call_rcu serves
 * 60 objects, no object needs room for it, and where the grace period is over the magazine goes
 * into the depot as it is. Its room is a part of pool->epoch.room, which max_deferred bounds.
 */
#ifndef VF_DEFERRAL_H
#define VF_DEFERRAL_H

#include "pool.h"

#define VF_DEFERRAL_SLOTS 60
#define VF_DEFERRAL_HEAD  VF_DEFERRAL_SLOTS
#define VF_DEFERRAL_POOL  62
#define VF_DEFERRAL_NEXT  63

/* The flavour and the bound, from the options. */
void vf_deferrals_begin(vf_pool *pool, const vf_pool_options *options);

/* Reserves up to most places; how many: 0 at the bound. */
size_t vf_deferral_reserve(vf_epoch *epoch, size_t most);

/* An empty deferral with so much room, which was reserved; NULL, and no longer reserved, where
   memory is spent. */
vf_magazine *vf_deferral_new(vf_pool *pool, size_t room);

/* Hands the deferral to liburcu: by its owner while busy, or under epoch.lock, or the only one who
   knows of it. With the objects in it the pool may be gone at once. */
void vf_deferral_send(vf_pool *pool, vf_magazine *deferral);

/* Waits until all that was sent before has come back. Not in a read section. */
void vf_deferrals_barrier(vf_pool *pool);

#endif
