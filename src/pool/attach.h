/* SPDX-License-Identifier: MIT */
/*
 * attach.h - which cache belongs to which thread, and whether the thread's calls find it.
 */
#ifndef VF_ATTACH_H
#define VF_ATTACH_H

#include "pool.h"

/* The cache that is attached to the calling thread, even if it is hidden; or NULL. */
static inline vf_pool_cache *vf_attach_own(const vf_pool *pool)
{
    return vf_pool_core_find(&pool->core)->whole;
}

/* The calling thread's cache, unless it is hidden; or NULL. */
static inline vf_pool_cache *vf_attach_found(const vf_pool *pool)
{
    const vf_cache *found = vf_pool_core_find(&pool->core);
    vf_pool_cache *cache = found->whole;
    return cache != NULL && found == &cache->fast ? cache : NULL;
}

/* All below: threads' lock. */

/* Gives the calling thread, which has a row, a cache that it does not have yet, and adds it to the
   thread's list. NULL: out of memory. */
vf_pool_cache *vf_attach_new(vf_pool *pool, vf_pool_cache **list);

/* The calls of its thread find the cache from here on, or do not; never in a pool without caches,
   where a thread has one only for what it defers. */
void vf_attach_show(vf_pool_cache *cache);
void vf_attach_hide(vf_pool_cache *cache);

/* From here on no call finds a cache, and the pool is closed. */
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

#endif
