/* SPDX-License-Identifier: MIT */
/*
 * bypass.c - pools made with VF_BYPASS: each object is a block of malloc's, or of the
 * pool's allocator, with exactly the size of VF_T.
 *
 * The core has a pool without a batch, which does the rest: names, threads, forks, grace periods
 * and the end. An object is to it like one of a thread without a cache (pool/cached.c): counted off
 * at alloc, and back at free.
 *
 * What is live stands in a table by address (blocks.h). The growth lock guards all of it.
 */
#include "bypass.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <veryfast/detail/pool_checked.h>

#include "../common/hook.h"
#include "../pool/epoch.h"
#include "../pool/release.h"
#include "../pool/shared.h"
#include "blocks.h"
#include "caller.h"
#include "look.h"
#include "misuse.h"

/* ---- the blocks ---- */

/* Not by vf_memory_alloc, which clears it: a tool that looks for uninitialised reads would see
   none. */
static void *block_alloc(vf_pool *pool)
{
    void *object = vf_hook_alloc(&pool->memory.allocator, pool->checked.object_size,
                                 pool->checked.blocks.alignment);
    if (object != NULL)
        vf_fetch_add_relaxed(&pool->memory.bytes, pool->checked.object_size);
    return object;
}

static void block_free(vf_pool *pool, void *object)
{
    vf_fetch_add_relaxed(&pool->memory.bytes, (size_t)0 - pool->checked.object_size);
    vf_hook_dealloc(&pool->memory.allocator, object, pool->checked.object_size,
                    pool->checked.blocks.alignment);
}

/* ---- misuse ---- */

/* Releases the growth lock. */
static _Noreturn void stop_at(vf_pool *pool, const vf_block *block, const void *caller)
{
    assert(vf_mutex_held(&pool->growth));
    char allocated[VF_CALLER_SIZE];
    vf_block copy = *block;
    vf_mutex_unlock(&pool->growth);
    vf_caller_print(copy.allocated, allocated, sizeof allocated);
    vf_misuse(pool->name, pool, caller, "%s %p@, allocated at %s",
              copy.state == VF_DEFERRED ? "free of deferred object" : "double free of",
              vf_blocks_object(&copy), allocated);
}

/* Of an address that is no live object. Releases the growth lock. */
static _Noreturn void stop_at_stranger(vf_pool *pool, const void *object, const void *caller)
{
    assert(vf_mutex_held(&pool->growth));
    const vf_blocks *blocks = &pool->checked.blocks;
    vf_region region = {0};
    for (size_t i = 0; i < blocks->capacity; i++) {
        const char *base = vf_blocks_object(&blocks->table[i]);
        if (blocks->table[i].key != 0 &&
            (uintptr_t)object - (uintptr_t)base < pool->checked.object_size)
            region = (vf_region){.base = vf_blocks_object(&blocks->table[i]), .slots = 1};
    }
    vf_mutex_unlock(&pool->growth);
    vf_look_stranger(pool, object, &region, caller);
}

/* The block of an object that the program has and may use; stops otherwise. While P_destroy drops
   all, any that was live before. Growth lock. */
static vf_block *look(vf_pool *pool, const void *object, const void *caller)
{
    assert(vf_mutex_held(&pool->growth));
    vf_block *block = vf_blocks_find(&pool->checked.blocks, object);
    if (block == NULL)
        stop_at_stranger(pool, object, caller);
    if (!pool->checked.blocks.ending && block->state != VF_LIVE && block->state != VF_DROPPING)
        stop_at(pool, block, caller);
    return block;
}

void vf_bypass_look(vf_pool *pool, const void *object, const void *caller)
{
    vf_mutex_lock(&pool->growth);
    (void)look(pool, object, caller);
    vf_mutex_unlock(&pool->growth);
}

/* ---- the calls ---- */

vf_pool_core *vf_bypass_new(const vf_pool_type *type, const vf_pool_options *options,
                            size_t options_size, const void *caller)
{
    vf_pool_options known = {0}; /* as in pool/calls.c */
    if (options != NULL)
        memcpy(&known, options, vf_min(options_size, sizeof known));
    size_t cap = known.max_objects;
    if (cap <= VF_POOL_SLOTS_MAX)
        known.max_objects = 0; /* the cap is kept here; otherwise the core refuses it */
    vf_pool_type plain = *type;
    plain.handles = false; /* they are kept here, too */
    vf_pool_core *core = vf_checked_new(&plain, &known, sizeof known, caller);
    if (core == NULL)
        return NULL;
    vf_pool *pool = vf_pool_whole(core);
    vf_mutex_lock(&pool->growth); /* a thread that looks for a pointer's owner sees it already */
    pool->checked.blocks = (vf_blocks){
        .bypass = true, .handles = type->handles, .cap = cap, .alignment = type->alignment};
    vf_mutex_unlock(&pool->growth);
    return core;
}

static vf_pool_core *make_bypassed(const vf_pool_type *type, const void *caller)
{
    return vf_bypass_new(type, NULL, 0, caller);
}

vf_pool_core *vf_bypass_shared(const vf_pool_type *type, const void *caller)
{
    return vf_shared_get(type, make_bypassed, caller);
}

void *vf_bypass_alloc(vf_pool *pool, const void *caller)
{
    vf_blocks *blocks = &pool->checked.blocks;
    vf_blocks unused = {0};
    void *object = NULL;
    vf_mutex_lock(&pool->growth);
    if ((blocks->cap == 0 || blocks->count < blocks->cap) &&
        vf_blocks_reserve(blocks, &pool->memory, &unused))
        object = block_alloc(pool);
    if (object != NULL)
        vf_blocks_add(blocks, object, caller);
    vf_mutex_unlock(&pool->growth);
    vf_blocks_free(&unused, &pool->memory);
    if (object == NULL) {
        vf_epoch_send_all(pool, false); /* as in pool/calls.c */
        errno = ENOMEM;
        return NULL;
    }
    (void)vf_release_return(pool, -1);
    return object;
}

/* Is VF_DROP still to be run on it? While P_destroy drops all nothing is on its way any more: what
   is deferred was lost in a fork. */
static bool undropped(const vf_blocks *blocks, const vf_block *block)
{
    return block->state == VF_LIVE || (blocks->ending && block->state == VF_DEFERRED);
}

/* Before VF_DROP. From here on another free of the object is a second one. */
bool vf_bypass_may_drop(vf_pool *pool, const void *object, const void *caller)
{
    vf_mutex_lock(&pool->growth);
    vf_block *block = look(pool, object, caller);
    bool first = undropped(&pool->checked.blocks, block);
    if (!first && !pool->checked.blocks.ending)
        stop_at(pool, block, caller);
    if (first)
        block->state = VF_DROPPING;
    vf_mutex_unlock(&pool->growth);
    return first;
}

/* The pool may be gone with the object. */
void vf_bypass_free(vf_pool *pool, void *object, const void *caller)
{
    vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    vf_block *block = look(pool, object, caller);
    bool ending = blocks->ending;
    if (ending)
        block->state = VF_FREED; /* and freed with the rest: what was dropped must be known */
    else
        vf_blocks_remove(blocks, block);
    vf_mutex_unlock(&pool->growth);
    if (ending)
        return;
    block_free(pool, object);
    vf_release_return_last(pool, 1);
}

/* No other call on the pool, but what VF_DROP frees: so the table stays as it is. */
void vf_bypass_destroy(vf_pool *pool, void (*drop)(void *object))
{
    vf_blocks *blocks = &pool->checked.blocks;
    blocks->ending = true;
    for (size_t i = 0; drop != NULL && i < blocks->capacity; i++) {
        vf_block *block = &blocks->table[i];
        if (block->key == 0 || !undropped(blocks, block))
            continue;
        block->state = VF_DROPPING;
        vf_bypass_unpublish(pool, vf_blocks_object(block));
        drop(vf_blocks_object(block));
    }
    for (size_t i = 0; i < blocks->capacity; i++) {
        if (blocks->table[i].key != 0)
            block_free(pool, vf_blocks_object(&blocks->table[i]));
    }
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return (x > y) - (x < y);
}

/* The order is of objects here. */
bool vf_bypass_each_begin(vf_pool *pool, vf_walk *walk)
{
    vf_epoch_drain(pool);
    const vf_blocks *blocks = &pool->checked.blocks;
    *walk = (vf_walk){.position = {.pool = &pool->core, .batches = blocks->count}};
    if (blocks->count == 0)
        return true;
    size_t bytes = blocks->count * sizeof(void *);
    void **objects = vf_memory_alloc(&pool->memory, bytes, _Alignof(void *));
    if (objects == NULL) {
        errno = ENOMEM;
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < blocks->capacity; i++) {
        if (blocks->table[i].key != 0)
            objects[n++] = vf_blocks_object(&blocks->table[i]);
    }
    qsort(objects, n, sizeof *objects, by_address);
    walk->position.order = objects;
    return true;
}

void *vf_bypass_each_next(vf_walk *walk)
{
    vf_walk_position *at = &walk->position;
    return at->number < at->batches ? ((void **)at->order)[at->number++] : NULL;
}

void vf_bypass_each_end(vf_pool *pool, const vf_walk *walk)
{
    const vf_walk_position *at = &walk->position;
    if (at->order != NULL)
        vf_memory_free(&pool->memory, at->order, at->batches * sizeof(void *), _Alignof(void *));
}

/* A block is as a batch of one. A part has each one whose number is its own, modulo the parts. */
void vf_bypass_walk_begin(vf_pool *pool, vf_walk *walk, size_t part, size_t parts)
{
    if (!pool->checked.blocks.handles)
        vf_epoch_drain(pool);
    vf_mutex_lock(&pool->growth);
    *walk = (vf_walk){
        .position = {.pool = &pool->core,
                     .number = part,
                     .batches = pool->checked.blocks.numbers,
                     .part = part,
                     .parts = parts},
    };
    vf_mutex_unlock(&pool->growth);
}

void *vf_bypass_walk_next(vf_pool *pool, vf_walk *walk)
{
    void *object = NULL;
    vf_walk_position *at = &walk->position;
    vf_mutex_lock(&pool->growth);
    while (object == NULL && at->number < at->batches) {
        const vf_numbered *it = &pool->checked.blocks.numbered[at->number];
        if (!pool->checked.blocks.handles || it->generation >= VF_PUBLISHED)
            object = vf_blocks_numbered(&pool->checked.blocks, at->number);
        walk->given = vf_handle_bits(it->generation, (uint32_t)at->number);
        at->number += vf_min(at->batches - at->number, at->parts - 1) + 1;
    }
    vf_mutex_unlock(&pool->growth);
    return object;
}

/* ---- handles ---- */

uint64_t vf_bypass_publish(vf_pool *pool, const void *object, const void *caller)
{
    vf_mutex_lock(&pool->growth);
    uint32_t number = look(pool, object, caller)->number;
    vf_numbered *it = &pool->checked.blocks.numbered[number];
    it->generation |= VF_PUBLISHED;
    uint64_t bits = vf_handle_bits(it->generation, number);
    vf_mutex_unlock(&pool->growth);
    return bits;
}

/* What the handle leads to; NULL: nothing. Growth lock. */
static vf_numbered *find_numbered(vf_pool *pool, uint64_t bits)
{
    assert(vf_mutex_held(&pool->growth));
    vf_blocks *blocks = &pool->checked.blocks;
    uint64_t number = vf_handle_number(bits);
    vf_numbered *it = number < blocks->numbers ? &blocks->numbered[number] : NULL;
    return it != NULL && it->generation == vf_handle_generation(bits) ? it : NULL;
}

static void *object_of(const vf_pool *pool, const vf_numbered *it)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    return it != NULL ? vf_blocks_numbered(blocks, (size_t)(it - blocks->numbered)) : NULL;
}

void *vf_bypass_get(vf_pool *pool, uint64_t bits)
{
    vf_mutex_lock(&pool->growth);
    void *object = object_of(pool, find_numbered(pool, bits));
    vf_mutex_unlock(&pool->growth);
    return object;
}

static void end_generation(vf_numbered *it)
{
    if (it->generation >= VF_PUBLISHED)
        it->generation = vf_generation_after(it->generation);
}

void *vf_bypass_claim(vf_pool *pool, uint64_t bits)
{
    vf_mutex_lock(&pool->growth);
    vf_numbered *it = find_numbered(pool, bits);
    void *object = object_of(pool, it);
    if (object != NULL)
        end_generation(it);
    vf_mutex_unlock(&pool->growth);
    return object;
}

void vf_bypass_unpublish(vf_pool *pool, const void *object)
{
    vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    const vf_block *block = vf_blocks_find(blocks, object);
    if (block != NULL)
        end_generation(&blocks->numbered[block->number]);
    vf_mutex_unlock(&pool->growth);
}

void vf_bypass_publish_again(vf_pool *pool, uint64_t bits)
{
    vf_mutex_lock(&pool->growth);
    pool->checked.blocks.numbered[vf_handle_number(bits)].generation = vf_handle_generation(bits);
    vf_mutex_unlock(&pool->growth);
}

/* Nothing is set aside: true where the cap allows for n more. */
bool vf_bypass_reserve(vf_pool *pool, size_t n)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    bool possible = n <= (blocks->cap != 0 ? blocks->cap : VF_POOL_SLOTS_MAX) - blocks->count;
    vf_mutex_unlock(&pool->growth);
    if (!possible)
        errno = ENOMEM;
    return possible;
}

vf_pool_stats vf_bypass_stats(vf_pool *pool)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    vf_pool_stats stats = {
        .batch_objects = vf_pool_shape(pool)->objects,
        .stride = pool->checked.object_size,
        .bytes = vf_load_relaxed(&pool->memory.bytes),
        .capacity = blocks->count,
        .live = blocks->count,
        .peak = blocks->peak,
    };
    vf_mutex_unlock(&pool->growth);
    stats.deferred = vf_min(vf_epoch_deferred(pool), stats.live);
    return stats;
}

bool vf_bypass_owns(vf_pool *pool, const void *object)
{
    vf_mutex_lock(&pool->growth);
    bool owns = vf_blocks_find(&pool->checked.blocks, object) != NULL;
    vf_mutex_unlock(&pool->growth);
    return owns;
}

/* Frees of other threads may run beside P_release. */
void vf_bypass_each_leak(vf_pool *pool, vf_bypass_visitor *visit, void *context)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    for (size_t i = 0; i < blocks->capacity; i++) {
        const vf_block *block = &blocks->table[i];
        if (block->key != 0 && block->state == VF_LIVE)
            visit(context, vf_blocks_object(block), block->allocated);
    }
    vf_mutex_unlock(&pool->growth);
}

/* ---- deferred frees ---- */

#ifdef VF_HAS_EPOCH
static void set_state(vf_pool *pool, const void *object, uint32_t state)
{
    vf_mutex_lock(&pool->growth);
    vf_blocks_find(&pool->checked.blocks, object)->state = state;
    vf_mutex_unlock(&pool->growth);
}

/* Of a live object; 0: it is not published. */
static uint64_t handle_of(vf_pool *pool, const void *object)
{
    vf_blocks *blocks = &pool->checked.blocks;
    vf_mutex_lock(&pool->growth);
    uint32_t number = vf_blocks_find(blocks, object)->number;
    uint32_t generation = blocks->numbered[number].generation;
    vf_mutex_unlock(&pool->growth);
    return generation >= VF_PUBLISHED ? vf_handle_bits(generation, number) : 0;
}

bool vf_bypass_free_deferred(vf_pool *pool, void *object, void (*drop)(void *object),
                             const void *caller)
{
    bool first = vf_bypass_may_drop(pool, object, caller);
    if (pool->checked.blocks.ending) { /* by a VF_DROP of P_destroy: no thread reads any more */
        vf_bypass_unpublish(pool, object);
        if (first && drop != NULL)
            drop(object);
        return true;
    }
    set_state(pool, object, VF_DEFERRED);
    uint64_t bits = handle_of(pool, object);
    vf_bypass_unpublish(pool, object);
    bool deferred = vf_pool_core_free_deferred(&pool->core, object, drop);
    if (!deferred) {
        set_state(pool, object, VF_LIVE);
        if (bits != 0)
            vf_bypass_publish_again(pool, bits);
    }
    return deferred;
}
#endif

/* VF_DROP has run on them, on liburcu's thread, which counts them back. */
void vf_bypass_free_waited(vf_pool *pool, void *const *objects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        vf_mutex_lock(&pool->growth);
        vf_blocks_remove(&pool->checked.blocks, vf_blocks_find(&pool->checked.blocks, objects[i]));
        vf_mutex_unlock(&pool->growth);
        block_free(pool, objects[i]);
    }
}
