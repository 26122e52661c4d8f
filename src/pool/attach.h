/* SPDX-License-Identifier: MIT */
/*
 * attach.h - which cache belongs to which thread: each pool's table from thread index to cache,
 * which the fast paths look up.
 */
#ifndef VF_ATTACH_H
#define VF_ATTACH_H

#include "pool.h"

/* Empty and full at once: it sends both fast paths to their slow ones. Never written. */
extern vf_cache vf_attach_no_cache;

/* The entries of a pool that no thread has used yet. Never written. */
extern vf_cache **const vf_attach_no_entries;

/* The calling thread's cache, as the fast paths find it; or NULL. */
static inline vf_pool_cache *vf_attach_found(vf_pool *pool)
{
    vf_cache *cache;
    bool found = vf_pool_core_find(&pool->core, &cache) && cache != &vf_attach_no_cache;
    return found ? vf_cache_whole(cache) : NULL;
}

/* The cache that is attached to the calling thread, even if the fast paths do not find it; or
   NULL. */
vf_pool_cache *vf_attach_own(vf_pool *pool);

/* All below: threads' lock. */

/* Gives the pool a table with this index in it; false: out of memory. */
bool vf_attach_reach(vf_pool *pool, uint32_t index);

/* Gives the calling thread, whose index the table has, a cache that it does not have yet, and adds
   it to the thread's list. NULL: out of memory. */
vf_pool_cache *vf_attach_new(vf_pool *pool, vf_pool_cache **list);

/* The fast paths of the calling thread find its cache from here on; not in a pool without caches,
   where it has one only for what it defers. */
void vf_attach_show(vf_pool *pool, vf_pool_cache *cache);

/* What the fast paths find at the index, which has had a cache here. For seize.c. */
void vf_attach_set_fast(vf_pool *pool, uint32_t index, vf_cache *cache);

/* From here on no fast path finds a cache, and the pool is closed. */
void vf_attach_close(vf_pool *pool);

/* A cache without an owner, an old one rather than a new; NULL: out of memory. */
vf_pool_cache *vf_attach_adopt(vf_pool *pool);

/* One more cache without an owner. */
void vf_attach_add_idle(vf_pool_cache *cache);

/* Takes the first cache of an ended thread's list off it. */
vf_pool_cache *vf_attach_take_first(vf_pool_cache **list);

/* Ends a cache's use: its slots go to the depot, the pool remembers what it lent, and it waits for
   another owner. The pool may end with it. */
void vf_attach_detach(vf_pool_cache *cache);

/* At the end of the pool. */
void vf_attach_free(vf_pool *pool);

#endif
