/* SPDX-License-Identifier: MIT */
/*
 * addresses.h - the table by address: which batch a slot is of.
 */
#ifndef VF_ADDRESSES_H
#define VF_ADDRESSES_H

#include "record.h"

/* The batch that the address lies in, and where it begins; NULL: none. Lock-free; any thread. For
   an address that is nobody's the answer may be out of date, and then only the base is right. */
vf_batch *vf_addresses_find(const vf_batches *batches, uintptr_t address, uintptr_t *base);

/* The table by address, for vf_batch_of: it has the batches of all slots that the caller has. */
static inline const vf_addresses *vf_addresses_now(const vf_batches *batches)
{
    /* acquire: pairs with the release in prepare_next */
    return vf_load_acquire(&batches->addresses);
}

/* The product's upper bits depend on all of the granule's (Knuth, 6.4). */
#define VF_HASH UINT64_C(0x9E3779B97F4A7C15)

/* Room for n more batches; false: out of memory. Growth lock. */
bool vf_addresses_reserve(vf_batches *batches, size_t n);

/* A batch with memory, for which there is room. Growth lock. */
void vf_addresses_enter(vf_batches *batches, vf_batch *batch);

/* A batch that was entered, whose memory it still has. Growth lock. */
void vf_addresses_remove(vf_batches *batches, const vf_batch *batch);

/* In the child of a fork: a thread that did not come along may have been in the growth lock. */
void vf_addresses_after_fork(vf_batches *batches);

/* At the end of the pool. */
void vf_addresses_free(vf_batches *batches);

#endif
