/* SPDX-License-Identifier: MIT */
/*
 * blocks.c - see blocks.h. Open addressing with linear probing, at most half full. Addresses are
 * stored inverted: a tool that looks for leaks is not to find pointers there.
 */
#include "blocks.h"

#include <string.h>

#define FIRST_CAPACITY 64

static uintptr_t key_of(const void *object)
{
    return ~(uintptr_t)object; /* never 0, that of an empty cell */
}

static size_t first_cell(const vf_blocks *blocks, uintptr_t key)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (blocks->capacity - 1);
}

/* Where the key is, or an empty cell for it. There is room. */
static vf_block *cell_of(const vf_blocks *blocks, uintptr_t key)
{
    size_t i = first_cell(blocks, key);
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

static size_t blocks_bytes(const vf_blocks *blocks)
{
    return blocks->capacity * sizeof(vf_block);
}

static size_t numbered_bytes(const vf_blocks *blocks)
{
    return blocks->capacity / 2 * sizeof(vf_numbered);
}

/* Empty ones: the memory is zero, see vf_checks_fresh. False: out of memory. */
static bool make_tables(vf_blocks *blocks, vf_memory *memory)
{
    if (blocks->capacity > SIZE_MAX / sizeof(vf_block))
        return false;
    blocks->table = vf_memory_alloc(memory, blocks_bytes(blocks), _Alignof(vf_block));
    if (blocks->table == NULL)
        return false;
    blocks->numbered = vf_memory_alloc(memory, numbered_bytes(blocks), _Alignof(vf_numbered));
    return blocks->numbered != NULL;
}

bool vf_blocks_reserve(vf_blocks *blocks, vf_memory *memory, vf_blocks *unused)
{
    *unused = (vf_blocks){0};
    if (blocks->count + blocks->retired < blocks->capacity / 2)
        return true;
    vf_blocks larger = {.capacity = blocks->capacity != 0 ? blocks->capacity * 2 : FIRST_CAPACITY};
    if (!make_tables(&larger, memory)) {
        *unused = larger;
        return false;
    }
    if (blocks->numbers > 0)
        memcpy(larger.numbered, blocks->numbered, blocks->numbers * sizeof(vf_numbered));
    for (size_t i = 0; i < blocks->capacity; i++) {
        if (blocks->table[i].key != 0)
            *cell_of(&larger, blocks->table[i].key) = blocks->table[i];
    }
    *unused = *blocks;
    /* and no more of it: what is constant is read without the lock */
    blocks->capacity = larger.capacity;
    blocks->table = larger.table;
    blocks->numbered = larger.numbered;
    return true;
}

/* A number that was used before, or else the next one. There is room. */
static uint32_t take_number(vf_blocks *blocks)
{
    uint32_t unused = blocks->unused;
    if (unused == 0) {
        blocks->numbered[blocks->numbers].generation = VF_GENERATION_FIRST;
        return (uint32_t)blocks->numbers++;
    }
    blocks->unused = blocks->numbered[unused - 1].unused;
    return unused - 1;
}

static void leave_number(vf_blocks *blocks, uint32_t number)
{
    uint32_t generation = blocks->numbered[number].generation;
    blocks->numbered[number] = (vf_numbered){.unused = blocks->unused, .generation = generation};
    if (generation != VF_GENERATION_LAST)
        blocks->unused = number + 1;
    else
        blocks->retired++; /* and is not used again */
}

/* Those behind it move up, if they may: a search stops at the first empty cell. */
void vf_blocks_remove(vf_blocks *blocks, vf_block *block)
{
    leave_number(blocks, block->number);
    size_t mask = blocks->capacity - 1;
    size_t empty = (size_t)(block - blocks->table);
    for (size_t i = (empty + 1) & mask; blocks->table[i].key != 0; i = (i + 1) & mask) {
        if (((i - first_cell(blocks, blocks->table[i].key)) & mask) >= ((i - empty) & mask)) {
            blocks->table[empty] = blocks->table[i];
            empty = i;
        }
    }
    blocks->table[empty].key = 0;
    blocks->count--;
}

void vf_blocks_add(vf_blocks *blocks, const void *object, const void *caller)
{
    uint32_t number = take_number(blocks);
    blocks->numbered[number].key = key_of(object);
    *cell_of(blocks, key_of(object)) =
        (vf_block){.key = key_of(object), .allocated = caller, .state = VF_LIVE, .number = number};
    blocks->peak = vf_max(blocks->peak, ++blocks->count);
}

void vf_blocks_free(vf_blocks *blocks, vf_memory *memory)
{
    if (blocks->table != NULL)
        vf_memory_free(memory, blocks->table, blocks_bytes(blocks), _Alignof(vf_block));
    if (blocks->numbered != NULL)
        vf_memory_free(memory, blocks->numbered, numbered_bytes(blocks), _Alignof(vf_numbered));
}
