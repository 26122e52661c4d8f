/* SPDX-License-Identifier: MIT */
/*
 * batch.h - batches: where slots come from.
 *
 * What they are is in record.h, and how a slot leads to its batch in addresses.h.
 */
#ifndef VF_BATCH_H
#define VF_BATCH_H

#include "addresses.h"

/* Most slots in a pool. */
#define VF_POOL_SLOTS_MAX ((size_t)1 << 30)

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

/* The record of this number, which is less than count. Any thread. */
vf_batch *vf_batch_at(const vf_batches *batches, size_t number);

/* The batch of a slot that the caller has, and where it begins. Of the two cells where it is most
   likely entered this takes the right one by arithmetic: compilers make a branch of `?:`, and for
   slots in no order half of its predictions are wrong. */
static inline vf_batch *vf_batch_of(const vf_batches *batches, const vf_addresses *table,
                                    vf_shape shape, uintptr_t slot, uintptr_t *base)
{
    uint64_t hash = (uint64_t)(slot >> shape.granule) * VF_HASH;
    size_t here = (size_t)(hash >> table->shift);
    size_t before = (size_t)((hash - VF_HASH) >> table->shift);
    /* relaxed, all three: as in find_in_table */
    size_t is_here = slot - vf_load_relaxed(&table->cells[here].base) < shape.bytes;
    const vf_cell *cell = &table->cells[before ^ ((before ^ here) & ((size_t)0 - is_here))];
    *base = vf_load_relaxed(&cell->base);
    if (VF_LIKELY(vf_cell_has(*base, shape.bytes, slot)))
        return vf_load_relaxed(&cell->batch);
    uintptr_t elsewhere; /* not base itself, which would have to be in memory */
    vf_batch *batch = vf_addresses_find(batches, slot, &elsewhere);
    *base = elsewhere;
    return batch;
}

/* n batches with memory, chained: records that had none, of the lowest numbers, or new ones. None
   of their slots is free yet. NULL: out of memory, or at the most slots, and nothing has changed,
   but that a later attempt may need less bookkeeping. Growth lock. */
vf_batch *vf_batch_new(vf_batches *batches, size_t n);

/* Takes the memory of a batch all of whose slots are in the caller's hands, for the caller to give
   back without the lock. Growth lock. */
char *vf_batch_close(vf_batches *batches, vf_batch *batch);
void vf_batch_free_memory(const vf_batches *batches, char *base);

/* At the end of the pool. */
void vf_batches_free(vf_batches *batches);

#endif
