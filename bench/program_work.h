/* SPDX-License-Identifier: MIT */
/*
 * program_work.h - what programs build of their objects, see program_loops.h: all that does not
 * depend on the allocator. Every node has the 64 bytes of an object. Read by C and C++.
 */
#ifndef BENCH_PROGRAM_WORK_H
#define BENCH_PROGRAM_WORK_H

#include "allocator_work.h"

#include <stdlib.h>

/* ---- a tree ---- */

#define CHILDREN 4

struct tree {
    struct tree *child[CHILDREN]; /* all or none */
    uint64_t values[4];
};

static inline void tree_fill(struct tree *tree, uint64_t value)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        tree->child[i] = NULL;
        tree->values[i] = value;
    }
}

static inline uint64_t tree_sum(const struct tree *tree)
{
    uint64_t sum = tree->values[0];
    for (size_t i = 0; i < CHILDREN && tree->child[i] != NULL; i++)
        sum += tree_sum(tree->child[i]);
    return sum;
}

/* ---- a document, as parsers of JSON build it ---- */

#define MEMBERS 6 /* of an object */
#define TEXTS   2 /* of these are strings */

struct json {
    struct json *next, *child;
    const char *key; /* never freed: such parsers keep one of each */
    char *text;      /* or NULL */
    uint64_t kind, length;
    double number;
    struct json *last; /* of the children */
};

static inline void json_fill(struct json *value, uint64_t kind)
{
    static const char *const keys[] = {"", "name", "city", "age", "height", "weight", "member"};
    value->next = value->child = value->last = NULL;
    value->key = keys[kind];
    value->text = NULL;
    value->kind = kind;
    value->length = 0;
    value->number = (double)kind;
}

static inline void json_append(struct json *parent, struct json *child)
{
    if (parent->last == NULL)
        parent->child = child;
    else
        parent->last->next = child;
    parent->last = child;
}

static inline void json_write(struct json *value, char *text, size_t length)
{
    value->text = text;
    value->length = length;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + i);
    __asm__ volatile("" : : "r"(text) : "memory"); /* somebody reads it */
}

/* Reads each value, and the begin of each string. */
static inline uint64_t json_sum(const struct json *value)
{
    uint64_t sum = 0;
    for (; value != NULL; value = value->next) {
        sum += value->kind + (uint64_t)value->number;
        if (value->text != NULL)
            sum += (uint64_t)value->text[0];
        if (value->child != NULL)
            sum += json_sum(value->child);
    }
    return sum;
}

/* ---- a map: a treap, which is in order by key, and a heap by priority ---- */

struct entry {
    struct entry *less, *more;
    uint64_t key, priority;
    uint64_t values[4];
};

/* The entries of a treap below the key, and all others. */
static inline void map_split(struct entry *map, uint64_t key, struct entry **less,
                             struct entry **more)
{
    while (map != NULL) {
        if (map->key < key) {
            *less = map;
            less = &map->more;
            map = map->more;
        } else {
            *more = map;
            more = &map->less;
            map = map->less;
        }
    }
    *less = *more = NULL;
}

static inline void map_insert(struct entry **at, struct entry *entry, uint64_t key)
{
    entry->key = entry->values[0] = key;
    entry->priority = next_random(&key);
    while (*at != NULL && (*at)->priority >= entry->priority)
        at = entry->key < (*at)->key ? &(*at)->less : &(*at)->more;
    map_split(*at, entry->key, &entry->less, &entry->more);
    *at = entry;
}

/* Takes out the entry with the key, of which there is one. */
static inline struct entry *map_remove(struct entry **at, uint64_t key)
{
    while ((*at)->key != key)
        at = key < (*at)->key ? &(*at)->less : &(*at)->more;
    struct entry *entry = *at;
    struct entry *less = entry->less;
    struct entry *more = entry->more;
    while (less != NULL && more != NULL) {
        if (less->priority > more->priority) {
            *at = less;
            at = &less->more;
            less = less->more;
        } else {
            *at = more;
            at = &more->less;
            more = more->less;
        }
    }
    *at = less != NULL ? less : more;
    return entry;
}

/* In the order of the keys. */
static inline uint64_t map_sum(const struct entry *map)
{
    uint64_t sum = 0;
    for (; map != NULL; map = map->more)
        sum = (sum + map_sum(map->less)) * 3 + map->values[0];
    return sum;
}

/* ---- */

/* Adds up what the three parts of a round took, after the warm-up. */
static inline void program_add(struct program *program, size_t round, const double at[4])
{
    for (size_t part = 0; part < 3 && round >= program->warm_up; part++)
        program->ns[part] += at[part + 1] - at[part];
}

#endif
