/*
 * map.h - one bit for each slot of a pool, made when somebody asks which are free or live.
 *
 *     regions, by address:   [ batch . . . . ][ batch . . . . ]   [ batch ...
 *     numbers of slots:        0 1 2 ...        N N+1 ...          2N ...
 *
 * A region is a batch, or a span of a capped pool. Slots are numbered throughout, as long as no
 * batch comes or goes. A map may be of a window of all numbers only, where memory is short.
 */
#ifndef VF_MAP_H
#define VF_MAP_H

#include "pool.h"

typedef struct vf_map {
    vf_pool *pool;
    uint64_t *bits;
    size_t begin, end; /* numbers of the slots that it has bits for */
    size_t bytes;      /* of bits, from the allocator; 0: from elsewhere */
    vf_region last;    /* where the last slot was found, and the next may be */
} vf_map;

/* A map of all slots, none of which is in it; false where memory is spent. The growth lock is held
   as long as it is used, or no other call can run. */
bool vf_map_new(vf_map *map, vf_pool *pool);
void vf_map_free(vf_map *map);

/* Makes it a map of slots from begin on, as many as the n words have bits for; none is in it. */
void vf_map_window(vf_map *map, vf_pool *pool, uint64_t *words, size_t n, size_t begin);

/* The slot's number; false: it is none of the pool's. */
bool vf_map_find(vf_map *map, const void *slot, size_t *number);

void vf_map_add(vf_map *map, const void *slot);
void vf_map_add_n(vf_map *map, void *const *slots, size_t n);
void vf_map_add_range(vf_map *map, size_t begin, size_t end);
void vf_map_remove_range(vf_map *map, size_t begin, size_t end);

/* Adds what is free. No other call on the pool may run. */
void vf_map_add_free(vf_map *map);

static inline uint64_t *vf_map_word(const vf_map *map, size_t number, uint64_t *bit)
{
    *bit = (uint64_t)1 << (number - map->begin) % 64;
    return &map->bits[(number - map->begin) / 64];
}

static inline bool vf_map_has(const vf_map *map, size_t number)
{
    uint64_t bit;
    uint64_t word = *vf_map_word(map, number, &bit);
    return (word & bit) != 0;
}

/* How many of begin .. end - 1 are in it. */
size_t vf_map_count(const vf_map *map, size_t begin, size_t end);

/* The first number from here on, below end, that is not in it; end where all are. */
size_t vf_map_next_absent(const vf_map *map, size_t number, size_t end);

#endif
