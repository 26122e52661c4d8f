/* SPDX-License-Identifier: MIT */
/*
 * stress_first_call_is_free.c - threads whose first call is a free, out of memory.
 *
 * One thread allocates; then the allocator refuses everything; then thousands of threads come and
 * each does nothing but give a few objects back. None of the frees may fail, though there is no
 * memory for a cache. Afterwards, with the allocator still refusing, every slot is allocated again,
 * each once.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "allocator.h"
#include "any_pool.h"
#include "stress.h"

#include <veryfast/checked.h>

typedef unsigned char byte;
struct three {
    byte bytes[3];
};
typedef uint64_t eight;
struct line {
    uint64_t words[8];
};

#define VF_T byte
#define VF_N 1000
#include <veryfast/pool.h>
#define VF_T struct three
#define VF_N 700
#include <veryfast/pool.h>
#define VF_T eight
#define VF_N 512
#include <veryfast/pool.h>
#define VF_T struct line
#define VF_N 100
#include <veryfast/pool.h>

ANY_POOL(pool_byte_1000, byte, 1000);
ANY_POOL(pool_three_700, struct three, 700);
ANY_POOL(pool_eight_512, eight, 512);
ANY_POOL(pool_line_100, struct line, 100);

#define AT_ONCE    8
#define PER_THREAD 5
#define PARKED     40 /* objects of threads that have come and gone while there was memory */

/* What there is already when the allocator begins to refuse. */
enum start {
    NOTHING,  /* no cache but the allocating thread's, and an empty depot */
    SOME,     /* free slots in the depot, and caches without an owner */
    NO_CACHES /* threads keep nothing to themselves */
};

struct trial {
    const any_pool_type *type;
    void *pool;
    test_allocator allocator;
    void **objects;
    size_t count; /* of objects */
    atomic_size_t next;
    atomic_size_t freed;
    atomic_size_t caches_had;
    size_t before; /* live when frees began */
    pthread_barrier_t together;
};

/* A cache can be had if somebody left one; otherwise the call fails and changes nothing. */
static void free_through_cache(struct trial *trial, void *object)
{
    errno = 0;
    void *cache = trial->type->cache_new(trial->pool);
    if (cache == NULL) {
        CHECK(errno == ENOMEM);
        trial->type->free(trial->pool, object);
    } else {
        atomic_fetch_add(&trial->caches_had, 1);
        trial->type->cache_free(cache, object);
        trial->type->cache_release(cache);
    }
}

static void *free_some(void *context)
{
    struct trial *trial = context;
    const any_pool_type *type = trial->type;
    size_t begin = atomic_fetch_add(&trial->next, PER_THREAD);
    void **mine = &trial->objects[begin];
    pthread_barrier_wait(&trial->together);
    if (begin / PER_THREAD % 2 == 0) {
        type->free_n(trial->pool, mine, PER_THREAD);
    } else {
        type->free(trial->pool, mine[0]);
        free_through_cache(trial, mine[1]);
        for (size_t i = 2; i < PER_THREAD; i++)
            type->take(trial->pool, mine[i]);
    }
    atomic_fetch_add(&trial->freed, PER_THREAD);
    return NULL;
}

/* Alloc, and free of what was allocated: leaves free slots in the depot and two idle caches behind.
 */
static void *come_and_go(void *context)
{
    struct trial *trial = context;
    void *objects[PARKED];
    void *cache = trial->type->cache_new(trial->pool);
    CHECK(cache != NULL);
    CHECK(trial->type->alloc_n(trial->pool, objects, PARKED) == PARKED);
    pthread_barrier_wait(&trial->together);
    trial->type->free_n(trial->pool, objects, PARKED);
    trial->type->cache_release(cache);
    return NULL;
}

static void run_threads(struct trial *trial, size_t rounds, void *(*body)(void *))
{
    void *contexts[AT_ONCE];
    for (size_t i = 0; i < AT_ONCE; i++)
        contexts[i] = trial;
    for (size_t i = 0; i < rounds; i++)
        test_run_threads(AT_ONCE, body, contexts);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return (x > y) - (x < y);
}

/* Out of memory, each free slot is allocated once, and no more. */
static void take_all(struct trial *trial)
{
    const any_pool_type *type = trial->type;
    vf_pool_stats stats = type->stats(trial->pool);
    CHECK(stats.live == trial->before - trial->freed);
    size_t free_slots = stats.capacity - stats.live;
    void **got = calloc(free_slots + 1, sizeof *got);
    CHECK(got != NULL);
    for (size_t i = 0; i < free_slots; i++) {
        CHECK((got[i] = type->alloc(trial->pool)) != NULL);
        memset(got[i], 0x5A, type->size);
    }
    errno = 0;
    CHECK(type->alloc(trial->pool) == NULL && errno == ENOMEM);
    qsort(got, free_slots, sizeof *got, by_address);
    for (size_t i = 1; i < free_slots; i++)
        CHECK((char *)got[i - 1] + stats.stride <= (char *)got[i]);
    CHECK(type->stats(trial->pool).live == stats.capacity);

    atomic_store(&trial->allocator.refuse, false);
    CHECK((got[free_slots] = type->alloc(trial->pool)) != NULL);
    type->free_n(trial->pool, got, free_slots + 1);
    free(got);
}

static void run(const any_pool_type *type, enum start start, size_t rounds)
{
    struct trial trial = {.type = type, .count = rounds * AT_ONCE * PER_THREAD};
    CHECK(pthread_barrier_init(&trial.together, NULL, AT_ONCE) == 0);
    vf_pool_options options = {.allocator = test_allocator_hook(&trial.allocator),
                               .cache_objects = start == NO_CACHES ? VF_CACHE_NONE : 0};
    CHECK((trial.pool = type->create(&options)) != NULL);
    CHECK((trial.objects = calloc(trial.count, sizeof(void *))) != NULL);
    CHECK(type->alloc_n(trial.pool, trial.objects, trial.count) == trial.count);
    if (start == SOME)
        run_threads(&trial, 1, come_and_go);
    trial.before = type->stats(trial.pool).live;
    CHECK(trial.before == trial.count);

    atomic_store(&trial.allocator.refuse, true);
    run_threads(&trial, rounds, free_some);
    CHECK(trial.freed == trial.count);
    CHECK((trial.caches_had > 0) == (start == SOME));
    take_all(&trial);

    type->release(trial.pool);
    CHECK(trial.allocator.blocks == 0);
    free(trial.objects);
    pthread_barrier_destroy(&trial.together);
}

int main(void)
{
    stress_begin("stress_first_call_is_free");
    vf_checked_quarantine(0); /* or a free goes no further than that */
    const any_pool_type *types[] = {&any_pool_byte_1000, &any_pool_three_700, &any_pool_eight_512,
                                    &any_pool_line_100};
    const size_t rounds = stress_count(150, 20); /* of AT_ONCE threads */
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        run(types[i], NOTHING, rounds);
        run(types[i], SOME, rounds);
        run(types[i], NO_CACHES, rounds);
        stress_passed(types[i]->name);
    }
    return stress_end();
}
