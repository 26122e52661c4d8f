/* SPDX-License-Identifier: MIT */
/*
 * generation.h - the generations of a pool's slots, for handles: by the numbers of batches, in a
 * directory. See <veryfast/detail/pool_handle.h> for what they look like.
 *
 * They stay when the memory of a batch goes back, and count on when it comes again.
 */
#ifndef VF_GENERATION_H
#define VF_GENERATION_H

#include <veryfast/detail/pool_core.h>

#include "../common/bits.h"
#include "../platform/mutex.h"
#include "memory.h"

/* What an object's end makes of its generation, which is that of a published one. */
static inline uint32_t vf_generation_after(uint32_t generation)
{
    return generation == UINT32_MAX ? VF_GENERATION_LAST : generation - VF_PUBLISHED + 1;
}

/* All of a pool that has handles. */
typedef struct vf_handles {
    vf_generations ***directory; /* constant, as the next three: where the pool has it */
    size_t objects;              /* slots in a batch */
    vf_memory *memory;
    vf_mutex *growth; /* the pool's growth lock */
    size_t count;     /* atomic: batches; growth lock */
} vf_handles;

/* Of a batch without memory, which no object lies in. Never written. */
extern const vf_generations vf_generation_none;

/* For batches of so many slots, none of which is there yet. */
void vf_generations_init(vf_handles *handles, vf_generations ***directory, size_t objects,
                         vf_memory *memory, vf_mutex *growth);

/* Sees to it that there are generations for so many batches; false: out of memory. Growth lock. */
bool vf_generations_reserve(vf_handles *handles, size_t batches);

/* Those of a batch, by its number, for which there are some. */
static inline vf_generations *vf_generations_at(const vf_handles *handles, size_t number)
{
    return vf_load_acquire(handles->directory)[number]; /* acquire: as in vf_handle_look_up */
}

/* The memory of the batch begins there from here on; NULL: it has none, and all of its slots are
   in the caller's hands. Growth lock. */
void vf_generations_set_base(vf_handles *handles, size_t number, char *base);

/* The slots of the batch's word w that are retired. handles may be NULL: none is. Any thread. */
vf_word vf_generations_retired(const vf_handles *handles, size_t number, size_t w);

/* How many slots are retired: of a batch, and of all that have memory. Any thread. */
size_t vf_generations_count_retired(const vf_handles *handles, size_t number);
size_t vf_generations_count_all_retired(const vf_handles *handles);

/* A slot is retired: the object that ended its last generation is gone. Any thread. */
void vf_generation_retire(vf_generations *of, size_t slot);

/* At the end of the pool. */
void vf_generations_free(vf_handles *handles);

#endif
