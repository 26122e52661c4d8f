/* SPDX-License-Identifier: MIT */
/*
 * capped.h - slots with a hard cap on how many are live: instead of caches, depot and batches, for
 * pools that have max_objects.
 *
 * There are exactly as many slots as may be live, so that an alloc fails when all of them are, and
 * never because a cache elsewhere holds the rest.
 */
#ifndef VF_CAPPED_H
#define VF_CAPPED_H

#include "batch.h"

typedef struct vf_capped vf_capped;

/* What slots lie in: a batch, or a span of a capped pool, or a part of one. */
typedef struct vf_region {
    char *base;
    size_t slots; /* 0: it has no memory */
} vf_region;

/* The pool is whose spans they are, for the map; NULL: those of no pool's objects. The name is for
   probes. NULL: out of memory. */
vf_capped *vf_capped_new(const void *pool, vf_memory *memory, const vf_shape *shape, size_t most,
                         vf_mutex *growth, const char *name);
void vf_capped_end(vf_capped *capped);

/* The generations of its slots are to be there; NULL: it has none. Before anything is allocated. */
void vf_capped_set_handles(vf_capped *capped, vf_handles *handles);

/* NULL: all are live, or out of memory, or closed. Lock-free but where memory is obtained; any
   thread. */
void *vf_capped_alloc(vf_capped *capped);

/* False: closed, and the slot is not kept. Otherwise this is the last access. Lock-free; any
   thread. */
bool vf_capped_free(vf_capped *capped, void *slot);

/* From here on no slot is kept or handed out; how many are live. Nothing is allocated at the same
   time. */
size_t vf_capped_close(vf_capped *capped);

/* Sees to it that n slots are available; false: out of memory, or beyond the cap. */
bool vf_capped_reserve(vf_capped *capped, size_t n);

/* Fills in all numbers of objects and batches. Any thread. */
void vf_capped_stats(vf_capped *capped, vf_pool_stats *stats);

/* Regions by number, as many slots each as a batch has, or fewer in the last; and the span that an
   address lies in, false: none. Any thread. */
size_t vf_capped_regions(const vf_capped *capped);
vf_region vf_capped_region(const vf_capped *capped, size_t number);
bool vf_capped_find(const vf_capped *capped, const void *address, vf_region *region);

/* The live slots of word w of this region, and *first is its first slot. No other call, but frees.
 */
vf_word vf_capped_live(const vf_capped *capped, size_t number, size_t w, char **first);

/* The region that a slot of the pool lies in, by its number, and the slot's own there. Any thread.
 */
size_t vf_capped_locate(const vf_capped *capped, const void *object, size_t *slot);

/* Is this slot of this region free? One that is the caller's is not. */
bool vf_capped_is_free(const vf_capped *capped, size_t number, size_t slot);

/* The object is live no more; false: it was not. For P_destroy: no other call. */
bool vf_capped_claim(vf_capped *capped, const void *object);

#endif
