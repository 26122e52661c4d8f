/* SPDX-License-Identifier: MIT */
/*
 * kind.h - the two kinds of pool, with caches and capped, in the calls in which they differ: all of
 * them slow paths. The fast paths see no kind: a capped pool has no caches, so that every call of
 * it is a slow one.
 */
#ifndef VF_KIND_H
#define VF_KIND_H

#include "pool.h"

typedef struct vf_kind {
    /* NULL, false: out of memory, or at the cap. errno is the caller's to set. */
    void *(*alloc)(vf_pool *pool);
    void *(*cache_alloc)(vf_pool_cache *cache);
    bool (*reserve)(vf_pool *pool, size_t n);

    /* The pool may be gone after each of these. */
    void (*free)(vf_pool *pool, void *object);
    void (*cache_free)(vf_pool_cache *cache, void *object);
    void (*free_waited)(vf_pool *pool, void *const *objects, size_t n); /* deferred before */

    /* Any thread. */
    void (*stats)(vf_pool *pool, vf_pool_stats *stats); /* all but stride, bytes and deferred */
    size_t (*trim)(vf_pool *pool);
    size_t (*regions)(const vf_pool *pool); /* VF_N slots each, but the last of a capped pool */
    vf_region (*region)(const vf_pool *pool, size_t number);
    bool (*find)(const vf_pool *pool, const void *address, vf_region *region);

    /* With handles, of an object that is the caller's, or misuse: the number of its region, and its
       own there; and is it free? */
    size_t (*locate)(const vf_pool *pool, const void *object, size_t *slot);
    bool (*is_free)(const vf_pool *pool, size_t number, size_t slot);

    /* No other call but frees: P_release. What is live, and counts itself off from here on. */
    int64_t (*close)(vf_pool *pool);

    /* No other call, but frees of what was live. */
    /* adds a region's words from w on, before `end`, in which a slot is live, to those that were
       found, until there is no room for more; the word behind the last that it has looked at */
    size_t (*live)(const vf_pool *pool, size_t number, size_t w, size_t end, vf_walk_words *found);
    bool (*claim)(vf_pool *pool, const void *object); /* it is free now; false: it was already */
} vf_kind;

/* In kinds.c, which stands above all that they name. */
extern const vf_kind vf_kind_cached, vf_kind_capped;

#endif
