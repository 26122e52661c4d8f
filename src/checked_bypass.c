/*
 * checked_bypass.c - pools made with VF_BYPASS: each object is a block of malloc's, or of the
 * pool's allocator, with exactly the size of VF_T.
 *
 * The core has a pool without a batch, which does the rest: names, threads, forks, grace periods
 * and the end. An object is to it like one of a thread without a cache (core.c): counted off at
 * alloc, and back at free.
 *
 * What is out stands in a table by address, open addressing with linear probing, at most half full.
 * Addresses are stored inverted: a tool that looks for leaks shall not find pointers there. The
 * growth lock guards all of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <veryfast/detail/pool_checked.h>

#include "pool.h"

#define FIRST_ROOM 64

/* ---- the table ---- */

static uintptr_t key_of(const void *object)
{
    return ~(uintptr_t)object; /* never 0, that of an empty place */
}

static void *object_of(const vf_block *block)
{
    return (void *)~block->key;
}

static size_t home_of(const vf_blocks *blocks, uintptr_t key)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (blocks->room - 1);
}

/* Where the key is, or an empty place for it. There is room. */
static vf_block *place_of(const vf_blocks *blocks, uintptr_t key)
{
    size_t i = home_of(blocks, key);
    while (blocks->table[i].key != 0 && blocks->table[i].key != key)
        i = (i + 1) & (blocks->room - 1);
    return &blocks->table[i];
}

/* NULL: it is not out. */
static vf_block *find(const vf_blocks *blocks, const void *object)
{
    if (blocks->room == 0)
        return NULL;
    vf_block *block = place_of(blocks, key_of(object));
    return block->key != 0 ? block : NULL;
}

/* Sees to it that there is room for one more; false where memory is spent. */
static bool make_room(vf_pool *pool)
{
    vf_blocks *blocks = &pool->checked.blocks;
    if (blocks->count < blocks->room / 2)
        return true;
    vf_blocks larger = *blocks;
    larger.table = NULL;
    larger.room = blocks->room != 0 ? blocks->room * 2 : FIRST_ROOM;
    if (larger.room <= SIZE_MAX / sizeof(vf_block))
        larger.table = vf_memory_alloc(pool, larger.room * sizeof(vf_block), _Alignof(vf_block));
    if (larger.table == NULL)
        return false; /* the memory is zero otherwise: vf_checked_fresh */
    for (size_t i = 0; i < blocks->room; i++) {
        if (blocks->table[i].key != 0)
            *place_of(&larger, blocks->table[i].key) = blocks->table[i];
    }
    vf_bypass_end(pool);
    *blocks = larger;
    return true;
}

/* Those behind it move up, if they may: a search stops at the first empty place. */
static void remove_block(vf_blocks *blocks, vf_block *block)
{
    size_t mask = blocks->room - 1;
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

/* The table goes back. */
void vf_bypass_end(vf_pool *pool)
{
    vf_blocks *blocks = &pool->checked.blocks;
    if (blocks->table != NULL)
        vf_memory_free(pool, blocks->table, blocks->room * sizeof(vf_block), _Alignof(vf_block));
}

bool vf_bypass_has(const vf_pool *pool, const void *object)
{
    return find(&pool->checked.blocks, object) != NULL;
}

/* ---- the blocks ---- */

/* Not by vf_memory_alloc, which clears it: who looks for uninitialised reads would see none. */
static void *block_alloc(vf_pool *pool)
{
    const vf_allocator *allocator = &pool->allocator;
    int saved = errno;
    void *object = allocator->alloc(allocator->context, pool->checked.object_size,
                                    pool->checked.blocks.alignment);
    errno = saved;
    if (object != NULL)
        vf_fetch_add_relaxed(&pool->bytes, pool->checked.object_size);
    return object;
}

static void block_free(vf_pool *pool, void *object)
{
    const vf_allocator *allocator = &pool->allocator;
    int saved = errno;
    vf_fetch_add_relaxed(&pool->bytes, (size_t)0 - pool->checked.object_size);
    allocator->dealloc(allocator->context, object, pool->checked.object_size,
                       pool->checked.blocks.alignment);
    errno = saved;
}

/* ---- misuse ---- */

/* Has the growth lock no more. */
static _Noreturn void stop_at(vf_pool *pool, const vf_block *block, const void *place)
{
    char allocated[VF_PLACE_SIZE];
    vf_block copy = *block;
    pthread_mutex_unlock(&pool->growth_lock);
    vf_place_print(copy.allocated, allocated, sizeof allocated);
    vf_misuse(pool->name, pool, place, "%s %p@, allocated at %s",
              copy.state == VF_DEFERRED ? "free of deferred object" : "double free of",
              object_of(&copy), allocated);
}

/* Of an address that is not out. Has the growth lock no more. */
static _Noreturn void stop_at_stranger(vf_pool *pool, const void *object, const void *place)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    vf_region region = {0};
    for (size_t i = 0; i < blocks->room; i++) {
        const char *base = object_of(&blocks->table[i]);
        if (blocks->table[i].key != 0 &&
            (uintptr_t)object - (uintptr_t)base < pool->checked.object_size)
            region = (vf_region){.base = object_of(&blocks->table[i]), .slots = 1};
    }
    pthread_mutex_unlock(&pool->growth_lock);
    vf_slot_stranger(pool, object, &region, place);
}

/* The block of an object that the program has and may use; stops otherwise. While P_destroy drops
   all, any that was out before. The growth lock. */
static vf_block *look(vf_pool *pool, const void *object, const void *place)
{
    vf_block *block = find(&pool->checked.blocks, object);
    if (block == NULL)
        stop_at_stranger(pool, object, place);
    if (!pool->checked.blocks.ending && block->state != VF_LIVE && block->state != VF_DROPPING)
        stop_at(pool, block, place);
    return block;
}

void vf_bypass_look(vf_pool *pool, const void *object, const void *place)
{
    pthread_mutex_lock(&pool->growth_lock);
    (void)look(pool, object, place);
    pthread_mutex_unlock(&pool->growth_lock);
}

/* ---- the calls ---- */

vf_pool_core *vf_bypass_new(const vf_pool_type *type, const vf_pool_options *options,
                            size_t options_size, const void *place)
{
    vf_pool_options known = {0}; /* as in core.c */
    if (options != NULL)
        memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
    size_t cap = known.max_objects;
    if (cap <= VF_POOL_SLOTS_MAX)
        known.max_objects = 0; /* the cap is kept here; otherwise the core refuses it */
    vf_pool_core *core = vf_checked_new(type, &known, sizeof known, place);
    if (core == NULL)
        return NULL;
    vf_pool *pool = vf_pool_whole(core);
    pthread_mutex_lock(&pool->growth_lock); /* who looks for a pointer's owner sees it already */
    pool->checked.blocks = (vf_blocks){.bypass = true, .cap = cap, .alignment = type->alignment};
    pthread_mutex_unlock(&pool->growth_lock);
    return core;
}

void *vf_bypass_alloc(vf_pool *pool, const void *place)
{
    vf_blocks *blocks = &pool->checked.blocks;
    void *object = NULL;
    pthread_mutex_lock(&pool->growth_lock);
    if ((blocks->cap == 0 || blocks->count < blocks->cap) && make_room(pool))
        object = block_alloc(pool);
    if (object != NULL) {
        *place_of(blocks, key_of(object)) =
            (vf_block){.key = key_of(object), .allocated = place, .state = VF_LIVE};
        if (++blocks->count > blocks->peak)
            blocks->peak = blocks->count;
    }
    pthread_mutex_unlock(&pool->growth_lock);
    if (object == NULL) {
        vf_epoch_flush_all(pool, false); /* as in core.c */
        errno = ENOMEM;
        return NULL;
    }
    (void)vf_pool_return(pool, -1);
    return object;
}

/* Is VF_DROP still to be run on it? While P_destroy drops all nothing is on its way any more: what
   is deferred was lost in a fork. */
static bool undropped(const vf_blocks *blocks, const vf_block *block)
{
    return block->state == VF_LIVE || (blocks->ending && block->state == VF_DEFERRED);
}

/* Before VF_DROP. From here on another free of the object is a second one. */
bool vf_bypass_may_drop(vf_pool *pool, const void *object, const void *place)
{
    pthread_mutex_lock(&pool->growth_lock);
    vf_block *block = look(pool, object, place);
    bool first = undropped(&pool->checked.blocks, block);
    if (!first && !pool->checked.blocks.ending)
        stop_at(pool, block, place);
    if (first)
        block->state = VF_DROPPING;
    pthread_mutex_unlock(&pool->growth_lock);
    return first;
}

/* The pool may be gone with the object. */
void vf_bypass_free(vf_pool *pool, void *object, const void *place)
{
    vf_blocks *blocks = &pool->checked.blocks;
    pthread_mutex_lock(&pool->growth_lock);
    vf_block *block = look(pool, object, place);
    bool ending = blocks->ending;
    if (ending)
        block->state = VF_FREED; /* and freed with the rest: who was dropped must be known */
    else
        remove_block(blocks, block);
    pthread_mutex_unlock(&pool->growth_lock);
    if (ending)
        return;
    block_free(pool, object);
    if (vf_pool_return(pool, 1)) /* from here on the pool may be gone */
        vf_pool_end(pool);
}

/* No other call on the pool, but what VF_DROP frees: so the table stays as it is. */
void vf_bypass_destroy(vf_pool *pool, void (*drop)(void *object))
{
    vf_blocks *blocks = &pool->checked.blocks;
    blocks->ending = true;
    for (size_t i = 0; drop != NULL && i < blocks->room; i++) {
        vf_block *block = &blocks->table[i];
        if (block->key == 0 || !undropped(blocks, block))
            continue;
        block->state = VF_DROPPING;
        drop(object_of(block));
    }
    for (size_t i = 0; i < blocks->room; i++) {
        if (blocks->table[i].key != 0)
            block_free(pool, object_of(&blocks->table[i]));
    }
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return (x > y) - (x < y);
}

bool vf_bypass_each(vf_pool *pool, void (*visit)(void *object, void *context), void *context)
{
    vf_epoch_settle(pool);
    const vf_blocks *blocks = &pool->checked.blocks;
    size_t n = 0, bytes = blocks->count * sizeof(void *);
    if (bytes == 0)
        return true;
    void **objects = vf_memory_alloc(pool, bytes, _Alignof(void *));
    if (objects == NULL) {
        errno = ENOMEM;
        return false;
    }
    for (size_t i = 0; i < blocks->room; i++) {
        if (blocks->table[i].key != 0)
            objects[n++] = object_of(&blocks->table[i]);
    }
    qsort(objects, n, sizeof *objects, by_address);
    for (size_t i = 0; i < n; i++)
        visit(objects[i], context);
    vf_memory_free(pool, objects, bytes, _Alignof(void *));
    return true;
}

/* Nothing is set aside: true where the cap allows for n more. */
bool vf_bypass_reserve(vf_pool *pool, size_t n)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    pthread_mutex_lock(&pool->growth_lock);
    bool possible = n <= (blocks->cap != 0 ? blocks->cap : VF_POOL_SLOTS_MAX) - blocks->count;
    pthread_mutex_unlock(&pool->growth_lock);
    if (!possible)
        errno = ENOMEM;
    return possible;
}

vf_pool_stats vf_bypass_stats(vf_pool *pool)
{
    const vf_blocks *blocks = &pool->checked.blocks;
    pthread_mutex_lock(&pool->growth_lock);
    vf_pool_stats stats = {
        .batch_objects = pool->batch_objects,
        .stride = pool->checked.object_size,
        .bytes = vf_load_relaxed(&pool->bytes),
        .capacity = blocks->count,
        .live = blocks->count,
        .peak = blocks->peak,
    };
    pthread_mutex_unlock(&pool->growth_lock);
    size_t deferred = vf_epoch_deferred(pool);
    stats.deferred = deferred < stats.live ? deferred : stats.live;
    return stats;
}

bool vf_bypass_owns(vf_pool *pool, const void *object)
{
    pthread_mutex_lock(&pool->growth_lock);
    bool owns = vf_bypass_has(pool, object);
    pthread_mutex_unlock(&pool->growth_lock);
    return owns;
}

/* Frees of other threads may run beside P_release. */
void vf_bypass_each_leak(vf_pool *pool, struct leaks *list,
                         void (*visit)(struct leaks *list, vf_pool *pool, const void *object,
                                       const void *place))
{
    const vf_blocks *blocks = &pool->checked.blocks;
    pthread_mutex_lock(&pool->growth_lock);
    for (size_t i = 0; i < blocks->room; i++) {
        const vf_block *block = &blocks->table[i];
        if (block->key != 0 && block->state == VF_LIVE)
            visit(list, pool, object_of(block), block->allocated);
    }
    pthread_mutex_unlock(&pool->growth_lock);
}

/* ---- deferred frees ---- */

#ifdef VF_HAS_EPOCH
static void set_state(vf_pool *pool, const void *object, uint32_t state)
{
    pthread_mutex_lock(&pool->growth_lock);
    find(&pool->checked.blocks, object)->state = state;
    pthread_mutex_unlock(&pool->growth_lock);
}

bool vf_bypass_free_deferred(vf_pool *pool, void *object, void (*drop)(void *object),
                             const void *place)
{
    bool first = vf_bypass_may_drop(pool, object, place);
    if (pool->checked.blocks.ending) { /* by a VF_DROP of P_destroy: nobody reads any more */
        if (first && drop != NULL)
            drop(object);
        return true;
    }
    set_state(pool, object, VF_DEFERRED);
    bool deferred = vf_pool_core_free_deferred(&pool->core, object, drop);
    if (!deferred)
        set_state(pool, object, VF_LIVE);
    return deferred;
}
#endif

/* VF_DROP has run on them, on liburcu's thread, which counts them back. */
void vf_bypass_deferral(vf_pool *pool, void *const *objects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&pool->growth_lock);
        remove_block(&pool->checked.blocks, find(&pool->checked.blocks, objects[i]));
        pthread_mutex_unlock(&pool->growth_lock);
        block_free(pool, objects[i]);
    }
}
