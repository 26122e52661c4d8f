/* SPDX-License-Identifier: MIT */
/*
 * stress_release.c - the end of thousands of pools: objects outlive the pool, and their frees, the
 * flushes and the ends and beginnings of threads race its release.
 *
 *     main       heir 0, heir 1 (all the time)      two passers-by (threads for one pool each)
 *      |         objects, a held cache                objects
 *      +------------------- at the same instant ----------------+
 *     release    free, flush, release the cache       start, free, exit
 *
 * A free that was caught half way may delay the return of the memory to that thread's next flush
 * or exit; after all have flushed or gone, nothing may be left. Where nothing races, the last free
 * gives all back at once.
 */
#define _GNU_SOURCE /* sched_getaffinity */

#include "pages.h"

#include <pthread.h>
#include <sched.h>

#include "allocator.h"
#include "any_pool.h"
#include "stress.h"

struct line {
    _Atomic uint64_t owner;
    uint64_t contents[7];
};

#define VF_T struct line
#define VF_N 64
#include <veryfast/pool.h>

ANY_POOL(pool_line_64, struct line, 64);
static const any_pool_type *const type = &any_pool_line_64;

#define HEIRS      2
#define PASSERS_BY 2
#define SHARES     (HEIRS + PASSERS_BY + 1) /* one is main's */
#define SHARE_MOST 150
#define CAP        1000

/* A pool's memory, from one allocator or the other. */
struct memory {
    test_allocator heap;
    struct pages pages;
};

/* Objects that somebody is to free. */
struct share {
    size_t count;
    struct line *objects[SHARE_MOST];
    void *cache; /* held, or NULL */
    uint64_t random;
};

struct estate {
    void *pool;
    struct memory *memory;
    struct share shares[SHARES];
    size_t share_most; /* few: then the release meets the last frees more often */
    bool flush_after;
    atomic_uint phase; /* 0 before the release, 1 in it, 2 after it */
    atomic_uint ready;
};

static struct {
    struct estate estate;
    pthread_barrier_t barrier; /* main and the heirs */
    size_t pools;
    atomic_size_t frees[3]; /* by phase */
    atomic_size_t flushes;
    size_t delayed; /* pools that had to wait for a flush */
    size_t at_once; /* pools that had not */
} test;

/* Those that this process may use. */
static int processors(void)
{
#ifdef CPU_COUNT
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
#else
    return 1; /* unknown: then nothing is expected of chance */
#endif
}

static size_t blocks_of(struct memory *memory)
{
    return atomic_load(&memory->heap.blocks) + atomic_load(&memory->pages.blocks);
}

/* All kinds of pools, in turn. */
static void *new_pool(struct memory *memory, size_t number)
{
    const size_t cache_objects[] = {0, 8, VF_CACHE_NONE, 0};
    vf_pool_options options = {.cache_objects = cache_objects[number % 4],
                               .max_objects = number % 4 == 3 ? CAP : 0};
    options.allocator =
        number / 4 % 2 == 0 ? test_allocator_hook(&memory->heap) : pages_hook(&memory->pages);
    void *pool = type->create(&options);
    CHECK(pool != NULL);
    return pool;
}

static struct line *make(void *pool)
{
    struct line *line = type->alloc(pool);
    CHECK(line != NULL);
    stress_claim(&line->owner, (uintptr_t)line);
    for (size_t i = 0; i < 7; i++)
        line->contents[i] = (uintptr_t)line + i;
    return line;
}

static void check(struct line *line)
{
    for (size_t i = 0; i < 7; i++)
        CHECK(line->contents[i] == (uintptr_t)line + i);
    stress_disclaim(&line->owner, (uintptr_t)line);
}

/* Between 1 and most objects; some more are allocated and freed, so that the cache is in use. */
static void fill(struct share *share, void *pool, size_t most)
{
    struct line *extra[SHARE_MOST];
    size_t n = 1 + stress_chance(&share->random, most);
    size_t more = stress_chance(&share->random, SHARE_MOST);
    for (size_t i = 0; i < more; i++)
        extra[i] = make(pool);
    while (share->count < n)
        share->objects[share->count++] = make(pool);
    for (size_t i = 0; i < more; i++) {
        check(extra[i]);
        type->free(pool, extra[i]);
    }
}

/* Frees 1 or more of the share, in one of four ways; the pool may be gone after the last one. */
static void free_some(struct share *share, void *pool)
{
    void *objects[SHARE_MOST];
    size_t way = stress_chance(&share->random, 4);
    size_t n = way == 0 ? 1 + stress_chance(&share->random, share->count) : 1;
    for (size_t i = 0; i < n; i++) {
        objects[i] = share->objects[--share->count];
        check(objects[i]);
    }
    atomic_fetch_add(&test.frees[atomic_load(&test.estate.phase)], n);
    if (way == 0)
        type->free_n(pool, objects, n);
    else if (way == 1)
        type->take(pool, objects[0]);
    else if (way == 2 && share->cache != NULL)
        type->cache_free(share->cache, objects[0]);
    else
        type->free(pool, objects[0]);
}

static void release_cache(struct share *share)
{
    if (share->cache != NULL)
        type->cache_release(share->cache);
    share->cache = NULL;
}

static void inherit(struct share *share, bool may_flush)
{
    while (share->count > 0) {
        free_some(share, test.estate.pool);
        if (may_flush && stress_chance(&share->random, 24) == 0) {
            vf_thread_flush();
            atomic_fetch_add(&test.flushes, 1);
        }
        if (stress_chance(&share->random, 100) == 0)
            release_cache(share);
    }
    release_cache(share);
}

/* Waits for the others, then for chance, so that each time other instants meet. */
static void start_together(struct share *share, unsigned parties)
{
    atomic_fetch_add(&test.estate.ready, 1);
    while (atomic_load(&test.estate.ready) < parties)
        sched_yield();
    for (size_t i = stress_chance(&share->random, 40 * test.estate.share_most); i > 0; i--)
        (void)atomic_load(&test.estate.ready);
}

static void *pass_by(void *argument)
{
    struct share *share = argument;
    if (stress_chance(&share->random, 2) == 0)
        start_together(share, 1 + HEIRS);
    inherit(share, false);
    return NULL;
}

static void heir_turn(size_t self, bool allocates)
{
    struct share *share = &test.estate.shares[self];
    if (allocates)
        fill(share, test.estate.pool, test.estate.share_most);
    if (stress_chance(&share->random, 3) == 0)
        CHECK((share->cache = type->cache_new(test.estate.pool)) != NULL);
}

static void *heir(void *argument)
{
    size_t self = (uintptr_t)argument;
    for (size_t i = 0; i < test.pools; i++) {
        pthread_barrier_wait(&test.barrier); /* there is a new pool */
        heir_turn(self, i % 5 != 0);
        pthread_barrier_wait(&test.barrier); /* shares are dealt */
        pthread_barrier_wait(&test.barrier); /* and exchanged */
        start_together(&test.estate.shares[self], 1 + HEIRS);
        inherit(&test.estate.shares[self], true);
        pthread_barrier_wait(&test.barrier); /* all is freed */
        pthread_barrier_wait(&test.barrier); /* main has looked */
        if (test.estate.flush_after)
            vf_thread_flush();
        pthread_barrier_wait(&test.barrier);
    }
    return NULL;
}

/* Heirs' objects go to others, in part: each frees what others allocated. */
static void exchange_shares(struct estate *estate)
{
    for (size_t i = 0; i < SHARES; i++) {
        struct share *a = &estate->shares[i];
        struct share *b = &estate->shares[(i + 1) % SHARES];
        for (size_t k = 0; k < a->count && k < b->count; k += 2) {
            struct line *line = a->objects[k];
            a->objects[k] = b->objects[k];
            b->objects[k] = line;
        }
    }
}

static void open_estate(struct estate *estate, struct memory *memory, size_t number)
{
    *estate = (struct estate){.memory = memory,
                              .pool = new_pool(memory, number),
                              .share_most = number % 3 == 0 ? SHARE_MOST : 4};
    for (size_t i = 0; i < SHARES; i++)
        estate->shares[i].random = stress_random_state(number * SHARES + i);
    for (size_t i = HEIRS; i < SHARES; i++)
        fill(&estate->shares[i], estate->pool, estate->share_most);
    estate->flush_after = number % 4 != 1;
}

static void release_pool(struct estate *estate)
{
    atomic_store(&estate->phase, 1);
    type->release(estate->pool);
    atomic_store(&estate->phase, 2);
}

static void run_race(struct estate *estate)
{
    struct share *own = &estate->shares[SHARES - 1];
    pthread_t passers_by[PASSERS_BY];
    for (size_t i = 0; i < PASSERS_BY; i++)
        CHECK(pthread_create(&passers_by[i], NULL, pass_by, &estate->shares[HEIRS + i]) == 0);
    start_together(own, 1 + HEIRS);
    release_pool(estate);
    inherit(own, true);
    for (size_t i = 0; i < PASSERS_BY; i++)
        CHECK(pthread_join(passers_by[i], NULL) == 0);
}

static void run_estate(struct memory *memory, size_t number)
{
    struct estate *estate = &test.estate;
    open_estate(estate, memory, number);
    pthread_barrier_wait(&test.barrier);
    pthread_barrier_wait(&test.barrier);
    exchange_shares(estate);
    pthread_barrier_wait(&test.barrier);
    run_race(estate);
    pthread_barrier_wait(&test.barrier);
    if (blocks_of(memory) == 0)
        test.at_once++;
    else
        test.delayed++;
    pthread_barrier_wait(&test.barrier);
    if (estate->flush_after)
        vf_thread_flush();
    pthread_barrier_wait(&test.barrier);
    CHECK(!estate->flush_after || blocks_of(memory) == 0);
}

static void races(void)
{
    test.pools = stress_count(6000, 1200);
    struct memory *memories = calloc(test.pools, sizeof *memories);
    CHECK(memories != NULL);
    CHECK(pthread_barrier_init(&test.barrier, NULL, 1 + HEIRS) == 0);
    pthread_t heirs[HEIRS];
    for (uintptr_t i = 0; i < HEIRS; i++)
        CHECK(pthread_create(&heirs[i], NULL, heir, (void *)i) == 0);
    for (size_t i = 0; i < test.pools; i++)
        run_estate(&memories[i], i);
    for (size_t i = 0; i < HEIRS; i++)
        CHECK(pthread_join(heirs[i], NULL) == 0);
    vf_thread_flush(); /* in place of main's exit */
    for (size_t i = 0; i < test.pools; i++)
        CHECK(blocks_of(&memories[i]) == 0);
    printf("%zu pools: %zu frees before the release, %zu during it, %zu after it; %zu flushes; "
           "memory back at once %zu times, after a flush or exit %zu times\n",
           test.pools, (size_t)test.frees[0], (size_t)test.frees[1], (size_t)test.frees[2],
           (size_t)test.flushes, test.at_once, test.delayed);
    CHECK(test.frees[0] > 0 && test.frees[2] > 0 && test.flushes > 0);
    CHECK(test.frees[1] > 0 || processors() == 1); /* where one thread runs at a time, few do */
    CHECK(test.at_once > 0);
    pthread_barrier_destroy(&test.barrier);
    free(memories);
    stress_passed("frees, flushes, starts and exits racing the release");
}

static void *free_one(void *argument)
{
    free_some(argument, test.estate.pool);
    return NULL;
}

/* Nothing races: threads free one object each, one thread after another. */
static void calm_end(size_t number)
{
    struct memory memory = {0};
    struct estate *estate = &test.estate;
    *estate = (struct estate){.pool = new_pool(&memory, number)};
    struct share *share = &estate->shares[0];
    share->random = stress_random_state(number);
    fill(share, estate->pool, 6);
    if (number % 3 == 0)
        CHECK((share->cache = type->cache_new(estate->pool)) != NULL);
    release_pool(estate);
    while (share->count > 0) {
        CHECK(blocks_of(&memory) > 0);
        pthread_t thread;
        if (stress_chance(&share->random, 3) == 0) {
            free_one(share);
        } else {
            CHECK(pthread_create(&thread, NULL, free_one, share) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
        }
    }
    if (share->cache != NULL) {
        CHECK(blocks_of(&memory) > 0); /* an open cache keeps the pool alive */
        release_cache(share);
    }
    CHECK(blocks_of(&memory) == 0);
}

int main(void)
{
    stress_begin("stress_release");
    const size_t calm = stress_count(2000, 400);
    for (size_t i = 0; i < calm; i++)
        calm_end(i);
    stress_passed("where nothing races, the last free gives all back at once");
    races();
    return stress_end();
}
