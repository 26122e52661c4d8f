/*
 * pool_types.h - the kinds of pools that random programs use, of one element.
 */
#ifndef TESTS_RANDOM_POOL_TYPES_H
#define TESTS_RANDOM_POOL_TYPES_H

#include <veryfast/detail/name.h>

#include "program.h"

struct pool;

struct thing {
    _Atomic uint64_t owner; /* 0: free, and so it must be found */
    struct thing *self;
    struct pool *pool;
    uint64_t place; /* where it is held: a bag's number, a place in it */
};

typedef struct pool_type {
    bool drops;
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
    size_t (*trim)(void *pool);
    void (*destroy)(void *pool);
    void *(*cache_new)(void *pool);
    struct thing *(*cache_alloc)(void *cache);
    void (*cache_free)(void *cache, struct thing *thing);
    void (*cache_release)(void *cache);
    bool (*free_deferred)(void *pool, struct thing *thing); /* or NULL, and so the next */
    void (*epoch_barrier)(void *pool);
} pool_type;

static void drop_thing(struct thing *thing);

#define NAME       dropping
#define VF_N       50
#define VF_DROP(p) drop_thing(p)
#include "pool_type.h"

#define NAME lined
#define VF_N 7
#define VF_CACHE_ALIGNED
#include "pool_type.h"

#define NAME       wide
#define VF_N       1000
#define VF_DROP(p) drop_thing(p)
#include "pool_type.h"

#ifdef VF_HAS_EPOCH
#    define NAME       deferring
#    define VF_N       50
#    define VF_DROP(p) drop_thing(p)
#    define VF_EPOCH
#    include "pool_type.h"
#endif

#endif
