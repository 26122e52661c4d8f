/* SPDX-License-Identifier: MIT */
/*
 * soak_levels.c - pools that only one thread at a time has, for what needs that: P_each, and the
 * end of a level by P_destroy, with objects in it from all threads. See soak.h.
 */
#include <pthread.h>

#include "allocator.h"
#include "soak.h"

struct entity {
    uint64_t level, number;
    uint64_t contents[4];
};

static void drop(struct entity *entity);

#define VF_T       struct entity
#define VF_N       50
#define VF_DROP(p) drop(p)
#include <veryfast/pool.h>

#define LEVELS 8
#define SPAWN  200

static struct level {
    pthread_mutex_t lock;
    pool_entity_50 *pool;
    test_allocator memory;
    vf_pool_options options;
    uint64_t next;      /* number of the next object */
    uint64_t live, sum; /* how many there are, and of all numbers */
} levels[LEVELS];

enum { SPAWNED, VISITED, FREED, DESTROYED, RELEASED, TALLIES };
static struct soak_tally tallies[TALLIES + 1] = {
    {"spawned", 0}, {"visited", 0}, {"freed by the visitor", 0}, {"destroyed", 0}, {"released", 0},
};

/* The object leaves its level. */
static void forget(const struct entity *entity)
{
    struct level *level = &levels[entity->level];
    for (size_t i = 0; i < 4; i++)
        CHECK(entity->contents[i] == entity->number);
    CHECK(level->live > 0);
    level->live--;
    level->sum -= entity->number;
}

static void drop(struct entity *entity)
{
    forget(entity);
}

static void begin(struct level *level)
{
    level->options = (vf_pool_options){.allocator = test_allocator_hook(&level->memory)};
    CHECK((level->pool = pool_entity_50_new(&level->options)) != NULL);
    CHECK(level->live == 0 && level->sum == 0);
}

static void spawn(struct level *level, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t number = level->next++;
        struct entity *entity = pool_entity_50_alloc(level->pool);
        CHECK(entity != NULL);
        *entity =
            (struct entity){(uint64_t)(level - levels), number, {number, number, number, number}};
        level->live++;
        level->sum += number;
    }
    soak_count(&tallies[SPAWNED], n);
}

struct visit {
    pool_entity_50 *pool;
    uint64_t count, sum, random;
    struct entity *last;
    bool frees;
};

static void visit(struct entity *entity, void *context)
{
    struct visit *visit = context;
    CHECK(visit->last == NULL || entity > visit->last);
    visit->last = entity;
    visit->count++;
    visit->sum += entity->number;
    if (visit->frees && stress_chance(&visit->random, 2) == 0) {
        pool_entity_50_free(visit->pool, entity); /* which drops it */
        soak_count(&tallies[FREED], 1);
    }
}

static void walk(struct level *level, uint64_t *random)
{
    struct visit all = {
        .pool = level->pool, .random = test_random(random), .frees = stress_chance(random, 2) == 0};
    uint64_t live = level->live, sum = level->sum;
    CHECK(pool_entity_50_each(level->pool, visit, &all));
    CHECK(all.count == live && all.sum == sum);
    soak_count(&tallies[VISITED], (size_t)all.count);
}

static void destroy(struct level *level)
{
    pool_entity_50_destroy(level->pool);
    CHECK(level->live == 0 && level->sum == 0);
    CHECK(atomic_load(&level->memory.bytes) == 0);
    soak_count(&tallies[DESTROYED], 1);
}

static void free_each(struct entity *entity, void *pool)
{
    pool_entity_50_free(pool, entity);
}

/* By P_release, with nothing left; what the caches of other threads have does not count. */
static void release(struct level *level)
{
    CHECK(pool_entity_50_each(level->pool, free_each, level->pool));
    CHECK(level->live == 0 && level->sum == 0);
    pool_entity_50_release(level->pool);
    CHECK(atomic_load(&level->memory.bytes) == 0);
    soak_count(&tallies[RELEASED], 1);
}

static void open_round(uint64_t *random)
{
    (void)random;
    for (size_t i = 0; i < LEVELS; i++) {
        CHECK(pthread_mutex_init(&levels[i].lock, NULL) == 0);
        begin(&levels[i]);
    }
}

static void turn(size_t thread, uint64_t *random)
{
    struct level *level = &levels[stress_chance(random, LEVELS)];
    (void)thread;
    pthread_mutex_lock(&level->lock);
    size_t what = stress_chance(random, 20);
    if (what < 12) {
        spawn(level, stress_chance(random, SPAWN));
    } else if (what < 18) {
        walk(level, random);
    } else {
        what < 19 ? destroy(level) : release(level);
        begin(level);
    }
    pthread_mutex_unlock(&level->lock);
}

static void close_round(void)
{
    for (size_t i = 0; i < LEVELS; i++) {
        destroy(&levels[i]);
        CHECK(atomic_load(&levels[i].memory.blocks) == 0);
        pthread_mutex_destroy(&levels[i].lock);
    }
}

const struct soak_part soak_levels = {
    .name = "levels",
    .weight = 1,
    .open = open_round,
    .turn = turn,
    .close = close_round,
    .tallies = tallies,
};
