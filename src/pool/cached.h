/* SPDX-License-Identifier: MIT */
/*
 * cached.h - alloc and free of a pool with caches, where the fast paths have found nothing. What
 * each function does is said in kind.h.
 */
#ifndef VF_CACHED_H
#define VF_CACHED_H

#include "pool.h"

void *vf_cached_alloc(vf_pool *pool);
void vf_cached_free(vf_pool *pool, void *object);
void vf_cached_free_waited(vf_pool *pool, void *const *objects, size_t n);
bool vf_cached_reserve(vf_pool *pool, size_t n);

/* By a cache that a caller holds. */
void *vf_cached_alloc_held(vf_pool_cache *cache);
void vf_cached_free_held(vf_pool_cache *cache, void *object);

#endif
