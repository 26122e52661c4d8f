/* SPDX-License-Identifier: MIT */
/*
 * pool_calls.c - the calls on pools that random programs make at any time, and the objects that
 * they give and take.
 */
#include <veryfast/sized.h>

#include "pools.h"

static struct bag *bag_of(unsigned hand)
{
    return &model.bags[(hand + model.first_bag) % HANDS];
}

/* ---- objects ---- */

void drop_thing(struct thing *thing)
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
    CHECK((uintptr_t)thing % pool->type->alignment == 0);
    atomic_store_explicit(&thing->owner, 1, memory_order_relaxed);
    thing->self = thing;
    thing->pool = pool;
    thing->place = bag->count;
    bag->held[bag->count++] = thing;
}

/* An object that is about to go back. */
struct thing *let_go(struct bag *bag, size_t place)
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

void expect_drop(struct pool *pool)
{
    if (pool->type->drops)
        atomic_fetch_add_explicit(&pool->drops, 1, memory_order_relaxed);
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

void free_one(const instruction *it)
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
        if (it->how % 4 == 2)
            vf_free(thing);
        else
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

/* ---- handles ---- */

/* The handle leads to the object until it is let go, and to nothing from then on. */
static void check_stale(const struct pool *pool, unsigned how)
{
    uint64_t stale = atomic_load(&pool->stale[how % STALE]);
    CHECK(pool->type->get(pool->handle, 0) == NULL);
    if (stale == 0)
        return;
    CHECK(pool->type->get(pool->handle, stale) == NULL);
    CHECK(pool->type->get(pool->handle, stale ^ UINT64_C(1) << 63) == NULL);
    CHECK(!pool->type->free_handle(pool->handle, stale));
}

/* What others have is theirs, and may go meanwhile. */
static void see_published(void *pool, struct thing *thing, uint64_t handle)
{
    (void)pool;
    CHECK(thing != NULL && handle != 0 && handle >> 63 == 0);
}

static bool free_by_handle(const struct pool *pool, uint64_t handle, bool deferred)
{
    return deferred ? pool->type->free_handle_deferred(pool->handle, handle)
                    : pool->type->free_handle(pool->handle, handle);
}

static void free_handle(const instruction *it)
{
    struct bag *bag = bag_of(it->hand);
    size_t place;
    if (!choose(bag, it->how, &place))
        return;
    struct pool *pool = bag->held[place]->pool;
    if (pool->type->handle_of == NULL || pool->ending || pool->released)
        return;
    check_stale(pool, it->how);
    uint64_t handle = pool->type->handle_of(pool->handle, bag->held[place]);
    CHECK(pool->type->handle_of(pool->handle, bag->held[place]) == handle);
    CHECK(pool->type->get(pool->handle, handle) == bag->held[place]);
    if (it->how % 4 == 0)
        pool->type->walk_published(pool->handle, see_published);
    if (it->how % 4 == 1)
        return; /* it stays published, and goes in another way */
    bool deferred = pool->type->free_handle_deferred != NULL && it->how % 4 == 2;
    struct thing *thing = let_go(bag, place);
    atomic_fetch_add(&pool->deferred, deferred);
    expect_drop(pool);
    if (free_by_handle(pool, handle, deferred)) {
        atomic_store(&pool->stale[it->how % STALE], handle);
        CHECK(pool->type->get(pool->handle, handle) == NULL);
        return;
    }
    CHECK(deferred && errno == EAGAIN && pool->type->get(pool->handle, handle) == thing);
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

void release_cache(struct bag *bag, unsigned place)
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

/* NULL wherever it may be given; a pool with the defaults lives here only. */
static void use_nulls(struct pool *pool, void *cache)
{
    const pool_type *type = pool->type;
    struct thing *nothing[2] = {NULL, NULL};
    (void)call_begin(&pool->memory);
    type->free(pool->handle, NULL);
    type->free_n(pool->handle, nothing, 2);
    type->free_n(pool->handle, nothing, 0);
    CHECK(type->free_deferred == NULL || type->free_deferred(pool->handle, NULL));
    CHECK(type->alloc_n(pool->handle, nothing, 0) == 0 && type->reserve(pool->handle, 0));
    if (cache != NULL)
        type->cache_free(cache, NULL);
    type->cache_release(NULL);
    type->release(NULL);
    type->destroy(NULL);
    void *other = type->new (NULL);
    CHECK(other != NULL);
    struct thing *thing = type->push(other, new_thing(pool));
    type->release(other);
    CHECK(thing != NULL && type->take(other, thing).pool == pool);
    call_end(true);
}

static void look(const instruction *it, struct pool *pool)
{
    const struct bag *bag = bag_of(it->hand);
    (void)pool->type->stats(pool->handle);
    if (it->how % 8 == 7)
        use_nulls(pool, bag->cache_pools[it->place] == pool ? bag->caches[it->place] : NULL);
}

static void trim(const instruction *it, struct pool *pool)
{
    size_t before = atomic_load(&pool->memory.bytes);
    (void)call_begin(&pool->memory);
    size_t bytes = pool->type->trim(pool->handle);
    call_end(true);
    size_t after = atomic_load(&pool->memory.bytes);
    /* in a checked build the quarantine goes to the depot first, which takes memory or trims, too
     */
    if (it->alone && pool->deferred == 0 && !IS_CHECKED)
        CHECK(bytes >= before - after); /* and pages that were dropped */
}

/* ---- which one ---- */

/* What a hand may do at any time, with its own objects, whatever becomes of the pools. */
bool pool_call_freeing(const instruction *it)
{
    if (it->what < 24)
        return false;
    if (it->what < 36)
        free_one(it);
    else if (it->what < 39)
        free_many(it);
    else if (it->what < 40)
        free_deferred(it);
    else if (it->what < 41)
        free_handle(it);
    else if (it->what < 42)
        vf_thread_flush();
    else if (it->what < 43)
        release_cache(bag_of(it->hand), it->place);
    else
        return false;
    return true;
}

void pool_call(const instruction *it, struct pool *pool)
{
    if (it->what < 16)
        alloc_one(it, pool);
    else if (it->what < 24)
        alloc_many(it, pool);
    else if (it->what < 48)
        alloc_from_cache(it, pool);
    else if (it->what < 50)
        reserve(it, pool);
    else if (it->what < 51)
        look(it, pool);
    else if (it->what < 52)
        check_owns(it, pool);
    else if (it->what < 54)
        trim(it, pool);
    else if (it->what < 55)
        epoch_barrier(it, pool);
    else
        fail_some(&pool->memory, it->how);
}
