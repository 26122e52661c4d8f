/* SPDX-License-Identifier: MIT */
/*
 * stress_remote_free.c - what one thread allocates another one frees.
 *
 *     thread 0 --- parcel of stamped objects ---> places [ . p . p . . ] ---> thread 3 frees them
 *
 * Threads claim each object by compare-and-swap on an owner word, so that an object that is handed
 * out twice at once is seen at once; stamp its contents; and hand it over. The one who gets it
 * checks the stamp and frees it. Objects of 1 byte (their owner words are in a table beside), 8
 * and 64 bytes; one by one, in bulk, by P_take, and through caches held by the caller.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "allocator.h"
#include "any_pool.h"
#include "stress.h"

typedef unsigned char byte;
struct word {
    _Atomic uint64_t owner;
};
struct line {
    _Atomic uint64_t owner;
    uint64_t contents[7];
};

#define VF_T byte
#define VF_N 4096
#include <veryfast/pool.h>
#define VF_T struct word
#define VF_N 512
#include <veryfast/pool.h>
#define VF_T struct line
#define VF_N 64
#include <veryfast/pool.h>

ANY_POOL(pool_byte_4096, byte, 4096);
ANY_POOL(pool_word_512, struct word, 512);
ANY_POOL(pool_line_64, struct line, 64);

#define THREADS 4
#define PLACES  16
#define PARCEL  40
#define HELD    300

/* Memory whose every byte has a word in a table beside it. Given out once, never again. */
#define ARENA_BYTES ((size_t)1 << 24)
static struct {
    _Alignas(4096) char bytes[ARENA_BYTES];
    _Atomic uint64_t owners[ARENA_BYTES];
    atomic_size_t used;
    atomic_size_t blocks;
} arena;

static void *arena_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    size_t begin = atomic_load(&arena.used);
    size_t aligned;
    do {
        aligned = (begin + alignment - 1) / alignment * alignment;
        CHECK(aligned + size <= ARENA_BYTES);
    } while (!atomic_compare_exchange_weak(&arena.used, &begin, aligned + size));
    atomic_fetch_add(&arena.blocks, 1);
    return arena.bytes + aligned;
}

static void arena_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context, (void)memory, (void)size, (void)alignment;
    atomic_fetch_sub(&arena.blocks, 1);
}

struct parcel {
    size_t n;
    void *objects[PARCEL];
    uint64_t stamps[PARCEL];
};

struct trial {
    const any_pool_type *type;
    void *pool;
    _Atomic(struct parcel *) places[PLACES];
    atomic_size_t undelivered; /* parcels that consumers are still to get */
    atomic_size_t done;        /* threads that keep nothing any more */
    size_t turns;
};

struct worker {
    struct trial *trial;
    uint64_t id; /* 1 ... */
    uint64_t random;
    uint64_t count; /* of stamps */
    void *cache;    /* held, or NULL */
    size_t allocated, freed_own, freed_others, migrated;
};

static _Atomic uint64_t *owner_word(const any_pool_type *type, void *object)
{
    if (type->size == 1)
        return &arena.owners[(char *)object - arena.bytes];
    return object;
}

/* Sets the contents apart from the owner word: plain stores, which must be ordered by others. */
static void write_contents(const any_pool_type *type, void *object, uint64_t stamp)
{
    if (type->size == 1) {
        *(byte *)object = (byte)stamp;
    } else if (type->size == sizeof(struct line)) {
        for (uint64_t i = 0; i < 7; i++)
            ((struct line *)object)->contents[i] = stamp * (2 * i + 1);
    }
}

static void check_contents(const any_pool_type *type, void *object, uint64_t stamp)
{
    if (type->size == 1) {
        CHECK(*(byte *)object == (byte)stamp);
    } else if (type->size == sizeof(struct line)) {
        for (uint64_t i = 0; i < 7; i++)
            CHECK(((struct line *)object)->contents[i] == stamp * (2 * i + 1));
    }
}

static uint64_t stamp_of(uint64_t thread, uint64_t count)
{
    return thread << 48 | count;
}

static uint64_t thread_of(uint64_t stamp)
{
    return stamp >> 48;
}

static uint64_t claim(struct worker *self, void *object)
{
    const any_pool_type *type = self->trial->type;
    uint64_t stamp = stamp_of(self->id, ++self->count);
    stress_claim(owner_word(type, object), stamp);
    write_contents(type, object, stamp);
    self->allocated++;
    return stamp;
}

static void disclaim(struct worker *self, void *object, uint64_t stamp)
{
    const any_pool_type *type = self->trial->type;
    check_contents(type, object, stamp);
    stress_disclaim(owner_word(type, object), stamp);
    if (thread_of(stamp) == self->id)
        self->freed_own++;
    else
        self->freed_others++;
}

static void fill(struct worker *self, struct parcel *p)
{
    struct trial *trial = self->trial;
    p->n = 1 + stress_chance(&self->random, PARCEL);
    size_t way = stress_chance(&self->random, 3);
    if (way == 0) {
        CHECK(trial->type->alloc_n(trial->pool, p->objects, p->n) == p->n);
    } else {
        for (size_t i = 0; i < p->n; i++) {
            p->objects[i] = way == 1 && self->cache != NULL ? trial->type->cache_alloc(self->cache)
                                                            : trial->type->alloc(trial->pool);
            CHECK(p->objects[i] != NULL);
        }
    }
    for (size_t i = 0; i < p->n; i++)
        p->stamps[i] = claim(self, p->objects[i]);
}

static void free_one(struct worker *self, void *object)
{
    struct trial *trial = self->trial;
    size_t way = stress_chance(&self->random, 4);
    if (way == 0 && self->cache != NULL)
        trial->type->cache_free(self->cache, object);
    else if (way == 1)
        trial->type->take(trial->pool, object);
    else
        trial->type->free(trial->pool, object);
}

static void empty(struct worker *self, struct parcel *p)
{
    struct trial *trial = self->trial;
    for (size_t i = 0; i < p->n; i++)
        disclaim(self, p->objects[i], p->stamps[i]);
    if (stress_chance(&self->random, 2) == 0) {
        trial->type->free_n(trial->pool, p->objects, p->n);
    } else {
        for (size_t i = 0; i < p->n; i++)
            free_one(self, p->objects[i]);
    }
    p->n = 0;
}

static struct parcel *parcel_new(void)
{
    struct parcel *p = calloc(1, sizeof *p);
    CHECK(p != NULL);
    return p;
}

/* Every thread allocates, hands over, and frees what it finds. */
static void *trade(void *context)
{
    struct worker *self = context;
    struct trial *trial = self->trial;
    struct parcel *p = NULL;
    for (size_t turn = 0; turn < trial->turns; turn++) {
        if (p == NULL)
            p = parcel_new();
        fill(self, p);
        p = atomic_exchange(&trial->places[stress_chance(&self->random, PLACES)], p);
        if (p != NULL)
            empty(self, p);
    }
    free(p);
    return NULL;
}

/* Only allocates: what it gets, others have freed, and only the depot can have brought it here. */
static void *produce(void *context)
{
    struct worker *self = context;
    struct trial *trial = self->trial;
    for (size_t turn = 0; turn < trial->turns; turn++) {
        struct parcel *p = parcel_new();
        fill(self, p);
        for (;;) {
            struct parcel *none = NULL;
            size_t place = stress_chance(&self->random, PLACES);
            if (atomic_compare_exchange_strong(&trial->places[place], &none, p))
                break;
            sched_yield();
        }
    }
    return NULL;
}

/* Only frees. */
static void *consume(void *context)
{
    struct worker *self = context;
    struct trial *trial = self->trial;
    while (atomic_load(&trial->undelivered) > 0) {
        size_t place = stress_chance(&self->random, PLACES);
        struct parcel *p = atomic_exchange(&trial->places[place], NULL);
        if (p == NULL) {
            sched_yield();
            continue;
        }
        atomic_fetch_sub(&trial->undelivered, 1);
        empty(self, p);
        free(p);
    }
    return NULL;
}

/* An object keeps its contents between free and alloc: whose was it before? */
static void note_former_owner(struct worker *self, void *object)
{
    if (self->trial->type->size != sizeof(struct line))
        return;
    uint64_t former = thread_of(((struct line *)object)->contents[0]);
    if (former >= 1 && former <= THREADS && former != self->id)
        self->migrated++;
}

/* The last to be done gets what the others have freed, whoever of them ran beside whom. */
static void take_over(struct worker *self)
{
    struct trial *trial = self->trial;
    void *objects[THREADS * HELD];
    /* relaxed: it is the library that orders their use of an object before this one's */
    if (atomic_fetch_add_explicit(&trial->done, 1, memory_order_relaxed) < THREADS - 1)
        return;
    CHECK(trial->type->alloc_n(trial->pool, objects, THREADS * HELD) == THREADS * HELD);
    for (size_t i = 0; i < THREADS * HELD; i++) {
        note_former_owner(self, objects[i]);
        disclaim(self, objects[i], claim(self, objects[i]));
    }
    trial->type->free_n(trial->pool, objects, THREADS * HELD);
}

/* Each thread frees what it allocated, and nothing is handed over: all that orders one thread's
   use of an object before another's is the library. */
static void *keep(void *context)
{
    struct worker *self = context;
    struct trial *trial = self->trial;
    void *objects[HELD];
    uint64_t stamps[HELD];
    size_t held = 0;
    for (size_t turn = 0; turn < trial->turns; turn++) {
        size_t wanted = stress_chance(&self->random, HELD + 1);
        for (; held < wanted; held++) {
            objects[held] = trial->type->alloc(trial->pool);
            CHECK(objects[held] != NULL);
            note_former_owner(self, objects[held]);
            stamps[held] = claim(self, objects[held]);
        }
        while (held > wanted) {
            held--;
            disclaim(self, objects[held], stamps[held]);
            free_one(self, objects[held]);
        }
        if (stress_chance(&self->random, 16) == 0)
            vf_thread_flush();
    }
    for (size_t i = 0; i < held; i++)
        disclaim(self, objects[i], stamps[i]);
    trial->type->free_n(trial->pool, objects, held);
    vf_thread_flush();
    take_over(self);
    return NULL;
}

static void drain(struct worker *self)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct parcel *p = atomic_exchange(&self->trial->places[i], NULL);
        if (p != NULL)
            empty(self, p);
        free(p);
    }
}

struct scene {
    const char *what;
    void *(*even)(void *); /* what threads 0, 2, ... do */
    void *(*odd)(void *);
    size_t turns;
};

/* Threads with a cache of their own in hand: half of them, where the trial has any. */
static void prepare(struct worker workers[], struct trial *trial, bool caches)
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.trial = trial, .id = i + 1, .random = stress_random_state(i)};
        if (caches && i < THREADS / 2)
            CHECK((workers[i].cache = trial->type->cache_new(trial->pool)) != NULL);
    }
}

static void check_progress(const struct scene *scene, const struct trial *trial,
                           const struct worker workers[])
{
    size_t allocated = 0;
    size_t others = 0;
    size_t migrated = 0;
    for (size_t i = 0; i < THREADS; i++) {
        allocated += workers[i].allocated;
        others += workers[i].freed_others;
        migrated += workers[i].migrated;
    }
    if (scene->even == keep) {
        CHECK(trial->type->size != sizeof(struct line) || migrated > 0);
    } else {
        CHECK(others > 0);
    }
    /* what producers got again came by the depot, from those who freed it */
    if (scene->even == produce)
        CHECK(others == allocated && allocated > 2 * trial->type->stats(trial->pool).capacity);
}

static void run(const struct scene *scene, const any_pool_type *type, size_t cache_objects,
                bool caches)
{
    test_allocator allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = cache_objects};
    if (type->size == 1)
        options.allocator = (vf_allocator){arena_alloc, arena_dealloc, NULL};
    struct trial trial = {.type = type, .pool = type->create(&options), .turns = scene->turns};
    CHECK(trial.pool != NULL);
    atomic_store(&trial.undelivered, THREADS / 2 * scene->turns);

    struct worker workers[THREADS];
    prepare(workers, &trial, caches);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, i % 2 == 0 ? scene->even : scene->odd,
                             &workers[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    drain(&workers[0]);
    check_progress(scene, &trial, workers);

    for (size_t i = 0; i < THREADS; i++)
        type->cache_release(workers[i].cache);
    CHECK(type->stats(trial.pool).live == 0);
    type->release(trial.pool);
    CHECK(atomic_load(&allocator.blocks) == 0 && atomic_load(&arena.blocks) == 0);
    atomic_store(&arena.used, 0);
}

int main(void)
{
    stress_begin("stress_remote_free");
    const struct scene scenes[] = {
        {"every thread allocates and frees", trade, trade, stress_count(8000, 1200)},
        {"two only allocate, two only free", produce, consume, stress_count(8000, 3000)},
        {"nothing is handed over but through the depot", keep, keep, stress_count(1500, 200)},
    };
    const any_pool_type *types[] = {&any_pool_byte_4096, &any_pool_word_512, &any_pool_line_64};
    const size_t cache_objects[] = {0, 24, VF_CACHE_NONE};
    for (size_t s = 0; s < sizeof scenes / sizeof *scenes; s++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (size_t c = 0; c < sizeof cache_objects / sizeof *cache_objects; c++) {
                run(&scenes[s], types[t], cache_objects[c], false);
                run(&scenes[s], types[t], cache_objects[c], true);
            }
        }
        stress_passed(scenes[s].what);
    }
    return stress_end();
}
