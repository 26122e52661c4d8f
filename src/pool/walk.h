/* SPDX-License-Identifier: MIT */
/*
 * walk.h - looks at all slots of a pool, or for one: P_walk_..., P_each and P_owns.
 */
#ifndef VF_WALK_H
#define VF_WALK_H

#include "kind.h"

/* Walks over what is live in the whole pool; vf_pool_core_each_end ends them. The caches are empty;
   no other call, but frees of what was visited. By address: false: out of memory. By number it
   takes no memory. */
bool vf_walk_by_address(vf_pool *pool, vf_walk *walk);
vf_walk vf_walk_by_number(const vf_pool *pool);

/* Is the address the first byte of a slot? And *region is what it lies in, if anything. Any
   thread. */
bool vf_walk_find(const vf_pool *pool, const void *address, vf_region *region);

/* Adds a word to those that were found, among which there is room, if a slot of it is live. */
static inline void vf_walk_add(vf_walk_words *found, char *first, vf_word live)
{
    found->words[found->n] = (vf_walk_word){first, live};
    found->n += live != 0;
}

/* Of a pool with caches, what kind.h says of these. */
size_t vf_walk_batches(const vf_pool *pool);
vf_region vf_walk_batch(const vf_pool *pool, size_t number);
bool vf_walk_find_batch(const vf_pool *pool, const void *address, vf_region *region);
size_t vf_walk_locate(const vf_pool *pool, const void *object, size_t *slot);
bool vf_walk_is_free(const vf_pool *pool, size_t number, size_t slot);
size_t vf_walk_live_in_batch(const vf_pool *pool, size_t number, size_t w, size_t end,
                             vf_walk_words *found);

#endif
