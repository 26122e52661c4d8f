/* SPDX-License-Identifier: MIT */
/*
 * stress_trim.c - P_trim beside all other calls, and P_destroy at the end of each round.
 *
 *     workers    allocate, stamp, check, hand over to one another, free; come and go
 *     trimmer    trims in a loop, until the workers have done their turns
 *
 * Memory that is given back is unmapped, so that whoever touches it stops. At the end of a round
 * some objects are live, and each is dropped once.
 */
#include "pages.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "stress.h"

struct item {
    _Atomic uint64_t owner;
    uint64_t stamp;
};

static atomic_size_t dropped;
static atomic_bool drops_count;

static void item_drop(struct item *item)
{
    CHECK(item->stamp == (uint64_t)(uintptr_t)item);
    item->stamp = 0;
    if (atomic_load_explicit(&drops_count, memory_order_relaxed))
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

#define VF_T       struct item
#define VF_N       32
#define VF_DROP(p) item_drop(p)
#include <veryfast/checked.h>
#include <veryfast/pool.h>

#define WORKERS  3
#define HELD     600 /* objects that a worker has at most */
#define EXCHANGE 64  /* places where workers leave objects for one another */

static struct round {
    pool_item_32 *pool;
    _Atomic(struct item *) exchange[EXCHANGE];
    atomic_size_t working; /* workers that have turns to do */
    atomic_size_t live, trimmed, found;
} this_round;

struct worker {
    uint64_t id, random;
    size_t turns;
    pool_item_32_cache *cache; /* of its own, or NULL */
    struct item *held[HELD];
    size_t count;
};

static void take(struct worker *self)
{
    struct item *item = self->cache != NULL ? pool_item_32_cache_alloc(self->cache)
                                            : pool_item_32_alloc(this_round.pool);
    CHECK(item != NULL);
    stress_claim(&item->owner, self->id);
    item->stamp = (uint64_t)(uintptr_t)item;
    self->held[self->count++] = item;
}

static struct item *give_up(struct worker *self)
{
    size_t i = stress_chance(&self->random, self->count);
    struct item *item = self->held[i];
    CHECK(item->stamp == (uint64_t)(uintptr_t)item);
    CHECK(atomic_load_explicit(&item->owner, memory_order_relaxed) == self->id);
    self->held[i] = self->held[--self->count];
    return item;
}

static void give_back(struct worker *self)
{
    struct item *item = give_up(self);
    stress_disclaim(&item->owner, self->id);
    if (self->cache != NULL && stress_chance(&self->random, 2) == 0)
        pool_item_32_cache_free(self->cache, item);
    else
        pool_item_32_free(this_round.pool, item);
}

/* Leaves one for another worker, and frees what it finds there. */
static void hand_over(struct worker *self)
{
    struct item *item = give_up(self);
    stress_disclaim(&item->owner, self->id);
    size_t place = stress_chance(&self->random, EXCHANGE);
    struct item *found = atomic_exchange(&this_round.exchange[place], item);
    if (found != NULL) {
        pool_item_32_free(this_round.pool, found);
        atomic_fetch_add_explicit(&this_round.found, 1, memory_order_relaxed);
    }
}

/* The number of objects goes up and down, so that batches become free. */
static void *work(void *context)
{
    struct worker *self = context;
    for (size_t turn = 0; turn < self->turns; turn++) {
        bool grows = turn / 2000 % 2 == 0;
        size_t chance = stress_chance(&self->random, 10);
        if (self->count == 0 || (self->count < HELD && chance < (grows ? 7 : 3)))
            take(self);
        else if (chance == 9)
            hand_over(self);
        else
            give_back(self);
        if (turn % 5000 == 4999)
            vf_thread_flush();
    }
    return NULL;
}

/* The work of one worker, by one thread after another. */
static void *work_in_turns(void *context)
{
    struct worker *self = context;
    self->turns /= 3;
    for (size_t i = 0; i < 3; i++)
        test_run_threads(1, work, &context);
    if (self->cache != NULL)
        pool_item_32_cache_release(self->cache);
    atomic_fetch_add(&this_round.live, self->count);
    atomic_fetch_sub(&this_round.working, 1);
    return NULL;
}

static void *trim(void *none)
{
    while (atomic_load(&this_round.working) > 0) {
        atomic_fetch_add(&this_round.trimmed, pool_item_32_trim(this_round.pool));
#ifdef VF_CHECKED
        /* each call of the workers needs the lock that is held here, and which is not fair */
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
#else
        sched_yield();
#endif
    }
    return none;
}

static void check_each(struct item *item, void *count)
{
    CHECK(item->stamp == (uint64_t)(uintptr_t)item);
    ++*(size_t *)count;
}

/* The whole of the pool is known: what is live, and that no batch is kept without need. */
static void check_pool(void)
{
    size_t live = atomic_load(&this_round.live), visited = 0;
    for (size_t i = 0; i < EXCHANGE; i++)
        live += atomic_load(&this_round.exchange[i]) != NULL;
    atomic_store(&this_round.live, live);
    atomic_fetch_add(&this_round.trimmed, pool_item_32_trim(this_round.pool));
    vf_pool_stats stats = pool_item_32_stats(this_round.pool);
    CHECK(stats.live == live);
    CHECK(stats.batches <= live);
    CHECK(pool_item_32_each(this_round.pool, check_each, &visited));
    CHECK(visited == live);
}

static struct pages pages;

static void one_round(uint64_t number)
{
    static struct worker workers[WORKERS];
    vf_pool_options options = {.allocator = pages_hook(&pages)};
    memset(&this_round, 0, sizeof this_round);
    this_round.pool = pool_item_32_new(&options);
    CHECK(this_round.pool != NULL);
    atomic_store(&this_round.working, WORKERS);
    pthread_t threads[WORKERS], trimmer;
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.id = i + 1,
                                     .random = stress_random_state(number * 8 + i),
                                     .turns = stress_count(60000, 24000)};
        if (i == 0)
            workers[i].cache = pool_item_32_cache_new(this_round.pool);
        CHECK(pthread_create(&threads[i], NULL, work_in_turns, &workers[i]) == 0);
    }
    CHECK(pthread_create(&trimmer, NULL, trim, NULL) == 0);
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(pthread_join(trimmer, NULL) == 0);
    check_pool();
    CHECK(atomic_load(&this_round.found) > 0 && atomic_load(&this_round.live) > 0);
    atomic_store(&dropped, 0);
    atomic_store(&drops_count, true);
    pool_item_32_destroy(this_round.pool);
    atomic_store(&drops_count, false);
    CHECK(atomic_load(&dropped) == atomic_load(&this_round.live));
    CHECK(atomic_load(&pages.blocks) == 0);
}

int main(void)
{
    stress_begin("stress_trim");
    vf_checked_quarantine(1000); /* not all objects that are ever freed */
    size_t rounds = stress_count(10, 2);
    size_t trimmed = 0;
    for (size_t i = 0; i < rounds; i++) {
        one_round(i);
        trimmed += atomic_load(&this_round.trimmed);
    }
    CHECK(trimmed > 0); /* or the rounds have shown nothing */
    stress_passed("trimmed in a loop beside all other calls; destroyed with live objects");
    return stress_end();
}
