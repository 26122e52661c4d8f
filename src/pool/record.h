/* SPDX-License-Identifier: MIT */
/*
 * record.h - the record of a batch, and all records of a pool.
 *
 *     record:  base | number | begun | group | next | free[0] free[1] ...    one bit for each slot:
 *               |                               1011..  0100..        1 is free, and in the depot
 *               v
 *     memory:  slot 0 | slot 1 | ... | slot N-1
 *
 * The record of a batch is never given back before its pool, so a thread that looks at it late
 * finds a record, and in one without memory no free slot. The memory is given back only by a
 * thread that has taken all N bits. Nothing of the library's lies in it.
 *
 * Records are found in two ways:
 *
 *     by number     a tree of groups, each with one bit for each member that may have free slots
 *                   (batch.c)
 *     by address    a hash table of the batches' first addresses (addresses.c)
 *
 * and by an address alone the pool is found, in the map (map.h).
 */
#ifndef VF_RECORD_H
#define VF_RECORD_H

#include <veryfast/detail/pool_core.h>

#include "../common/bits.h"
#include "../platform/mutex.h"
#include "generation.h"
#include "memory.h"

/*
 * Group: a node of the tree that leads from a number to a record, VF_WORD_BITS members wide. In a
 * group of height 0 the members are batches, above that they are groups. The tree grows at its
 * root, and a group is never given back before the pool.
 */
typedef struct vf_group {
    vf_word listed;                     /* atomic: members that may have free slots, see listed.c */
    vf_word claimed;                    /* atomic, height 0: batches that a cache keeps to */
    struct vf_group *parent;            /* atomic: NULL for the root */
    uint32_t in_parent;                 /* its own bit there; constant */
    uint32_t height;                    /* constant */
    void *members[sizeof(vf_word) * 8]; /* written once, before the count that includes them */
} vf_group;

#define VF_BATCH_NOT_ENTERED UINT32_MAX

/* A batch's record. */
typedef struct vf_batch {
    char *base;      /* atomic: slot 0; NULL: no memory. Written under the growth lock */
    uint32_t number; /* constant, once the count includes it */
    uint32_t begun;  /* atomic: words that were taken from; all slots behind them are fresh. Or
                        VF_BATCH_NOT_ENTERED: it is being made, or given back, or has no memory */
    vf_group *group; /* constant: of height 0 */
    struct vf_batch *next; /* of those that were made together; growth lock */
    vf_word free[];        /* atomic: the slots in the depot */
} vf_batch;

/*
 * A cell of the table by address: where a batch begins, and its record. Both are on one line of
 * the processor's cache. A look for a slot's batch reads nothing of other batches but their bases
 * here, so it does not wait for the lines of their bits, which other threads write to.
 */
typedef struct vf_cell {
    _Alignas(2 * sizeof(void *)) uintptr_t base; /* atomic: slot 0, or one of the two below */
    vf_batch *batch; /* atomic: written before the base, and read after it */
} vf_cell;

#define VF_CELL_EMPTY ((uintptr_t)0)
#define VF_CELL_GONE  ((uintptr_t)1) /* a batch was removed here */

/* One version of the table by address. A version that was replaced stays until the pool ends,
   because a thread may still be reading it. */
typedef struct vf_addresses {
    struct vf_addresses *older;
    unsigned shift; /* of the hash: 64 less the logarithm of the size; constant */
    size_t used;    /* cells that are not empty; growth lock */
    vf_cell cells[];
} vf_addresses;

/* What the batches of a pool have in common; constant. */
typedef struct vf_shape {
    size_t objects;     /* slots in a batch */
    size_t stride;      /* bytes from one slot to the next */
    size_t alignment;   /* of a slot */
    size_t bytes;       /* of the slots of one batch */
    size_t words;       /* of one batch */
    unsigned granule;   /* logarithm of the largest power of two that is not above bytes */
    unsigned shift;     /* stride = odd << shift */
    size_t odd_inverse; /* of odd, modulo the size of a word: exact division by one product */
} vf_shape;

typedef struct vf_batches {
    vf_group *root;          /* atomic: written under the growth lock */
    vf_addresses *addresses; /* atomic: written under the growth lock */
    vf_addresses *next;      /* atomic, for forks: what will replace it, or NULL; growth lock */
    size_t prepared;         /* steps that were made toward that; growth lock */
    size_t count;            /* atomic: records; growth lock */
    size_t held;             /* atomic: those with memory; growth lock */
    size_t unused;           /* no record below this number is without memory; growth lock */
    vf_shape shape;
    const void *pool;    /* constant: whose batches they are, for the map */
    vf_handles *handles; /* constant; NULL: the pool has none */
    vf_memory *memory;   /* constant */
    vf_mutex *growth;    /* constant: the pool's growth lock */
} vf_batches;

/* Slot 0 of a batch that has memory, and is entered; or NULL. */
static inline char *vf_batch_base(const vf_batch *batch)
{
    /* relaxed: what leads to a slot is acquired with its bit */
    return vf_load_relaxed(&batch->begun) != VF_BATCH_NOT_ENTERED ? vf_load_relaxed(&batch->base)
                                                                  : NULL;
}

/* Does the address lie in the batch of so many bytes that begins at base? */
static inline bool vf_cell_has(uintptr_t base, size_t bytes, uintptr_t address)
{
    return (base > VF_CELL_GONE) & (address - base < bytes);
}

#endif
