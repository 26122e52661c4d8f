/* SPDX-License-Identifier: MIT */
/*
 * hash_map.c - nodes of a hash map from a pool: what is inserted together lies together, and an
 * address stays that of its entry while the table grows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct entry *next;
    uint64_t key, value;
};

#define VF_T    struct entry
#define VF_N    1024
#define VF_NAME entries
#include <veryfast/pool.h>

struct map {
    entries *pool;
    struct entry **places; /* 1 << bits */
    unsigned bits;
    size_t count;
};

static struct entry **place(const struct map *map, uint64_t key)
{
    return &map->places[(key * 0x9E3779B97F4A7C15u) >> (64 - map->bits)];
}

/* Twice the places; the entries stay where they are. */
static int grow(struct map *map)
{
    struct map larger = {.pool = map->pool, .bits = map->bits + 1, .count = map->count};
    larger.places = calloc((size_t)1 << larger.bits, sizeof(struct entry *));
    if (larger.places == NULL)
        return -1;
    for (size_t i = 0; i < (size_t)1 << map->bits && map->places != NULL; i++) {
        for (struct entry *entry = map->places[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            struct entry **to = place(&larger, entry->key);
            entry->next = *to;
            *to = entry;
        }
    }
    free(map->places);
    *map = larger;
    return 0;
}

/* The entry of the key, made if there is none; NULL: out of memory. */
static struct entry *entry_of(struct map *map, uint64_t key)
{
    if ((map->places == NULL || map->count >> map->bits > 0) && grow(map) != 0)
        return NULL;
    struct entry **at = place(map, key);
    for (struct entry *entry = *at; entry != NULL; entry = entry->next) {
        if (entry->key == key)
            return entry;
    }
    struct entry *entry = entries_push(map->pool, (struct entry){.next = *at, .key = key});
    if (entry != NULL) {
        *at = entry;
        map->count++;
    }
    return entry;
}

static void remove_key(struct map *map, uint64_t key)
{
    for (struct entry **at = place(map, key); *at != NULL; at = &(*at)->next) {
        if ((*at)->key == key) {
            struct entry *entry = *at;
            *at = entry->next;
            entries_free(map->pool, entry);
            map->count--;
            return;
        }
    }
}

int main(void)
{
    struct map map = {.pool = entries_new(NULL)};
    if (map.pool == NULL)
        return 1;
    for (uint64_t i = 0; i < 300000; i++) {
        struct entry *entry = entry_of(&map, i % 100000);
        if (entry == NULL)
            return 1;
        entry->value++;
    }
    for (uint64_t key = 0; key < 100000; key += 2)
        remove_key(&map, key);
    const struct entry *seven = entry_of(&map, 7);
    printf("%zu entries, 7 was seen %d times\n", map.count, seven ? (int)seven->value : 0);
    int good = map.count == 50000 && seven != NULL && seven->value == 3;
    free(map.places);
    entries_destroy(map.pool); /* all entries at once */
    return good ? 0 : 1;
}
