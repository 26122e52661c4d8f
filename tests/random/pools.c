/*
 * pools.c - random programs on pools: two at a time, of all kinds, and those that were released and
 * have objects out. The model of a pool is who holds which of its objects.
 */
#include <sched.h>
#include <string.h>

#include "pool_types.h"

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
    bool ending; /* is released in this turn */
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

static struct {
    struct pool *pools[POOLS]; /* NULL: there was no memory for one */
    struct pool *released;
    struct bag bags[HANDS];
    unsigned first_bag; /* hand 0's */
    program_bytes options;
    unsigned ending; /* the place of the pool that is released in this turn */
} model;

static struct bag *bag_of(unsigned hand)
{
    return &model.bags[(hand + model.first_bag) % HANDS];
}

/* ---- objects ---- */

static void drop_thing(struct thing *thing)
{
    struct pool *pool = thing->pool;
    uint64_t owner = atomic_load_explicit(&thing->owner, memory_order_relaxed);
    CHECK(thing->self == thing && (owner != 0) == pool->destroying);
    atomic_store_explicit(&thing->owner, 0, memory_order_relaxed);
    atomic_fetch_add(&pool->dropped, 1);
}

static void check_thing(const struct thing *thing, const struct bag *bag, size_t place)
{
    CHECK(thing->self == thing && thing->place == place && thing->owner != 0);
    CHECK(bag->held[place] == thing);
}

static struct thing new_thing(struct pool *pool)
{
    return (struct thing){.owner = 1, .pool = pool};
}

/* An object that a call has given. */
static void take_in(struct bag *bag, struct pool *pool, struct thing *thing, bool pushed)
{
    size_t held = atomic_fetch_add_explicit(&pool->held, 1, memory_order_relaxed);
    CHECK(pool->max_objects == 0 || held < pool->max_objects);
    uint64_t owner = atomic_load_explicit(&thing->owner, memory_order_relaxed);
    CHECK(owner == (pushed ? 1 : 0) || owner == UINT64_C(0xA5A5A5A5A5A5A5A5));
    CHECK((uintptr_t)thing % (pool->type == &lined_type ? 64 : _Alignof(struct thing)) == 0);
    atomic_store_explicit(&thing->owner, 1, memory_order_relaxed);
    thing->self = thing;
    thing->pool = pool;
    thing->place = bag->count;
    bag->held[bag->count++] = thing;
}

/* An object that is about to go back. */
static struct thing *let_go(struct bag *bag, size_t place)
{
    struct thing *thing = bag->held[place];
    check_thing(thing, bag, place);
    struct thing *last = bag->held[--bag->count];
    bag->held[place] = last;
    last->place = place;
    thing->place = place;
    atomic_fetch_sub_explicit(&thing->pool->held, 1, memory_order_relaxed);
    atomic_store_explicit(&thing->owner, 0, memory_order_relaxed);
    return thing;
}

static void expect_drop(struct pool *pool)
{
    if (pool->type->drops)
        atomic_fetch_add_explicit(&pool->drops, 1, memory_order_relaxed);
}

/* ---- pools ---- */

static const pool_type *choose_type(unsigned how)
{
    const pool_type *const types[] = {&dropping_type, &lined_type, &wide_type};
#ifdef VF_HAS_EPOCH
    if (how == 255 && program_byte(&model.options) % 16 == 0) /* seldom: it waits for readers */
        return &deferring_type;
#endif
    return types[how % 3];
}

static void new_pool(unsigned place)
{
    const size_t cache_objects[] = {0, 0, 3, 100, VF_CACHE_NONE, 64, 1000, 1};
    struct pool *pool = calloc(1, sizeof *pool);
    CHECK(pool != NULL);
    pool->type = choose_type(program_byte(&model.options));
    unsigned how = program_byte(&model.options);
    unsigned cap = program_byte(&model.options);
    pool->max_objects = how < 64 ? 1 + 2 * cap : 0;
    vf_pool_options options = {.allocator = test_allocator_hook(&pool->memory),
                               .cache_objects = cache_objects[how % 8],
                               .max_objects = pool->max_objects,
                               .max_deferred = cap % 4 == 0 ? 1 + cap : 0,
                               .trim_factor = how % 64 < 8 ? 1 + how % 4 : 0};
    fail_some(&pool->memory, program_byte(&model.options));
    size_t refused = call_begin(&pool->memory);
    pool->handle = pool->type->new (&options);
    call_end(pool->handle != NULL);
    fail_no_more(&pool->memory);
    model.pools[place] = pool->handle != NULL ? pool : NULL;
    if (pool->handle != NULL)
        return;
    CHECK(atomic_load(&pool->memory.refused) > refused);
    CHECK(atomic_load(&pool->memory.blocks) == 0);
    free(pool);
}

static bool is_over(const struct pool *pool)
{
    return atomic_load(&pool->held) == 0 && atomic_load(&pool->caches) == 0;
}

/* A released pool whose objects and caches are back is gone, at once if nothing waits for readers.
   (Where a free was caught by the release it may be the thread's end that shows it.) */
static void forget_released(struct pool **link, bool ended)
{
    struct pool *pool = *link;
    while (ended && atomic_load(&pool->memory.bytes) != 0 && atomic_load(&pool->deferred) != 0)
        sched_yield();
    CHECK(!ended || atomic_load(&pool->memory.bytes) == 0);
    if (atomic_load(&pool->memory.bytes) != 0)
        return;
    CHECK(atomic_load(&pool->memory.blocks) == 0 && is_over(pool));
    CHECK(atomic_load(&pool->dropped) == atomic_load(&pool->drops));
    *link = pool->next;
    free(pool);
}

static void check_released(bool ended)
{
    for (struct pool **link = &model.released; *link != NULL;) {
        struct pool *pool = *link;
        bool at_once = is_over(pool) && !pool->ending && atomic_load(&pool->deferred) == 0;
        forget_released(link, at_once || ended);
        if (*link == pool)
            link = &pool->next;
    }
}

static void check_pool(struct pool *pool)
{
    size_t held = atomic_load(&pool->held);
    size_t deferred = atomic_load(&pool->deferred);
    vf_pool_stats stats = pool->type->stats(pool->handle);
    CHECK(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    CHECK(stats.live >= held && stats.live <= held + deferred);
    CHECK(stats.deferred <= deferred);
    CHECK(stats.peak >= stats.live);
    CHECK(stats.peak >= (pool->peak < stats.capacity ? pool->peak : stats.capacity));
    CHECK(stats.batch_objects == pool->type->batch_objects);
    CHECK(pool->max_objects != 0 ? stats.capacity <= pool->max_objects
                                 : stats.capacity == stats.batches * stats.batch_objects);
    pool->peak = stats.peak;
    if (deferred > 0)
        return;
    CHECK(stats.bytes == atomic_load(&pool->memory.bytes));
    CHECK(atomic_load(&pool->dropped) == atomic_load(&pool->drops));
}

void pools_check(void)
{
    for (unsigned i = 0; i < POOLS; i++) {
        struct pool *pool = model.pools[i];
        if (pool != NULL && pool->ending) { /* has been released */
            pool->next = model.released;
            model.released = pool;
            model.pools[i] = NULL;
        } else if (pool != NULL) {
            check_pool(pool);
        }
    }
    check_released(false);
}

/* ---- calls ---- */

/* So many objects were asked for, and got: may that be? */
static void check_given(const instruction *it, const struct pool *pool, size_t got, size_t wanted,
                        size_t refused)
{
    call_end(got == wanted);
    if (!it->alone || got == wanted || atomic_load(&pool->memory.refused) > refused)
        return;
    CHECK(pool->max_objects != 0);
    CHECK(pool->held + pool->deferred >= pool->max_objects);
}

static void alloc_one(const instruction *it, struct pool *pool)
{
    struct bag *bag = bag_of(it->hand);
    bool push = it->how % 2 == 0;
    if (bag->count == HELD)
        return;
    size_t refused = call_begin(&pool->memory);
    struct thing *thing =
        push ? pool->type->push(pool->handle, new_thing(pool)) : pool->type->alloc(pool->handle);
    int error = errno;
    if (thing != NULL)
        take_in(bag, pool, thing, push);
    errno = error;
    check_given(it, pool, thing != NULL, 1, refused);
}

static void alloc_many(const instruction *it, struct pool *pool)
{
    struct bag *bag = bag_of(it->hand);
    struct thing *things[BULK];
    size_t n = it->how % BULK;
    if (n > HELD - bag->count)
        n = HELD - bag->count;
    size_t refused = call_begin(&pool->memory);
    size_t got = pool->type->alloc_n(pool->handle, things, n);
    int error = errno;
    for (size_t i = 0; i < got; i++)
        take_in(bag, pool, things[i], false);
    errno = error;
    check_given(it, pool, got, n, refused);
}

/* An object of the hand's; false: there is none. */
static bool choose(struct bag *bag, unsigned how, size_t *place)
{
    *place = bag->count > 0 ? how % bag->count : 0;
    return bag->count > 0;
}

static void free_one(const instruction *it)
{
    struct bag *bag = bag_of(it->hand);
    size_t place;
    if (!choose(bag, it->how, &place))
        return;
    struct thing *thing = let_go(bag, place);
    struct pool *pool = thing->pool;
    void *cache = bag->cache_pools[it->place] == pool ? bag->caches[it->place] : NULL;
    (void)call_begin(&pool->memory);
    if (cache != NULL && it->how % 4 != 0) {
        expect_drop(pool);
        pool->type->cache_free(cache, thing);
    } else if (it->how % 4 == 1) {
        struct thing taken = pool->type->take(pool->handle, thing);
        CHECK(taken.self == thing);
    } else {
        expect_drop(pool);
        pool->type->free(pool->handle, thing);
    }
    call_end(true);
}

/* Of one pool, the last ones that the hand has, with NULL among them. */
static void free_many(const instruction *it)
{
    struct bag *bag = bag_of(it->hand);
    struct thing *things[BULK];
    size_t n = 0;
    size_t place;
    if (!choose(bag, it->how, &place))
        return;
    struct pool *pool = bag->held[place]->pool;
    for (size_t i = bag->count; i-- > 0 && n < it->how % BULK;) {
        if (bag->held[i]->pool != pool)
            continue;
        expect_drop(pool);
        things[n++] = let_go(bag, i);
        if (n % 16 == 15 && n < BULK)
            things[n++] = NULL;
    }
    if (n == 0)
        return;
    (void)call_begin(&pool->memory);
    pool->type->free_n(pool->handle, things, n);
    call_end(true);
}

static void free_deferred(const instruction *it)
{
    struct bag *bag = bag_of(it->hand);
    size_t place;
    if (!choose(bag, it->how, &place))
        return;
    struct pool *pool = bag->held[place]->pool;
    if (pool->type->free_deferred == NULL || pool->ending)
        return;
    struct thing *thing = let_go(bag, place);
    atomic_fetch_add(&pool->deferred, 1);
    expect_drop(pool);
    errno = EXDEV;
    if (pool->type->free_deferred(pool->handle, thing)) {
        CHECK(errno == EXDEV);
        return;
    }
    CHECK(errno == EAGAIN);
    atomic_fetch_sub(&pool->deferred, 1);
    atomic_fetch_sub(&pool->drops, 1);
    take_in(bag, pool, thing, false);
}

static void epoch_barrier(const instruction *it, struct pool *pool)
{
    if (pool->type->epoch_barrier == NULL || it->how % 8 != 0)
        return;
    pool->type->epoch_barrier(pool->handle);
    if (it->alone)
        atomic_store(&pool->deferred, 0);
}

static void alloc_from_cache(const instruction *it, struct pool *pool)
{
    struct bag *bag = bag_of(it->hand);
    size_t refused = call_begin(&pool->memory);
    if (bag->caches[it->place] == NULL) {
        void *cache = pool->type->cache_new(pool->handle);
        call_end(cache != NULL);
        CHECK(cache != NULL || !it->alone || atomic_load(&pool->memory.refused) > refused);
        if (cache == NULL)
            return;
        bag->caches[it->place] = cache;
        bag->cache_pools[it->place] = pool;
        atomic_fetch_add(&pool->caches, 1);
    }
    if (bag->cache_pools[it->place] != pool)
        return; /* a pool's that was here before */
    bool given = true;
    for (size_t n = it->how % 64; given && n > 0 && bag->count < HELD; n--) {
        refused = call_begin(&pool->memory);
        struct thing *thing = pool->type->cache_alloc(bag->caches[it->place]);
        given = thing != NULL;
        check_given(it, pool, given, 1, refused);
        if (given)
            take_in(bag, pool, thing, false);
    }
}

static void release_cache(struct bag *bag, unsigned place)
{
    struct pool *pool = bag->cache_pools[place];
    if (pool == NULL)
        return;
    (void)call_begin(&pool->memory);
    pool->type->cache_release(bag->caches[place]);
    call_end(true);
    bag->caches[place] = NULL;
    bag->cache_pools[place] = NULL;
    atomic_fetch_sub(&pool->caches, 1);
}

/* If it was alone, what was reserved can be had without the allocator. */
static void reserve(const instruction *it, struct pool *pool)
{
    struct bag *bag = bag_of(it->hand);
    size_t n = 2 * it->how;
    size_t refused = call_begin(&pool->memory);
    bool reserved = pool->type->reserve(pool->handle, n);
    call_end(reserved);
    if (!it->alone)
        return;
    CHECK(reserved || atomic_load(&pool->memory.refused) > refused ||
          (pool->max_objects != 0 && pool->held + pool->deferred + n > pool->max_objects));
    if (!reserved || n > HELD - bag->count)
        return;
    bool before = atomic_exchange(&pool->memory.refuse, true);
    for (size_t i = 0; i < n; i++) {
        struct thing *thing = pool->type->alloc(pool->handle);
        CHECK(thing != NULL);
        take_in(bag, pool, thing, false);
    }
    atomic_store(&pool->memory.refuse, before);
}

static void check_owns(const instruction *it, struct pool *pool)
{
    struct bag *bag = bag_of(it->hand);
    size_t place = 0;
    CHECK(!pool->type->owns(pool->handle, &place) && !pool->type->owns(pool->handle, NULL));
    if (!choose(bag, it->how, &place))
        return;
    struct thing *thing = bag->held[place];
    CHECK(pool->type->owns(pool->handle, thing) == (thing->pool == pool));
    CHECK(!pool->type->owns(pool->handle, (char *)thing + 1));
}

static void trim(const instruction *it, struct pool *pool)
{
    size_t before = atomic_load(&pool->memory.bytes);
    (void)call_begin(&pool->memory);
    size_t bytes = pool->type->trim(pool->handle);
    call_end(true);
    size_t after = atomic_load(&pool->memory.bytes); /* may be more: it needs magazines itself */
    if (it->alone && pool->deferred == 0)
        CHECK(bytes == (before > after ? before - after : 0));
}

/* ---- calls that need to be alone ---- */

struct visit {
    struct pool *pool;
    const struct thing *last;
    size_t count;
    bool frees;
};

static void visit(struct thing *thing, void *context)
{
    struct visit *visit = context;
    struct bag *bag = NULL;
    for (size_t i = 0; i < HANDS; i++) {
        if (thing->place < model.bags[i].count && model.bags[i].held[thing->place] == thing)
            bag = &model.bags[i];
    }
    CHECK(bag != NULL && thing->pool == visit->pool && thing > visit->last);
    visit->last = thing;
    visit->count++;
    if (visit->frees && visit->count % 3 == 0) {
        expect_drop(visit->pool);
        (void)let_go(bag, (size_t)thing->place);
        visit->pool->type->free(visit->pool->handle, thing);
    }
}

static void each(const instruction *it, struct pool *pool)
{
    struct visit visitor = {.pool = pool, .frees = it->how % 2 == 0};
    size_t held = pool->held;
    size_t refused = call_begin(&pool->memory);
    bool visited = pool->type->each(pool->handle, visit, &visitor);
    call_end(visited);
    CHECK(visitor.count == (visited ? held : 0));
    CHECK(visited || atomic_load(&pool->memory.refused) > refused);
}

/* Objects and caches of a pool that is gone. */
static void forget_things(const struct pool *pool)
{
    for (size_t i = 0; i < HANDS; i++) {
        struct bag *bag = &model.bags[i];
        for (size_t n = bag->count; n-- > 0;) {
            if (bag->held[n]->pool == pool)
                (void)let_go(bag, n);
        }
        for (unsigned place = 0; place < POOLS; place++) {
            if (bag->cache_pools[place] == pool) {
                bag->cache_pools[place] = NULL;
                bag->caches[place] = NULL;
            }
        }
    }
}

/* The objects are no longer there to be asked whose they are: they are counted out first, and
   marked as held again, for VF_DROP to see. */
static void destroy(unsigned place)
{
    struct pool *pool = model.pools[place];
    size_t held = pool->held;
    struct thing **things = calloc(held + 1, sizeof *things);
    CHECK(things != NULL);
    size_t n = 0;
    for (size_t i = 0; i < HANDS; i++) {
        for (size_t k = 0; k < model.bags[i].count; k++) {
            if (model.bags[i].held[k]->pool == pool)
                things[n++] = model.bags[i].held[k];
        }
    }
    CHECK(n == held);
    if (pool->type->epoch_barrier != NULL)
        pool->type->epoch_barrier(pool->handle); /* drops of both kinds do not meet */
    forget_things(pool);
    for (size_t i = 0; i < n; i++) {
        atomic_store_explicit(&things[i]->owner, 1, memory_order_relaxed);
        expect_drop(pool);
    }
    free(things);
    pool->destroying = true;
    pool->type->destroy(pool->handle);
    CHECK(atomic_load(&pool->memory.bytes) == 0 && atomic_load(&pool->memory.blocks) == 0);
    CHECK(atomic_load(&pool->dropped) == atomic_load(&pool->drops));
    free(pool);
    model.pools[place] = NULL;
}

static void release(unsigned place)
{
    struct pool *pool = model.pools[place];
    pool->type->release(pool->handle);
    pool->next = model.released;
    model.released = pool;
    model.pools[place] = NULL;
}

static void follow_alone(const instruction *it, struct pool *pool)
{
    if (it->what < 4)
        each(it, pool);
    else if (it->how % 16 == 0)
        destroy(it->place);
    else if (it->how % 8 == 1)
        release(it->place);
    else
        check_pool(pool);
}

/* What a hand may do at any time, with its own objects, whatever becomes of the pools. */
static bool follow_freeing(const instruction *it)
{
    if (it->what < 24)
        return false;
    if (it->what < 36)
        free_one(it);
    else if (it->what < 39)
        free_many(it);
    else if (it->what < 41)
        free_deferred(it);
    else if (it->what < 42)
        vf_thread_flush();
    else if (it->what < 43)
        release_cache(bag_of(it->hand), it->place);
    else
        return false;
    return true;
}

void pools_follow(const instruction *it)
{
    if (follow_freeing(it))
        return;
    struct pool *pool = model.pools[it->place];
    if (pool == NULL && it->alone)
        new_pool(it->place);
    if (pool == NULL || pool->ending)
        return;
    if (it->what < 16)
        alloc_one(it, pool);
    else if (it->what < 24)
        alloc_many(it, pool);
    else if (it->what < 48)
        alloc_from_cache(it, pool);
    else if (it->what < 50)
        reserve(it, pool);
    else if (it->what < 51)
        (void)pool->type->stats(pool->handle);
    else if (it->what < 52)
        check_owns(it, pool);
    else if (it->what < 54)
        trim(it, pool);
    else if (it->what < 55)
        epoch_barrier(it, pool);
    else if (it->what < 58)
        fail_some(&pool->memory, it->how);
    else if (it->alone)
        follow_alone(&(instruction){it->hand, true, it->place, it->what - 58, it->how}, pool);
}

/* ---- turns, beginning and end ---- */

void pools_turn(unsigned how)
{
    model.ending = how % POOLS;
    if (model.pools[model.ending] != NULL)
        model.pools[model.ending]->ending = true;
}

void pools_release(void)
{
    struct pool *pool = model.pools[model.ending];
    if (pool != NULL)
        pool->type->release(pool->handle);
}

void pools_rotate(void)
{
    model.first_bag++;
}

bool pools_may_fork(void)
{
    for (size_t i = 0; i < POOLS; i++) {
        if (model.pools[i] != NULL && model.pools[i]->type->free_deferred != NULL)
            return false;
    }
    for (struct pool *pool = model.released; pool != NULL; pool = pool->next) {
        if (pool->type->free_deferred != NULL)
            return false;
    }
    return true;
}

void pools_begin(program_bytes *bytes)
{
    memset(&model, 0, sizeof model);
    model.options = *bytes;
    bytes->at = bytes->end - bytes->at < 16 ? bytes->end : bytes->at + 16;
    new_pool(0);
    new_pool(1);
}

void pools_end(void)
{
    for (unsigned i = 0; i < HANDS; i++) {
        while (model.bags[i].count > 0)
            free_one(&(instruction){.hand = (i + HANDS - model.first_bag % HANDS) % HANDS});
        for (unsigned place = 0; place < POOLS; place++)
            release_cache(&model.bags[i], place);
    }
    vf_thread_flush();
    for (unsigned i = 0; i < POOLS; i++) {
        struct pool *pool = model.pools[i];
        if (pool == NULL)
            continue;
        if (pool->type->epoch_barrier != NULL)
            pool->type->epoch_barrier(pool->handle);
        atomic_store(&pool->deferred, 0);
        check_pool(pool);
        CHECK(pool->type->stats(pool->handle).live == 0);
        release(i);
    }
    check_released(true);
}
