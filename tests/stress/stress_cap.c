/* SPDX-License-Identifier: MIT */
/*
 * stress_cap.c - a cap of 32 objects shared by 8 threads: never 33 live, and no false refusal.
 *
 *                 tokens                     live (counted by the test)
 *     thread ---- takes k, if there are ---> alloc k ---> +k ... -k ---> free k ---> gives k back
 *
 * The test counts an object after it was allocated and discounts it before it is freed, so its
 * count is never more than what is really live: 33 in it is a cap broken. Tokens are the other
 * way round: taken before an alloc, given back after the free. There are as many as the cap, so
 * the holder of a token must get its object, whatever the others are doing; one NULL is a false
 * refusal. Threads that ask without tokens must be refused now and then, and never harm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "allocator.h"
#include "any_pool.h"
#include "stress.h"

#include <veryfast/checked.h>

struct item {
    _Atomic uint64_t owner;
    uint64_t stamp;
};

#define VF_T struct item
#define VF_N 8
#include <veryfast/pool.h>
#define VF_T    struct item
#define VF_N    64
#define VF_NAME wide
#include <veryfast/pool.h>

ANY_POOL(pool_item_8, struct item, 8);
ANY_POOL(wide, struct item, 64);

#define CAP     32
#define THREADS 8
#define FEW     4 /* as many as each thread may hold in the first scene: THREADS * FEW = CAP */

struct trial {
    const any_pool_type *type;
    void *pool;
    size_t turns;
    atomic_size_t live;     /* counted by the test */
    atomic_size_t most;     /* most live */
    atomic_size_t tokens;   /* left */
    atomic_size_t refused;  /* allocs that failed */
    atomic_size_t migrated; /* objects got that another thread had before */
};

struct worker {
    struct trial *trial;
    uint64_t id; /* 1 ... */
    uint64_t random;
    void *cache; /* held, or NULL */
    struct item *held[CAP + 1];
    size_t count; /* of held */
};

static void note_got(struct worker *self, struct item *item)
{
    struct trial *trial = self->trial;
    size_t live = atomic_fetch_add(&trial->live, 1) + 1;
    CHECK(live <= CAP);
    size_t most = atomic_load(&trial->most);
    while (live > most && !atomic_compare_exchange_weak(&trial->most, &most, live)) {
    }
    stress_claim(&item->owner, self->id);
    if (item->stamp != self->id && item->stamp >= 1 && item->stamp <= THREADS)
        atomic_fetch_add(&trial->migrated, 1);
    item->stamp = self->id;
}

static void note_given(struct worker *self, struct item *item)
{
    CHECK(item->stamp == self->id);
    stress_disclaim(&item->owner, self->id);
    atomic_fetch_sub(&self->trial->live, 1);
}

/* Asks for n objects, in one of three ways; how many were given. */
static size_t get(struct worker *self, size_t n)
{
    struct trial *trial = self->trial;
    size_t way = stress_chance(&self->random, 3);
    void *got[CAP + 1];
    size_t given = 0;
    if (stress_chance(&self->random, 4) == 0)
        vf_checked_quarantine(stress_chance(&self->random, CAP) * 100);
    errno = 0;
    if (way == 0) {
        given = trial->type->alloc_n(trial->pool, got, n);
    } else {
        for (; given < n; given++) {
            if (stress_chance(&self->random, 64) == 0)
                sched_yield(); /* with what it has so far */
            got[given] = way == 1 && self->cache != NULL ? trial->type->cache_alloc(self->cache)
                                                         : trial->type->alloc(trial->pool);
            if (got[given] == NULL)
                break;
        }
    }
    CHECK(errno == (given < n ? ENOMEM : 0));
    for (size_t i = 0; i < given; i++) {
        self->held[self->count] = got[i];
        note_got(self, self->held[self->count++]);
    }
    return given;
}

/* Gives the last n back, in one of four ways. */
static void give(struct worker *self, size_t n)
{
    struct trial *trial = self->trial;
    void *objects[CAP + 1];
    for (size_t i = 0; i < n; i++) {
        struct item *item = self->held[--self->count];
        note_given(self, item);
        objects[i] = item;
    }
    size_t way = stress_chance(&self->random, 4);
    if (way == 0)
        trial->type->free_n(trial->pool, objects, n);
    for (size_t i = 0; way != 0 && i < n; i++) {
        if (way == 1 && self->cache != NULL)
            trial->type->cache_free(self->cache, objects[i]);
        else if (way == 2)
            trial->type->take(trial->pool, objects[i]);
        else
            trial->type->free(trial->pool, objects[i]);
    }
}

static size_t take_tokens(struct worker *self, size_t wanted)
{
    size_t left = atomic_load(&self->trial->tokens);
    size_t n;
    do {
        n = left < wanted ? left : wanted;
    } while (!atomic_compare_exchange_weak(&self->trial->tokens, &left, left - n));
    return n;
}

/* Each thread holds at most its share: there is always room for it. */
static void *keep_to_share(void *context)
{
    struct worker *self = context;
    for (size_t turn = 0; turn < self->trial->turns; turn++) {
        size_t n = 1 + stress_chance(&self->random, FEW - self->count);
        CHECK(get(self, n) == n);
        if (self->count == FEW || stress_chance(&self->random, 2) == 0)
            give(self, 1 + stress_chance(&self->random, self->count));
    }
    give(self, self->count);
    return NULL;
}

static void give_with_tokens(struct worker *self, size_t n)
{
    give(self, n);
    atomic_fetch_add(&self->trial->tokens, n);
}

/* Each thread asks for as many as it has tokens for: all 32, if nobody else has any. */
static void *use_tokens(void *context)
{
    struct worker *self = context;
    for (size_t turn = 0; turn < self->trial->turns;) {
        size_t n = take_tokens(self, 1 + stress_chance(&self->random, CAP));
        if (n == 0) {
            give_with_tokens(self, self->count); /* others may be waiting for these */
            (void)self->trial->type->reserve(self->trial->pool, 1); /* keeps nothing from others */
            sched_yield();
            continue;
        }
        CHECK(get(self, n) == n);
        give_with_tokens(self, stress_chance(&self->random, self->count + 1));
        turn++;
    }
    give_with_tokens(self, self->count);
    return NULL;
}

/* Threads ask for more than there is. */
static void *demand_more(void *context)
{
    struct worker *self = context;
    for (size_t turn = 0; turn < self->trial->turns; turn++) {
        size_t n = 1 + stress_chance(&self->random, CAP + 1 - self->count);
        size_t given = get(self, n);
        if (given < n)
            atomic_fetch_add(&self->trial->refused, 1);
        CHECK(self->count <= CAP);
        give(self, stress_chance(&self->random, self->count + 1));
    }
    give(self, self->count);
    return NULL;
}

/* One thread gets all 32, and no 33rd. */
static void check_exact(struct worker *self)
{
    const any_pool_type *type = self->trial->type;
    CHECK(get(self, CAP) == CAP);
    CHECK(get(self, 1) == 0);
    vf_pool_stats stats = type->stats(self->trial->pool);
    CHECK(stats.live == CAP && stats.capacity == CAP && stats.peak == CAP);
    give(self, CAP);
    CHECK(type->stats(self->trial->pool).live == 0);
}

struct scene {
    const char *what;
    void *(*body)(void *);
    size_t turns;
    bool refuses;
};

static void run_workers(const struct scene *scene, struct trial *trial)
{
    struct worker workers[THREADS];
    void *contexts[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.trial = trial, .id = i + 1, .random = stress_random_state(i)};
        if (i % 2 == 0)
            CHECK((workers[i].cache = trial->type->cache_new(trial->pool)) != NULL);
        contexts[i] = &workers[i];
    }
    test_run_threads(THREADS, scene->body, contexts);
    CHECK(trial->live == 0);
    check_exact(&workers[0]);
    for (size_t i = 0; i < THREADS; i++)
        trial->type->cache_release(workers[i].cache);
}

static void run(const struct scene *scene, const any_pool_type *type)
{
    test_allocator allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .max_objects = CAP};
    struct trial trial = {.type = type, .turns = scene->turns, .tokens = CAP};
    CHECK((trial.pool = type->create(&options)) != NULL);
    run_workers(scene, &trial);
    CHECK((trial.refused > 0) == scene->refuses);
    CHECK(trial.migrated > 0 && trial.most > FEW);
    type->release(trial.pool);
    CHECK(allocator.blocks == 0);
}

/* The pool's first objects are fought for, too: then the pool has to grow under the cap. */
static void run_short_lives(const struct scene *scene, const any_pool_type *type, size_t pools)
{
    struct scene brief = *scene;
    brief.turns = 20;
    for (size_t i = 0; i < pools; i++) {
        test_allocator allocator = {0};
        vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                                   .max_objects = CAP};
        struct trial trial = {.type = type, .turns = brief.turns, .tokens = CAP};
        CHECK((trial.pool = type->create(&options)) != NULL);
        run_workers(&brief, &trial);
        type->release(trial.pool);
        CHECK(allocator.blocks == 0);
    }
}

int main(void)
{
    stress_begin("stress_cap");
    vf_checked_keep_contents(true); /* stamps tell who had the object before */
    const struct scene scenes[] = {
        {"eight threads with four each are never refused", keep_to_share, stress_count(60000, 6000),
         false},
        {"no thread with a token is refused", use_tokens, stress_count(15000, 1500), false},
        {"more is demanded than there is: refusals, and never 33", demand_more,
         stress_count(15000, 1500), true},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        run(&scenes[i], &any_pool_item_8);
        run(&scenes[i], &any_wide);
        run_short_lives(&scenes[i], &any_pool_item_8, stress_count(300, 50));
        stress_passed(scenes[i].what);
    }
    return stress_end();
}
