/* SPDX-License-Identifier: MIT */
/*
 * blocks.c - see blocks.h. Open addressing with linear probing, at most half full. Addresses are
 * stored inverted: a tool that looks for leaks is not to find pointers there.
 */
#include "blocks.h"

#define FIRST_CAPACITY 64

static uintptr_t key_of(const void *object)
{
    return ~(uintptr_t)object; /* never 0, that of an empty place */
}

static size_t home_of(const vf_blocks *blocks, uintptr_t key)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (blocks->capacity - 1);
}

/* Where the key is, or an empty place for it. There is room. */
static vf_block *cell_of(const vf_blocks *blocks, uintptr_t key)
{
    size_t i = home_of(blocks, key);
    while (blocks->table[i].key != 0 && blocks->table[i].key != key)
        i = (i + 1) & (blocks->capacity - 1);
    return &blocks->table[i];
}

vf_block *vf_blocks_find(const vf_blocks *blocks, const void *object)
{
    if (blocks->capacity == 0)
        return NULL;
    vf_block *block = cell_of(blocks, key_of(object));
    return block->key != 0 ? block : NULL;
}

bool vf_blocks_reserve(vf_blocks *blocks, vf_memory *memory)
{
    if (blocks->count < blocks->capacity / 2)
        return true;
    vf_blocks larger = *blocks;
    larger.table = NULL;
    larger.capacity = blocks->capacity != 0 ? blocks->capacity * 2 : FIRST_CAPACITY;
    if (larger.capacity <= SIZE_MAX / sizeof(vf_block))
        larger.table =
            vf_memory_alloc(memory, larger.capacity * sizeof(vf_block), _Alignof(vf_block));
    if (larger.table == NULL)
        return false; /* the memory is zero otherwise: vf_checks_fresh */
    for (size_t i = 0; i < blocks->capacity; i++) {
        if (blocks->table[i].key != 0)
            *cell_of(&larger, blocks->table[i].key) = blocks->table[i];
    }
    vf_blocks_free(blocks, memory);
    *blocks = larger;
    return true;
}

/* Those behind it move up, if they may: a search stops at the first empty place. */
void vf_blocks_remove(vf_blocks *blocks, vf_block *block)
{
    size_t mask = blocks->capacity - 1;
    size_t empty = (size_t)(block - blocks->table);
    for (size_t i = (empty + 1) & mask; blocks->table[i].key != 0; i = (i + 1) & mask) {
        if (((i - home_of(blocks, blocks->table[i].key)) & mask) >= ((i - empty) & mask)) {
            blocks->table[empty] = blocks->table[i];
            empty = i;
        }
    }
    blocks->table[empty].key = 0;
    blocks->count--;
}

void vf_blocks_add(vf_blocks *blocks, const void *object, const void *caller)
{
    *cell_of(blocks, key_of(object)) =
        (vf_block){.key = key_of(object), .allocated = caller, .state = VF_LIVE};
    blocks->peak = vf_max(blocks->peak, ++blocks->count);
}

void vf_blocks_free(vf_blocks *blocks, vf_memory *memory)
{
    if (blocks->table != NULL)
        vf_memory_free(memory, blocks->table, blocks->capacity * sizeof(vf_block),
                       _Alignof(vf_block));
}
