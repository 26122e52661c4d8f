/* SPDX-License-Identifier: MIT */
/*
 * list.h - the pools there are, and of each the quarantine: freed objects that wait before their
 * slots may be used again, and are live for the core meanwhile.
 */
#ifndef VF_LIST_H
#define VF_LIST_H

#include "../pool/pool.h"

/* A new pool. */
void vf_list_add(vf_pool *pool, const vf_pool_type *type);

/* The pool's memory is about to go back. */
void vf_list_forget(vf_pool *pool);

/* From here on nothing comes into the quarantine. */
void vf_list_close(vf_pool *pool, const void *caller);

/* The pool behind the handle, which may be released already where a free is to be done; stops where
   there is none. */
vf_pool *vf_list_pool(const vf_pool_core *core, bool released_too, const char *what,
                      const void *caller);

/* The pool of a cache that a caller holds, which keeps it alive; stops where no caller does. */
vf_pool *vf_list_pool_of(const vf_cache *fast, const char *what, const void *caller);

/* The pool that has the address, or NULL: by the map, or, of those with VF_BYPASS, by what the
   function says. That must not wait for a lock, and sets *busy where it would have to. */
vf_pool *vf_list_find(const void *object, const void *caller,
                      bool (*has)(vf_pool *pool, const void *object, bool *busy), bool *busy);

/* Which pool but this one has the object, by what the function says? A name, or NULL. The function
   must not wait for a lock. */
const char *vf_list_owner(const vf_pool *except, const void *object,
                          bool (*has)(vf_pool *pool, const void *object));

/*
 * Puts the object into the quarantine and, in the same step, takes one or two others out, as a
 * chain: once the object is in there, another thread may end the pool. Of a capped pool it is one
 * for one, so that a free never keeps two slots from an alloc. NULL: there are none. If the pool is
 * released, the object itself is taken out, and the core does the rest.
 */
vf_header *vf_list_exchange(vf_pool *pool, vf_header *header, size_t most_bytes);

/* Takes the oldest out, or NULL. */
vf_header *vf_list_oldest(vf_pool *pool);

/* Of a capped pool that is not released: all go to the core, in one step for an alloc that looks at
   both. */
void vf_list_move(vf_pool *pool);

/* How many are in the quarantine, and how many were ever taken out. */
size_t vf_list_count(vf_pool *pool);
size_t vf_list_taken(vf_pool *pool);

#endif
