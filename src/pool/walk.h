/* SPDX-License-Identifier: MIT */
/*
 * walk.h - looks at all slots of a pool, or for one: P_each and P_owns.
 */
#ifndef VF_WALK_H
#define VF_WALK_H

#include "kind.h"

/* Visits what is live in the whole pool; false: out of memory, and nothing was visited. The caches
   are empty; no other call, but what the visitor frees. */
bool vf_walk_each_by_address(vf_pool *pool, vf_visitor *visit, void *context);

/* Is the address the first byte of a slot? And *region is what it lies in, if anything. Any
   thread. */
bool vf_walk_find(const vf_pool *pool, const void *address, vf_region *region);

/* Of a pool with caches, what kind.h says of regions, region, find and each. */
size_t vf_walk_batches(const vf_pool *pool);
vf_region vf_walk_batch(const vf_pool *pool, size_t number);
bool vf_walk_find_batch(const vf_pool *pool, const void *address, vf_region *region);
void vf_walk_each_in_batch(vf_pool *pool, size_t number, vf_visitor *visit, void *context);

#endif
