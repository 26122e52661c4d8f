/* SPDX-License-Identifier: MIT */
/*
 * depot.h - the free slots that no cache has: one bit each, in the record of their own batch.
 *
 *     overflow:  one atomic addition for slots of a word      free[w] += 0110..
 *     refill:    one atomic exchange for a word               free[w] -> 0; ascending addresses
 *
 * So a free slot goes home, whatever order the program frees in, and what is allocated together
 * lies together. A free needs no memory: its bit is there.
 */
#ifndef VF_DEPOT_H
#define VF_DEPOT_H

#include "home.h"

/* Bookkeeping that different threads write to is kept this far apart: two lines, because Intel's
   prefetcher fetches them in pairs. */
#define VF_APART _Alignas(2 * VF_CACHE_LINE)

typedef struct vf_depot {
    vf_batches batches;
    const char *name;      /* of the pool, for probes; constant */
    VF_APART size_t taken; /* atomic: slots that are not in the depot: live, or in caches */
    size_t grown;          /* atomic: batches that ever got memory; growth lock */
    size_t promised;       /* atomic: allocs that P_reserve has promised, and that are to come */
    size_t peak;           /* atomic: most live when a thread looked */
    bool refused;          /* atomic: the last attempt to grow got no memory */
    bool has_forked;       /* this is the child: what other threads were about to count is lost */
} vf_depot;

/* Sets bits of a batch's word: its slots, which the caller had, are free. The last access to the
   batch. Lock-free; any thread. */
void vf_depot_give(vf_batch *batch, size_t w, vf_word bits);

/* Takes n free slots. Never fails, and needs no memory. Lock-free; any thread. */
void vf_depot_put(vf_depot *depot, void *const *slots, size_t n);

/*
 * Up to most free slots, the one with the lowest address last; how many. 0: none was found, which
 * under the traffic of others does not say that there is none. Lock-free; any thread.
 */
size_t vf_depot_get(vf_depot *depot, vf_home *home, void **slots, size_t most);

/* The same from any batch, listed or not, for an alloc that would be refused otherwise. Costs a
   look at all records. */
size_t vf_depot_get_any(vf_depot *depot, void **slots, size_t most);

/* The same as vf_depot_get, from new memory if need be. 0: out of memory. */
size_t vf_depot_refill(vf_depot *depot, vf_home *home, void **slots, size_t most);

/* One slot, for a thread without a cache; NULL: out of memory. */
void *vf_depot_alloc(vf_depot *depot);
void vf_depot_free(vf_depot *depot, void *slot);

/* Could n slots be in the depot, with memory for them? */
bool vf_depot_can_have(const vf_depot *depot, size_t n);

/* Sees to it that n slots are in the depot; false: out of memory, and no batch was added. */
bool vf_depot_reserve(vf_depot *depot, size_t n);

/* So many objects are live now: the most ever, perhaps. Any thread. */
void vf_depot_note_peak(vf_depot *depot, size_t live);

/* Slots in all batches. */
static inline size_t vf_depot_capacity(const vf_depot *depot)
{
    return vf_load_relaxed(&depot->batches.held) * depot->batches.shape.objects;
}

/* In the child of a fork: lists what has free slots, and no home has a claim. */
void vf_depot_after_fork(vf_depot *depot);

#endif
