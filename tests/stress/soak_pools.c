/* SPDX-License-Identifier: MIT */
/*
 * soak_pools.c - pools of all kinds that come and go, see soak.h.
 *
 * A pool is used under a read lock, so that it is not released under its users, and released
 * outside of it. Frees need no lock: an object keeps its pool. So objects wander between threads
 * and outlive their pools, and their frees meet the release of their pool.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "allocator.h"
#include "any_pool.h"
#include "soak.h"

struct item {
    _Atomic uint64_t owner;
    uint64_t contents[2];
};
struct big {
    _Atomic uint64_t owner;
    uint64_t contents[62];
};

#define VF_T struct item
#define VF_N 100
#include <veryfast/pool.h>
#define VF_T struct big
#define VF_N 16
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

ANY_POOL(pool_item_100, struct item, 100);
ANY_POOL(pool_big_16, struct big, 16);

#define PLACES  6 /* where pools are found */
#define HELD    400
#define BULK    50
#define PARCELS 64

struct pool {
    const any_pool_type *type;
    void *handle;
    test_allocator memory;
    size_t max_objects;
    struct pool *next; /* in the list of all there ever were */
};

/* An object in somebody's hands. */
struct holding {
    struct pool *pool;
    struct item *object; /* or a big one, which begins like it */
};

struct place {
    pthread_rwlock_t lock;
    struct pool *pool;
};

/* An object on its way from one thread to another. */
struct parcel {
    pthread_mutex_t lock;
    struct holding holding;
};

static struct worker {
    uint64_t id; /* 1 ... */
    uint64_t random;
    struct holding held[HELD];
    size_t count;
    struct pool *cache_pool; /* of the cache, if there is one */
    void *cache;
} workers[SOAK_THREADS];

static struct {
    struct place places[PLACES];
    struct parcel parcels[PARCELS];
    _Atomic(struct pool *) all;
} test;

enum { NEW, ALLOC, ALLOC_N, PUSH, CACHE, RESERVE, OWNS, STATS, TRIM, FREE, FREE_N, FLUSH };
enum { REFUSED = FLUSH + 1, OTHERS, TALLIES };
static struct soak_tally tallies[TALLIES + 1] = {
    {"made", 0},        {"allocated", 0},
    {"in arrays", 0},   {"pushed", 0},
    {"from caches", 0}, {"reserved", 0},
    {"owned", 0},       {"looked at", 0},
    {"trimmed", 0},     {"freed", 0},
    {"in bulk", 0},     {"flushed", 0},
    {"refused", 0},     {"frees of others' objects", 0},
};

static struct pool *new_pool(uint64_t *random)
{
    const size_t cache_objects[] = {0, 0, 16, 100, VF_CACHE_NONE};
    struct pool *pool = calloc(1, sizeof *pool);
    CHECK(pool != NULL);
    pool->type = stress_chance(random, 2) == 0 ? &any_pool_item_100 : &any_pool_big_16;
    pool->max_objects = stress_chance(random, 3) == 0 ? 1 + stress_chance(random, 1000) : 0;
    vf_pool_options options = {.allocator = test_allocator_hook(&pool->memory),
                               .cache_objects = cache_objects[stress_chance(random, 5)],
                               .max_objects = pool->max_objects,
                               .name = "soak"};
    CHECK((pool->handle = pool->type->create(&options)) != NULL);
    pool->next = atomic_load(&test.all);
    while (!atomic_compare_exchange_weak(&test.all, &pool->next, pool)) {
    }
    soak_count(&tallies[NEW], 1);
    return pool;
}

static void take_in(struct worker *self, struct pool *pool, void *object)
{
    struct item *item = object;
    stress_claim(&item->owner, self->id);
    item->contents[0] = self->id;
    item->contents[1] = (uintptr_t)item;
    self->held[self->count++] = (struct holding){pool, item};
}

/* Is the object what it was when it was taken in? Otherwise says all that is known of it. */
static void check_contents(const struct worker *self, const struct holding *holding)
{
    const struct item *item = holding->object;
    if (item->contents[1] == (uintptr_t)item)
        return;
    const struct pool *pool = holding->pool;
    fprintf(stderr,
            "worker %llu: %s, at most %zu, %zu blocks out: object %p has %llx, %llx, %llx\n",
            (unsigned long long)self->id, pool->type->name, pool->max_objects,
            atomic_load(&pool->memory.blocks), (const void *)item,
            (unsigned long long)atomic_load(&item->owner), (unsigned long long)item->contents[0],
            (unsigned long long)item->contents[1]);
    abort();
}

/* Removes holding i, and takes the mark off its object. */
static struct holding let_go(struct worker *self, size_t i)
{
    struct holding holding = self->held[i];
    self->held[i] = self->held[--self->count];
    struct item *item = holding.object;
    check_contents(self, &holding);
    if (item->contents[0] != self->id)
        soak_count(&tallies[OTHERS], 1);
    stress_disclaim(&item->owner, item->contents[0]);
    return holding;
}

static void note_refusal(const struct pool *pool)
{
    CHECK(pool->max_objects != 0 && errno == ENOMEM);
    soak_count(&tallies[REFUSED], 1);
}

/* With the place's read lock held, which keeps the pool from being released. */

static void alloc_bulk(struct worker *self, struct pool *pool, size_t n)
{
    void *objects[BULK];
    size_t got = pool->type->alloc_n(pool->handle, objects, n);
    for (size_t i = 0; i < got; i++)
        take_in(self, pool, objects[i]);
    soak_count(&tallies[ALLOC_N], got);
    if (got < n)
        note_refusal(pool);
}

static void alloc_single(struct worker *self, struct pool *pool, size_t n, bool push)
{
    static const struct big nothing;
    for (size_t i = 0; i < n; i++) {
        void *object =
            push ? pool->type->push(pool->handle, &nothing) : pool->type->alloc(pool->handle);
        if (object == NULL) {
            note_refusal(pool);
            return;
        }
        take_in(self, pool, object);
        soak_count(&tallies[push ? PUSH : ALLOC], 1);
    }
}

static void alloc_some(struct worker *self, struct pool *pool)
{
    size_t n = 1 + stress_chance(&self->random, BULK);
    size_t way = stress_chance(&self->random, 4);
    if (n > HELD - self->count)
        n = HELD - self->count;
    if (way < 2)
        alloc_bulk(self, pool, n);
    else
        alloc_single(self, pool, n, way == 2);
}

static void alloc_from_cache(struct worker *self, struct pool *pool)
{
    if (self->cache == NULL) {
        CHECK((self->cache = pool->type->cache_new(pool->handle)) != NULL);
        self->cache_pool = pool;
    }
    for (size_t i = 0; i < BULK && self->cache_pool == pool && self->count < HELD; i++) {
        void *object = pool->type->cache_alloc(self->cache);
        if (object == NULL) {
            note_refusal(pool);
            return;
        }
        take_in(self, pool, object);
        soak_count(&tallies[CACHE], 1);
    }
}

static void check_stats(const struct pool *pool)
{
    vf_pool_stats stats = pool->type->stats(pool->handle);
    CHECK(stats.live <= stats.capacity && stats.cached <= stats.capacity);
    CHECK(stats.depot <= stats.capacity && stats.fresh <= stats.capacity);
    CHECK(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    CHECK(pool->max_objects == 0 || stats.capacity <= pool->max_objects);
    CHECK(stats.batch_objects == pool->type->batch && stats.bytes > 0);
    soak_count(&tallies[STATS], 1);
}

/* Of what is held, what is of this pool, and nothing else. */
static void check_owner(const struct worker *self, const struct pool *pool)
{
    CHECK(!pool->type->owns(pool->handle, self));
    for (size_t i = 0; i < self->count && i < 3; i++) {
        bool owned = pool->type->owns(pool->handle, self->held[i].object);
        CHECK(owned == (self->held[i].pool == pool));
        soak_count(&tallies[OWNS], owned);
    }
}

static void trim(const struct pool *pool)
{
    soak_count(&tallies[TRIM], pool->type->trim(pool->handle));
}

static void reserve_some(struct worker *self, const struct pool *pool)
{
    size_t n = stress_chance(&self->random, 300);
    if (pool->type->reserve(pool->handle, n))
        soak_count(&tallies[RESERVE], n);
    else
        note_refusal(pool);
}

/* Without a lock. */

static void free_some(struct worker *self)
{
    size_t n = stress_chance(&self->random, self->count + 1);
    for (size_t i = 0; i < n; i++) {
        struct holding h = let_go(self, stress_chance(&self->random, self->count));
        size_t way = stress_chance(&self->random, 3);
        if (way == 0 && h.pool == self->cache_pool)
            h.pool->type->cache_free(self->cache, h.object);
        else if (way == 1)
            h.pool->type->take(h.pool->handle, h.object);
        else
            h.pool->type->free(h.pool->handle, h.object);
    }
    soak_count(&tallies[FREE], n);
}

/* All that is held of one pool. */
static void free_in_bulk(struct worker *self)
{
    void *objects[HELD];
    size_t n = 0;
    struct pool *pool = self->count > 0 ? self->held[0].pool : NULL;
    for (size_t i = self->count; i-- > 0;) {
        if (self->held[i].pool == pool)
            objects[n++] = let_go(self, i).object;
    }
    if (n > 0)
        pool->type->free_n(pool->handle, objects, n);
    soak_count(&tallies[FREE_N], n);
}

static void trade(struct worker *self)
{
    for (size_t i = 0; i < BULK && self->count > 0; i++) {
        struct parcel *parcel = &test.parcels[stress_chance(&self->random, PARCELS)];
        size_t own = stress_chance(&self->random, self->count);
        pthread_mutex_lock(&parcel->lock);
        struct holding got = parcel->holding;
        parcel->holding = self->held[own];
        pthread_mutex_unlock(&parcel->lock);
        self->held[own] = got.pool != NULL ? got : self->held[--self->count];
    }
}

static void release_cache(struct worker *self)
{
    if (self->cache != NULL)
        self->cache_pool->type->cache_release(self->cache);
    self->cache = NULL;
    self->cache_pool = NULL;
}

/* Another pool at this place. The old one ends when its last object comes back. */
static void renew(struct worker *self, struct place *place)
{
    struct pool *pool = new_pool(&self->random);
    pthread_rwlock_wrlock(&place->lock);
    struct pool *old = place->pool;
    place->pool = pool;
    pthread_rwlock_unlock(&place->lock);
    old->type->release(old->handle);
}

static void use_pool(struct worker *self, struct place *place, size_t what)
{
    pthread_rwlock_rdlock(&place->lock);
    struct pool *pool = place->pool;
    if (what < 8)
        alloc_some(self, pool);
    else if (what < 12)
        alloc_from_cache(self, pool);
    else if (what < 13)
        reserve_some(self, pool);
    else if (what < 14)
        check_stats(pool);
    else if (what < 15)
        check_owner(self, pool);
    else if (stress_chance(&self->random, 10) == 0)
        trim(pool);
    pthread_rwlock_unlock(&place->lock);
}

static void turn(size_t thread, uint64_t *random)
{
    struct worker *self = &workers[thread];
    struct place *place = &test.places[stress_chance(random, PLACES)];
    size_t what = stress_chance(random, 36);
    if (what < 16)
        use_pool(self, place, what);
    else if (what < 24)
        free_some(self);
    else if (what < 26)
        free_in_bulk(self);
    else if (what < 30)
        trade(self);
    else if (what < 32)
        release_cache(self);
    else if (what < 34) {
        vf_thread_flush();
        soak_count(&tallies[FLUSH], 1);
    } else if (stress_chance(random, 12) == 0)
        renew(self, place);
}

static void leave(size_t thread, uint64_t *random)
{
    struct worker *self = &workers[thread];
    (void)random;
    while (self->count > 0)
        free_some(self);
    release_cache(self);
}

static void open_round(uint64_t *random)
{
    atomic_store(&test.all, NULL);
    memset(test.parcels, 0, sizeof test.parcels);
    for (size_t i = 0; i < SOAK_THREADS; i++)
        workers[i] = (struct worker){.id = i + 1, .random = test_random(random)};
    for (size_t i = 0; i < PLACES; i++) {
        CHECK(pthread_rwlock_init(&test.places[i].lock, NULL) == 0);
        test.places[i].pool = new_pool(random);
    }
    for (size_t i = 0; i < PARCELS; i++)
        CHECK(pthread_mutex_init(&test.parcels[i].lock, NULL) == 0);
}

static void close_round(void)
{
    struct worker main_thread = {.random = stress_random_state(1000)};
    for (size_t i = 0; i < PARCELS; i++) {
        if (test.parcels[i].holding.pool != NULL)
            main_thread.held[main_thread.count++] = test.parcels[i].holding;
        pthread_mutex_destroy(&test.parcels[i].lock);
    }
    while (main_thread.count > 0)
        free_some(&main_thread);
    for (size_t i = 0; i < PLACES; i++) {
        struct pool *pool = test.places[i].pool;
        CHECK(pool->type->stats(pool->handle).live == 0);
        pool->type->trim(pool->handle); /* a batch that stays has lost a slot */
        CHECK(pool->max_objects != 0 || pool->type->stats(pool->handle).capacity == 0);
        pool->type->release(pool->handle);
        pthread_rwlock_destroy(&test.places[i].lock);
    }
    struct pool *next;
    for (struct pool *pool = atomic_load(&test.all); pool != NULL; pool = next) {
        next = pool->next;
        CHECK(atomic_load(&pool->memory.blocks) == 0 && atomic_load(&pool->memory.bytes) == 0);
        free(pool);
    }
}

const struct soak_part soak_pools = {
    .name = "pools",
    .weight = 8,
    .open = open_round,
    .turn = turn,
    .leave = leave,
    .close = close_round,
    .tallies = tallies,
};
