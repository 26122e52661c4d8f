/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - the live objects of a pool that was made with VF_BYPASS, by address and by number. The
 * pool's growth lock guards both tables; each call is under it.
 */
#ifndef VF_BLOCKS_H
#define VF_BLOCKS_H

#include "../pool/pool.h"

static inline void *vf_blocks_object(const vf_block *block)
{
    return (void *)~block->key;
}

/* The object of a number below blocks->numbers; NULL: it has none. */
static inline void *vf_blocks_numbered(const vf_blocks *blocks, size_t number)
{
    uintptr_t key = blocks->numbered[number].key;
    return key != 0 ? (void *)~key : NULL;
}

/* NULL: the object is not live. */
vf_block *vf_blocks_find(const vf_blocks *blocks, const void *object);

/*
 * Sees to it that one more can be added; false: out of memory. The caller frees the tables of
 * `unused`, without the lock: an allocator that gives back by vf_free would wait for it.
 */
bool vf_blocks_reserve(vf_blocks *blocks, vf_memory *memory, vf_blocks *unused);
void vf_blocks_add(vf_blocks *blocks, const void *object, const void *caller);
void vf_blocks_remove(vf_blocks *blocks, vf_block *block);

/* The tables go back. */
void vf_blocks_free(vf_blocks *blocks, vf_memory *memory);

#endif
