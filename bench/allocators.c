/* SPDX-License-Identifier: MIT */
/*
 * allocators.c - the pool's forms, and the columns of the tables, see allocators.h.
 */
#include "allocators.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define ARRAY_OBJECTS 1000000

#define VF_T struct object
#define VF_N 4096
#include <veryfast/pool.h>
#define VF_T struct object
#define VF_N 256
#include <veryfast/pool.h>
#define VF_T struct object
#define VF_N 64
#include <veryfast/pool.h>

static pool_object_4096 *pool_4096, *pool_capped;
static pool_object_256 *pool_256;
static pool_object_64 *pool_64;
static pool_object_4096_cache *caches[WORKERS_MOST];

#define LOOPS         veryfast
#define LOOPS_USE     pool_object_4096 *pool = pool_4096;
#define LOOPS_ALLOC   pool_object_4096_alloc(pool)
#define LOOPS_FREE(p) pool_object_4096_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         veryfast_256
#define LOOPS_USE     pool_object_256 *pool = pool_256;
#define LOOPS_ALLOC   pool_object_256_alloc(pool)
#define LOOPS_FREE(p) pool_object_256_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         veryfast_64
#define LOOPS_USE     pool_object_64 *pool = pool_64;
#define LOOPS_ALLOC   pool_object_64_alloc(pool)
#define LOOPS_FREE(p) pool_object_64_free(pool, p)
#include "allocator_loops.h"

#define LOOPS         held
#define LOOPS_USE     pool_object_4096_cache *cache = caches[worker];
#define LOOPS_ALLOC   pool_object_4096_cache_alloc(cache)
#define LOOPS_FREE(p) pool_object_4096_cache_free(cache, p)
#include "allocator_loops.h"

#define LOOPS         capped
#define LOOPS_USE     pool_object_4096 *pool = pool_capped;
#define LOOPS_ALLOC   pool_object_4096_alloc(pool)
#define LOOPS_FREE(p) pool_object_4096_free(pool, p)
#include "allocator_loops.h"

/* A burst by one call, and the end of it by another. */
static void bulk_burst(void *context, unsigned worker)
{
    struct work *work = context;
    size_t burst = work->burst;
    struct object **objects = work->slots + worker * burst;
    for (size_t rounds = work->rounds; rounds > 0; rounds--) {
        pool_object_4096_alloc_n(pool_4096, objects, burst);
        for (size_t i = 0; i < burst; i++)
            written(objects[i], i);
        pool_object_4096_free_n(pool_4096, objects, burst);
    }
}

static const struct loops bulk_loops = {.burst = bulk_burst};

static void trim_4096(void)
{
    pool_object_4096_trim(pool_4096);
    malloc_trim(0); /* the pool's memory is malloc's, which keeps it */
}

static void trim_64(void)
{
    pool_object_64_trim(pool_64);
    malloc_trim(0);
}

/* All objects at once. */
static void destroy_end(void *context, unsigned worker)
{
    struct work *work = context;
    (void)worker;
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pool_object_4096_destroy(pool_4096);
    work->life.end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* One by one, and then the memory as well. */
static void release_end(void *context, unsigned worker)
{
    struct work *work = context;
    veryfast_end(context, worker);
    for (size_t i = 0; i < WORKERS_MOST; i++)
        pool_object_4096_cache_release(caches[i]); /* they would keep the pool alive */
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    pool_object_4096_release(pool_4096);
    work->life.end_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static const struct loops destroy_loops = {.age = veryfast_age, .end = destroy_end};
static const struct loops release_loops = {.age = veryfast_age, .end = release_end};

/* What a hand-over costs that allocates nothing: more objects than can be on the way, in turn. */
static struct object bare_objects[2 * (RING_SLOTS + ARRAYS * ARRAY)];

#define LOOPS         bare
#define LOOPS_USE     size_t taken = 0;
#define LOOPS_ALLOC   &bare_objects[taken++ % (sizeof bare_objects / sizeof *bare_objects)]
#define LOOPS_FREE(p) ((void)(p), (void)taken)
#include "allocator_loops.h"

/* What a walk takes through objects that lie side by side, in the order of their allocation. Right
   where all are freed before others are allocated, or nobody looks at what is in them. */
static struct object *side_by_side;
static size_t side_by_side_count;

#define LOOPS array
#define LOOPS_USE
#define LOOPS_ALLOC   &side_by_side[side_by_side_count++]
#define LOOPS_FREE(p) ((void)(p), side_by_side_count--)
#include "allocator_loops.h"

struct variants variants_of_pool, variants_of_n, variants_of_ring, variants_of_made,
    variants_of_held, variants_of_bulk, variants_of_cap, variants_of_threads, variants_of_walk,
    variants_of_end, variants_of_memory, variants_of_use, variants_of_map;

void peer_add(const char *name, const struct loops *loops, unsigned fits, void (*give_back)(void))
{
    variant_add_loops(&variants_of_n, name, fits & LIMIT ? ASIDE : PEER, loops);
    variant_add_loops(&variants_of_made, name, fits & LIMIT ? ASIDE : PEER, loops);
    if (fits & LIMIT)
        return;
    variant_add_loops(&variants_of_pool, name, PEER, loops);
    variant_add_loops(&variants_of_ring, name, PEER, loops);
    variant_add_loops(&variants_of_walk, name, PEER, loops);
    variant_add_loops(&variants_of_use, name, PEER, loops);
    variant_add_loops(&variants_of_map, name, PEER, loops);
    variant_add_loops(&variants_of_end, name, give_back != NULL ? PEER : ASIDE, loops)->give_back =
        give_back; /* those that have none keep the memory, which is less than what is asked */
    variant_add_loops(&variants_of_memory, name, PEER, loops)->give_back = give_back;
    if (fits & ANY_SIZE)
        sizes_add_peer(name, loops);
}

void fixed_peer_add(const char *name, const struct loops *loops, void (*open)(void))
{
    variant_add_loops(&variants_of_n, name, PEER, loops)->open = open;
    variant_add_loops(&variants_of_ring, name, PEER, loops)->open = open;
}

/* Forms of three sizes of a batch. */
static void add_sizes(struct variants *variants)
{
    variant_add_loops(variants, "N=4096", OURS, &veryfast_loops);
    variant_add_loops(variants, "N=256", OURS, &veryfast_256_loops);
    variant_add_loops(variants, "N=64", OURS, &veryfast_64_loops);
}

/* The pool's forms that have peers, which follow. */
static void add_forms(void)
{
    add_sizes(&variants_of_n);
    add_sizes(&variants_of_use);
    variant_add_loops(&variants_of_use, "array", BASE, &array_loops);
    add_sizes(&variants_of_map);
    variant_add_loops(&variants_of_pool, "veryfast", OURS, &veryfast_loops);
    variant_add_loops(&variants_of_ring, "veryfast", OURS, &veryfast_loops);
    variant_add_loops(&variants_of_ring, "bare ring", ASIDE, &bare_loops);
    variant_add_loops(&variants_of_made, "veryfast", OURS, &veryfast_loops);
    variant_add_loops(&variants_of_walk, "trimmed", OURS, &veryfast_loops)->give_back = trim_4096;
    variant_add_loops(&variants_of_walk, "pool", PEER, &veryfast_loops);
    variant_add_loops(&variants_of_walk, "array", ASIDE, &array_loops);
    variant_add_loops(&variants_of_end, "destroy", OURS, &destroy_loops);
    variant_add_loops(&variants_of_end, "+ release", PEER, &release_loops);
    variant_add_loops(&variants_of_end, "free", ASIDE, &veryfast_loops);
    variant_add_loops(&variants_of_memory, "N=4096", OURS, &veryfast_loops)->give_back = trim_4096;
    variant_add_loops(&variants_of_memory, "N=64", OURS, &veryfast_64_loops)->give_back = trim_64;
}

/* Those that are compared with one another. */
static void add_among_forms(void)
{
    variant_add_loops(&variants_of_threads, "2 threads", OURS, &veryfast_loops)->threads = 2;
    variant_add_loops(&variants_of_threads, "1 thread", PEER, &veryfast_loops)->threads = 1;
    variant_add_loops(&variants_of_held, "held", OURS, &held_loops);
    variant_add_loops(&variants_of_held, "thread's", PEER, &veryfast_loops);
    variant_add_loops(&variants_of_held, "no pool", ASIDE, no_pool_peer);
    variant_add_loops(&variants_of_bulk, "bulk", OURS, &bulk_loops);
    variant_add_loops(&variants_of_bulk, "single", PEER, &veryfast_loops);
    variant_add_loops(&variants_of_bulk, "no pool", ASIDE, no_pool_peer);
    variant_add_loops(&variants_of_cap, "capped", OURS, &capped_loops);
    variant_add_loops(&variants_of_cap, "mutex+list", PEER, list_peer);
}

void allocators_find(void)
{
    add_forms();
    add_among_forms();
    sizes_find();
    peers_find();
}

void allocators_open(void)
{
    vf_pool_options cap = {.max_objects = 65536};
    pool_4096 = made(pool_object_4096_new(NULL));
    pool_256 = made(pool_object_256_new(NULL));
    pool_64 = made(pool_object_64_new(NULL));
    side_by_side = made(calloc(ARRAY_OBJECTS, sizeof *side_by_side));
    sizes_open();
    pool_capped = made(pool_object_4096_new(&cap));
    for (size_t i = 0; i < WORKERS_MOST; i++)
        caches[i] = made(pool_object_4096_cache_new(pool_4096));
}
