/* SPDX-License-Identifier: MIT */
/*
 * bypass.h - pools made with VF_BYPASS, whose objects are blocks of malloc's, or of the pool's
 * allocator. Each call acquires the pool's growth lock.
 */
#ifndef VF_BYPASS_POOL_H
#define VF_BYPASS_POOL_H

#include "../pool/kind.h"

/* The calls of the same names in pool.h; and the look of each free. */
void *vf_bypass_alloc(vf_pool *pool, const void *caller);
void vf_bypass_look(vf_pool *pool, const void *object, const void *caller);
bool vf_bypass_may_drop(vf_pool *pool, const void *object, const void *caller);
void vf_bypass_free(vf_pool *pool, void *object, const void *caller);
void vf_bypass_destroy(vf_pool *pool, void (*drop)(void *object));
bool vf_bypass_each_begin(vf_pool *pool, vf_walk *walk);
void *vf_bypass_each_next(vf_walk *walk);
void vf_bypass_each_end(vf_pool *pool, const vf_walk *walk);
void vf_bypass_walk_begin(vf_pool *pool, vf_walk *walk, size_t part, size_t parts);
void *vf_bypass_walk_next(vf_pool *pool, vf_walk *walk);
uint64_t vf_bypass_publish(vf_pool *pool, const void *object, const void *caller);
void *vf_bypass_get(vf_pool *pool, uint64_t bits);
void *vf_bypass_claim(vf_pool *pool, uint64_t bits); /* as vf_handle_claim */

/* As vf_handle_end, of an object that may be none; and takes back a claim. */
void vf_bypass_unpublish(vf_pool *pool, const void *object);
void vf_bypass_publish_again(vf_pool *pool, uint64_t bits);
bool vf_bypass_reserve(vf_pool *pool, size_t n);
vf_pool_stats vf_bypass_stats(vf_pool *pool);
bool vf_bypass_owns(vf_pool *pool, const void *object);
bool vf_bypass_free_deferred(vf_pool *pool, void *object, void (*drop)(void *object),
                             const void *caller);

/* The grace period of these is over. */
void vf_bypass_free_waited(vf_pool *pool, void *const *objects, size_t n);

/* Visits what is live, with the caller that allocated it. */
typedef void vf_bypass_visitor(void *context, const void *object, const void *caller);
void vf_bypass_each_leak(vf_pool *pool, vf_bypass_visitor *visit, void *context);

#endif
