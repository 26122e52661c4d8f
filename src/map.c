/*
 * map.c - see map.h.
 */
#include "map.h"

#include <assert.h>
#include <string.h>

size_t vf_pool_slots(const vf_pool *pool)
{
    return pool->capped != NULL ? vf_capped_ready(pool) : pool->batches.count * pool->batch_objects;
}

static size_t words_of(size_t slots)
{
    return (slots + 63) / 64;
}

bool vf_map_new(vf_map *map, vf_pool *pool)
{
    size_t slots = vf_pool_slots(pool);
    size_t bytes = (words_of(slots) + 1) * sizeof(uint64_t); /* no allocation of nothing */
    uint64_t *bits = vf_memory_alloc(pool, bytes, _Alignof(uint64_t));
    if (bits == NULL)
        return false;
    vf_map_window(map, pool, bits, words_of(slots), 0);
    map->bytes = bytes;
    return true;
}

void vf_map_free(vf_map *map)
{
    if (map->bytes != 0)
        vf_memory_free(map->pool, map->bits, map->bytes, _Alignof(uint64_t));
}

void vf_map_window(vf_map *map, vf_pool *pool, uint64_t *words, size_t n, size_t begin)
{
    size_t slots = vf_pool_slots(pool);
    *map = (vf_map){.pool = pool, .bits = words, .begin = begin};
    map->end = slots - begin < n * 64 ? slots : begin + n * 64;
    memset(words, 0, n * sizeof *words);
}

size_t vf_regions(const vf_pool *pool)
{
    return pool->capped != NULL ? vf_capped_spans(pool) : pool->batches.count;
}

vf_region vf_region_at(vf_pool *pool, size_t place)
{
    if (pool->capped != NULL)
        return vf_capped_region(pool, place);
    vf_batches_sort(pool);
    return (vf_region){vf_batch_base(pool, pool->batches.table[place]), pool->batch_objects,
                       place * pool->batch_objects};
}

/* Is the slot, or an address inside it, in the region? */
static bool is_in(const vf_pool *pool, const vf_region *region, const void *slot)
{
    uintptr_t offset = (uintptr_t)slot - (uintptr_t)region->base;
    return region->slots != 0 && offset < region->slots * pool->stride;
}

static bool find_region(vf_pool *pool, const void *slot, vf_region *region)
{
    if (pool->capped == NULL) {
        size_t place = vf_batch_find(pool, slot);
        if (place == pool->batches.count)
            return false;
        *region = vf_region_at(pool, place);
        return is_in(pool, region, slot);
    }
    for (size_t i = 0; i < vf_regions(pool); i++) {
        *region = vf_region_at(pool, i);
        if (is_in(pool, region, slot))
            return true;
    }
    return false;
}

bool vf_map_find(vf_map *map, const void *slot, size_t *number)
{
    vf_pool *pool = map->pool;
    if (!is_in(pool, &map->last, slot) && !find_region(pool, slot, &map->last)) {
        map->last.slots = 0;
        return false;
    }
    size_t offset = (uintptr_t)slot - (uintptr_t)map->last.base;
    *number = map->last.first + offset / pool->stride;
    return offset % pool->stride == 0;
}

static void add(vf_map *map, size_t number)
{
    if (number < map->begin || number >= map->end)
        return;
    uint64_t bit;
    uint64_t *word = vf_map_word(map, number, &bit);
    *word |= bit;
}

void vf_map_add(vf_map *map, const void *slot)
{
    size_t number;
    bool found = vf_map_find(map, slot, &number);
    assert(found);
    if (found)
        add(map, number);
}

void vf_map_add_n(vf_map *map, void *const *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vf_map_add(map, slots[i]);
}

void vf_map_add_range(vf_map *map, size_t begin, size_t end)
{
    for (size_t number = begin; number < end; number++)
        add(map, number);
}

void vf_map_remove_range(vf_map *map, size_t begin, size_t end)
{
    for (size_t number = begin; number < end; number++) {
        uint64_t bit;
        uint64_t *word = vf_map_word(map, number, &bit);
        *word &= ~bit;
    }
}

size_t vf_map_count(const vf_map *map, size_t begin, size_t end)
{
    size_t count = 0;
    for (size_t number = begin; number < end;) {
        uint64_t bit;
        uint64_t word = *vf_map_word(map, number, &bit);
        word &= 0 - bit;
        size_t left = 64 - (number - map->begin) % 64;
        if (left > end - number) {
            word &= ~(~(uint64_t)0 << ((number - map->begin) % 64 + (end - number)));
            left = end - number;
        }
        count += (size_t)__builtin_popcountll(word);
        number += left;
    }
    return count;
}

size_t vf_map_next_absent(const vf_map *map, size_t number, size_t end)
{
    while (number < end) {
        uint64_t bit;
        uint64_t word = ~*vf_map_word(map, number, &bit);
        word &= 0 - bit;
        size_t word_begin = number - (number - map->begin) % 64;
        if (word != 0) {
            number = word_begin + (size_t)__builtin_ctzll(word);
            return number < end ? number : end;
        }
        number = word_begin + 64;
    }
    return end;
}

static void add_depot(vf_map *map)
{
    vf_depot *depot = &map->pool->depot;
    for (size_t i = 0; i < VF_SHELVES; i++) {
        uint64_t head = vf_load_acquire(&depot->shelves[i].full.head);
        uint32_t index = vf_head_index(head, VF_STACK_INDEX_MASK);
        while (index != 0) {
            const vf_magazine *magazine = vf_magazine_at(depot, index);
            vf_map_add_n(map, (void *const *)magazine->slots, magazine->count);
            index = vf_load_acquire(&magazine->link);
        }
    }
}

static void add_caches(vf_map *map)
{
    /* acquire: pairs with the release in vf_cache_new */
    const vf_thread_cache *cache = vf_load_acquire(&map->pool->caches);
    for (; cache != NULL; cache = cache->next) {
        void **bottom = cache->fast.bottom + cache->seized;
        vf_map_add_n(map, bottom, (size_t)(vf_load_acquire(&cache->fast.top) - bottom));
    }
}

static void add_fresh_of(vf_map *map, const vf_batch *batch, size_t carved)
{
    size_t number;
    vf_map_find(map, vf_batch_base(map->pool, batch), &number);
    vf_map_add_range(map, number + carved, number + map->pool->batch_objects);
}

static void add_fresh(vf_map *map)
{
    vf_pool *pool = map->pool;
    const vf_batch *batch = pool->batches.current;
    size_t carved = vf_batches_carved(pool);
    for (; batch != NULL; batch = batch->next, carved = 0)
        add_fresh_of(map, batch, carved);
}

void vf_map_add_free(vf_map *map)
{
    vf_pool *pool = map->pool;
    if (pool->capped != NULL) {
        vf_capped_each_free(pool, map);
        return;
    }
    add_depot(map);
    add_caches(map);
    vf_strays_each(pool, map);
    add_fresh(map);
}
