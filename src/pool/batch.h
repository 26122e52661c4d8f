/* SPDX-License-Identifier: MIT */
/*
 * batch.h - batches: where slots come from, and how a slot leads to its batch.
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
 *     by address    a hash table of the batches' first addresses
 *
 * and by an address alone the pool is found, in the map (map.h).
 */
#ifndef VF_BATCH_H
#define VF_BATCH_H

#include <veryfast/detail/pool_core.h>

#include "../common/bits.h"
#include "../platform/mutex.h"
#include "generation.h"
#include "map.h"
#include "memory.h"

/* Most slots in a pool. */
#define VF_POOL_SLOTS_MAX ((size_t)1 << 30)

/*
 * Group: a node of the tree that leads from a number to a record, VF_WORD_BITS members wide. In a
 * group of height 0 the members are batches, above that they are groups. The tree grows at its
 * root, and a group is never given back before the pool.
 */
typedef struct vf_group {
    vf_word listed;                     /* atomic: members that may have free slots, see depot.c */
    vf_word claimed;                    /* atomic, height 0: batches that a cache refills from */
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

/* One version of the table by address. A version that was replaced stays until the pool ends,
   because a thread may still be reading it. */
typedef struct vf_addresses {
    struct vf_addresses *older;
    unsigned shift;    /* of the hash: 64 less the logarithm of the size; constant */
    size_t used;       /* cells that are not empty; growth lock */
    vf_batch *cells[]; /* atomic: &vf_batch_none: empty; &vf_batch_gone: one was removed here */
} vf_addresses;

/* Batches without memory, so that no address lies in them. Never written. */
extern vf_batch vf_batch_none, vf_batch_gone;

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

/* For batches of so many slots, none of which is there yet. */
void vf_batches_init(vf_batches *batches, const void *pool, const vf_shape *shape,
                     vf_memory *memory, vf_mutex *growth);

/* A shape of these three numbers, and what follows from them. */
vf_shape vf_batch_shape(size_t objects, size_t stride, size_t alignment);

/* The bits of word w that stand for slots. */
static inline vf_word vf_batch_mask(vf_shape shape, size_t w)
{
    return vf_bits_mask(shape.objects, w);
}

/* Those of them that are not retired. */
static inline vf_word vf_batch_usable(const vf_batches *batches, const vf_batch *batch, size_t w)
{
    return vf_batch_mask(batches->shape, w) &
           ~vf_generations_retired(batches->handles, batch->number, w);
}

/* The number of the slot that begins so many bytes behind slot 0. */
static inline size_t vf_batch_slot_number(vf_shape shape, size_t offset)
{
    return (offset >> shape.shift) * shape.odd_inverse;
}

/* Slot 0 of a batch that has memory, and is entered; or NULL. */
static inline char *vf_batch_base(const vf_batch *batch)
{
    /* relaxed: what leads to a slot is acquired with its bit */
    return vf_load_relaxed(&batch->begun) != VF_BATCH_NOT_ENTERED ? vf_load_relaxed(&batch->base)
                                                                  : NULL;
}

/* The record of this number, which is less than count. Any thread. */
vf_batch *vf_batch_at(const vf_batches *batches, size_t number);

/* Does the address lie in the batch? */
static inline bool vf_batch_has(const vf_batch *batch, size_t bytes, uintptr_t address)
{
    /* relaxed: that of a batch which is anything to the caller does not change */
    uintptr_t base = (uintptr_t)vf_load_relaxed(&batch->base);
    return (base != 0) & (address - base < bytes);
}

/* The batch that the address lies in; NULL: none. Lock-free; any thread. */
vf_batch *vf_batch_find(const vf_batches *batches, uintptr_t address);

/* The table by address, for vf_batch_of: it has the batches of all slots that the caller has. */
static inline const vf_addresses *vf_batch_addresses(const vf_batches *batches)
{
    /* acquire: pairs with the release in prepare_next */
    return vf_load_acquire(&batches->addresses);
}

/* The product's upper bits depend on all of the granule's (Knuth, 6.4). */
#define VF_HASH UINT64_C(0x9E3779B97F4A7C15)

/* The batch of a slot that the caller has. Of the two cells where it is most likely entered this
   takes the right one without a branch, which for slots in no order could not be foreseen. */
static inline vf_batch *vf_batch_of(const vf_batches *batches, const vf_addresses *table,
                                    vf_shape shape, uintptr_t slot)
{
    uint64_t hash = (uint64_t)(slot >> shape.granule) * VF_HASH;
    /* acquire: pairs with the release in enter_in_table */
    vf_batch *here = vf_load_acquire(&table->cells[hash >> table->shift]);
    vf_batch *before = vf_load_acquire(&table->cells[(hash - VF_HASH) >> table->shift]);
    bool is_here = vf_batch_has(here, shape.bytes, slot);
    bool is_before = vf_batch_has(before, shape.bytes, slot);
    vf_batch *batch = is_here ? here : before;
    return VF_LIKELY(is_here | is_before) ? batch : vf_batch_find(batches, slot);
}

/* n batches with memory, chained: records that had none, of the lowest numbers, or new ones. None
   of their slots is free yet. NULL: out of memory, or at the most slots, and nothing has changed,
   but that a later attempt may need less bookkeeping. Growth lock. */
vf_batch *vf_batch_new(vf_batches *batches, size_t n);

/* Takes the memory of a batch all of whose slots are in the caller's hands, for the caller to give
   back without the lock. Growth lock. */
char *vf_batch_close(vf_batches *batches, vf_batch *batch);
void vf_batch_free_memory(const vf_batches *batches, char *base);

/* In the child of a fork: a thread that did not come along may have been in the growth lock. */
void vf_batches_after_fork(vf_batches *batches);

/* At the end of the pool. */
void vf_batches_free(vf_batches *batches);

#endif
