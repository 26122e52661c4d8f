/* SPDX-License-Identifier: MIT */
/*
 * pools.c - random programs on pools: two at a time, of all kinds, and those that were released and
 * have objects out; their beginnings and ends, and calls that need to be alone. The others are in
 * pool_calls.c.
 */
#include <sched.h>
#include <string.h>

#include "pool_types.h"

struct model model;

/* ---- pools ---- */

static const pool_type *choose_type(unsigned how)
{
    const pool_type *const types[] = {&dropping_type, &lined_type, &wide_type, &sized_type};
#ifdef VF_HAS_EPOCH
    if (how == 255 && program_byte(&model.options) % 16 == 0) /* seldom: it waits for readers */
        return &deferring_type;
#endif
    return types[how % 4];
}

/* Free slots hold what memory from the allocator does. */
static void purge(void *memory_context, void *memory, size_t size)
{
    (void)memory_context;
    memset(memory, 0xA5, size);
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
                               .purge = how % 4 == 0 ? purge : NULL};
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

/* ---- calls that need to be alone ---- */

struct visit {
    struct pool *pool;
    const struct thing *last;
    size_t count;
    bool by_address, frees;
};

static void visit(struct thing *thing, void *context)
{
    struct visit *visit = context;
    struct bag *bag = NULL;
    for (size_t i = 0; i < HANDS; i++) {
        if (thing->place < model.bags[i].count && model.bags[i].held[thing->place] == thing)
            bag = &model.bags[i];
    }
    CHECK(bag != NULL && thing->pool == visit->pool);
    CHECK(thing > visit->last || !visit->by_address);
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
    struct visit visitor = {.pool = pool, .by_address = true, .frees = it->how % 2 == 0};
    size_t held = pool->held;
    size_t refused = call_begin(&pool->memory);
    bool visited = pool->type->each(pool->handle, visit, &visitor);
    call_end(visited);
    CHECK(visitor.count == (visited ? held : 0));
    CHECK(visited || atomic_load(&pool->memory.refused) > refused);
}

static void walk(const instruction *it, struct pool *pool)
{
    struct visit visitor = {.pool = pool, .frees = it->how % 2 == 0};
    size_t held = pool->held;
    (void)call_begin(&pool->memory);
    pool->type->walk(pool->handle, it->how / 2 % 4 + 1, visit, &visitor);
    call_end(true);
    CHECK(visitor.count == held ||
          pool->type->handle_of != NULL); /* with handles, what is published */
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
    pool->released = true;
    pool->next = model.released;
    model.released = pool;
    model.pools[place] = NULL;
}

static void follow_alone(const instruction *it, struct pool *pool)
{
    if (it->what < 2)
        each(it, pool);
    else if (it->what < 4)
        walk(it, pool);
    else if (it->how % 16 == 0)
        destroy(it->place);
    else if (it->how % 8 == 1)
        release(it->place);
    else
        check_pool(pool);
}

void pools_follow(const instruction *it)
{
    if (pool_call_freeing(it))
        return;
    struct pool *pool = model.pools[it->place];
    if (pool == NULL && it->alone)
        new_pool(it->place);
    if (pool == NULL || pool->ending)
        return;
    if (it->what < 58)
        pool_call(it, pool);
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
