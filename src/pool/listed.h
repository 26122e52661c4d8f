/* SPDX-License-Identifier: MIT */
/*
 * listed.h - which batches may have free slots: a bit for each batch, in its group, and a bit for
 * each group of such batches, in the group above it.
 */
#ifndef VF_LISTED_H
#define VF_LISTED_H

#include "batch.h"

/* The batches that a cache keeps to, all of one group: those of the others come last for it. It is
   a preference: whoever has claimed a batch, any cache can take from it. */
typedef struct vf_claims {
    vf_group *group; /* NULL: none yet */
    vf_word members;
} vf_claims;

/* Has the batch free slots? Under the traffic of others the answer may be out of date. */
bool vf_listed_has_free(const vf_batches *batches, const vf_batch *batch);

/* The batch has free slots. Lock-free; any thread. */
void vf_listed_add(vf_batch *batch);

/* The batch is listed no more, if it has no free slot. Lock-free; any thread. */
void vf_listed_remove(const vf_batches *batches, vf_batch *batch);

/* The next listed batch from number `from` on, round the end, that others have not claimed. With
   NULL for claims: whoever has claimed it. NULL: none. */
vf_batch *vf_listed_next(const vf_batches *batches, size_t from, const vf_claims *claims);

/* In the child of a fork: lists the batch, if it has free slots, and forgets who has claimed it. */
void vf_listed_after_fork(const vf_batches *batches, vf_batch *batch);

#endif
