/*
 * magazine.c - magazines by number, and where new ones come from.
 *
 *     index - 1:   | chunk number          | 0..7 |
 *                      |
 *     levels[0] -> [ 64 chunks ]                chunk -> 8 magazines, side by side
 *     levels[1] -> [ 128 chunks ]
 *     levels[2] -> [ 256 chunks ]  ...
 *
 * Nothing of it ever moves, so a number can be followed without a lock: whoever has a number got
 * it from a stack's head, by an acquire that pairs with the release of whoever pushed the
 * magazine, which came after the magazine was made.
 */
#include <assert.h>

#include "depot.h"
#include "pool.h"

/* What magazines are allocated in: several chunks at once as their number grows. */
typedef struct vf_memory_block {
    struct vf_memory_block *next;
    size_t size;
} vf_memory_block;

/* Chunks made together: 1/64 of those there are, which bounds the slack to that share. */
#define CHUNKS_AT_ONCE_MOST 64

static unsigned level_of(uint32_t chunk)
{
    return 31U - (unsigned)__builtin_clz(chunk / VF_DIRECTORY_FIRST + 1);
}

static uint32_t level_begin(unsigned level)
{
    return VF_DIRECTORY_FIRST * ((UINT32_C(1) << level) - 1);
}

static size_t level_size(unsigned level)
{
    return ((size_t)VF_DIRECTORY_FIRST << level) * sizeof(vf_magazine *);
}

vf_magazine *vf_magazine_at(vf_depot *depot, uint32_t index)
{
    assert(index != 0 && index < VF_MAGAZINES_MAX);
    uint32_t chunk = (index - 1) / VF_CHUNK_MAGAZINES;
    unsigned level = level_of(chunk);
    return &depot->levels[level][chunk - level_begin(level)][(index - 1) % VF_CHUNK_MAGAZINES];
}

/* Room in the directory for chunks first .. last; false where memory is spent. */
static bool make_levels(vf_pool *pool, uint32_t first, uint32_t last)
{
    for (unsigned level = level_of(first); level <= level_of(last); level++) {
        if (pool->depot.levels[level] != NULL)
            continue;
        pool->depot.levels[level] =
            vf_memory_alloc(pool, level_size(level), _Alignof(vf_magazine *));
        if (pool->depot.levels[level] == NULL)
            return false;
    }
    return true;
}

static void make_magazine(vf_magazine *magazine, uint32_t index)
{
    magazine->link = 0;
    magazine->index = index;
    magazine->count = 0;
    magazine->room = 0;
}

/*
 * Makes a few chunks: the first magazine is the caller's, the rest goes to the stack of empty
 * ones. NULL where memory or numbers are spent.
 */
static vf_magazine *make_chunks(vf_pool *pool, uint32_t shelf)
{
    vf_depot *depot = &pool->depot;
    uint32_t first = depot->made / VF_CHUNK_MAGAZINES;
    uint32_t chunks = first / 64 < 1 ? 1 : first / 64;
    if (chunks > CHUNKS_AT_ONCE_MOST)
        chunks = CHUNKS_AT_ONCE_MOST;
    uint32_t count = chunks * VF_CHUNK_MAGAZINES;
    if (count >= VF_MAGAZINES_MAX - depot->made || !make_levels(pool, first, first + chunks - 1))
        return NULL;

    size_t size = sizeof(vf_memory_block) + count * sizeof(vf_magazine);
    vf_memory_block *block = vf_memory_alloc(pool, size, _Alignof(max_align_t));
    if (block == NULL)
        return NULL;
    block->size = size;
    block->next = depot->blocks;
    depot->blocks = block;

    vf_magazine *magazines = (vf_magazine *)(void *)(block + 1);
    for (uint32_t i = 0; i < count; i++) {
        make_magazine(&magazines[i], depot->made + i + 1);
        magazines[i].link = i + 1 < count ? depot->made + i + 2 : 0;
    }
    for (uint32_t i = 0; i < chunks; i++) {
        unsigned level = level_of(first + i);
        depot->levels[level][first + i - level_begin(level)] = &magazines[i * VF_CHUNK_MAGAZINES];
    }
    depot->made += count;
    vf_stack_push(&depot->shelves[shelf].empty, &magazines[1], &magazines[count - 1]);
    return magazines;
}

/* The same as below. Growth lock. */
vf_magazine *vf_magazine_new_locked(vf_pool *pool, uint32_t shelf)
{
    uint32_t one;
    vf_magazine *magazine = vf_shelves_pop(&pool->depot, VF_EMPTY, shelf, 1, &one);
    return magazine != NULL ? magazine : make_chunks(pool, shelf);
}

/* An empty magazine, of this shelf or another, or a new one, which leaves its neighbours on the
   shelf; NULL where neither the depot nor the allocator has one. */
vf_magazine *vf_magazine_new(vf_pool *pool, uint32_t shelf)
{
    uint32_t one;
    vf_magazine *magazine = vf_shelves_pop(&pool->depot, VF_EMPTY, shelf, 1, &one);
    if (magazine != NULL)
        return magazine;
    pthread_mutex_lock(&pool->growth_lock);
    magazine = vf_magazine_new_locked(pool, shelf);
    pthread_mutex_unlock(&pool->growth_lock);
    return magazine;
}

/* At the end of the pool. */
void vf_magazines_free(vf_pool *pool)
{
    vf_memory_block *next;
    for (vf_memory_block *block = pool->depot.blocks; block != NULL; block = next) {
        next = block->next;
        vf_memory_free(pool, block, block->size, _Alignof(max_align_t));
    }
    for (unsigned level = 0; level < VF_DIRECTORY_LEVELS; level++) {
        if (pool->depot.levels[level] != NULL)
            vf_memory_free(pool, pool->depot.levels[level], level_size(level),
                           _Alignof(vf_magazine *));
    }
}
