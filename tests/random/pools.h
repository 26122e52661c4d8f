/* SPDX-License-Identifier: MIT */
/*
 * pools.h - the model of pools that random programs have: who holds which of their objects.
 */
#ifndef TESTS_RANDOM_POOLS_H
#define TESTS_RANDOM_POOLS_H

#include "program.h"

struct pool;

struct thing {
    _Atomic uint64_t owner; /* 0: free, and so it must be found */
    struct thing *self;
    struct pool *pool;
    uint64_t place; /* where it is held: a bag's number, a place in it */
};

/* Stale handles that the model remembers of each pool, the last ones. */
#define STALE 64

typedef struct pool_type {
    bool drops;
    size_t alignment;
    size_t batch_objects;
    void *(*new)(const vf_pool_options *options);
    void (*release)(void *pool);
    struct thing *(*alloc)(void *pool);
    struct thing *(*push)(void *pool, struct thing thing);
    void (*free)(void *pool, struct thing *thing);
    struct thing (*take)(void *pool, struct thing *thing);
    size_t (*alloc_n)(void *pool, struct thing **things, size_t n);
    void (*free_n)(void *pool, struct thing *const *things, size_t n);
    bool (*reserve)(void *pool, size_t n);
    vf_pool_stats (*stats)(const void *pool);
    bool (*owns)(const void *pool, const void *object);
    bool (*each)(void *pool, void (*visit)(struct thing *, void *), void *context);
    void (*walk)(void *pool, size_t parts, void (*visit)(struct thing *, void *), void *context);
    size_t (*trim)(void *pool);
    void (*destroy)(void *pool);
    void *(*cache_new)(void *pool);
    struct thing *(*cache_alloc)(void *cache);
    void (*cache_free)(void *cache, struct thing *thing);
    void (*cache_release)(void *cache);
    bool (*free_deferred)(void *pool, struct thing *thing); /* or NULL, and so the next */
    void (*epoch_barrier)(void *pool);
    uint64_t (*handle_of)(void *pool, const struct thing *thing); /* or NULL, and so the next */
    struct thing *(*get)(const void *pool, uint64_t handle);
    bool (*free_handle)(void *pool, uint64_t handle);
    void (*walk_published)(void *pool,
                           void (*visit)(void *pool, struct thing *thing, uint64_t handle));
    bool (*free_handle_deferred)(void *pool, uint64_t handle);
} pool_type;

#define POOLS 2
#define HELD  600 /* most objects that a hand holds */
#define BULK  100

struct pool {
    const pool_type *type;
    void *handle;
    test_allocator memory;
    size_t max_objects;
    atomic_size_t held;
    atomic_size_t caches;   /* held by hands */
    atomic_size_t deferred; /* freed so, and maybe not yet dropped */
    atomic_size_t drops;    /* that must have been, when nothing is deferred */
    atomic_size_t dropped;
    size_t peak;
    _Atomic uint64_t stale[STALE]; /* of objects that are gone */
    bool ending;                   /* is released in this turn */
    bool released;
    bool destroying;
    struct pool *next; /* of all that were released */
};

/* What a hand has; passed on from hand to hand between turns. */
struct bag {
    struct thing *held[HELD];
    size_t count;
    void *caches[POOLS];
    struct pool *cache_pools[POOLS];
};

extern struct model {
    struct pool *pools[POOLS]; /* NULL: there was no memory for one */
    struct pool *released;
    struct bag bags[HANDS];
    unsigned first_bag; /* hand 0's */
    program_bytes options;
    unsigned ending; /* the place of the pool that is released in this turn */
} model;

/* pool_calls.c */
void drop_thing(struct thing *thing);                /* VF_DROP */
struct thing *let_go(struct bag *bag, size_t place); /* an object that is about to go back */
void expect_drop(struct pool *pool);
void free_one(const instruction *it);
void release_cache(struct bag *bag, unsigned place);
bool pool_call_freeing(const instruction *it);            /* false: it is another kind of call */
void pool_call(const instruction *it, struct pool *pool); /* beside others */

#endif
