/* SPDX-License-Identifier: MIT */
/*
 * test_failing_pool.c - a table of all calls on a pool: in each the k-th call of the allocator
 * fails, for every k, and then all from the k-th on.
 *
 * A call that fails says so and has changed nothing: the objects that are out are there with their
 * contents, the numbers are the same; it succeeds when it is tried again with memory. Those that
 * cannot fail do all that they do. (In a longer life: test_out_of_memory.c.)
 */
#include "support/threads.h"
#include "test_common.h"

#define VF_T    long
#define VF_N    50
#define VF_NAME longs
#define VF_HANDLE
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define MOST  1000
#define AHEAD 170 /* more than any free slots there are */

static test_allocator allocator;
static size_t fail_from; /* calls of the allocator from this one on fail; 0: none */

static void *failing_alloc(void *context, size_t size, size_t alignment)
{
    if (fail_from != 0 && allocator.calls + 1 >= fail_from)
        allocator.refuse = true;
    vf_allocator real = test_allocator_hook(context);
    return real.alloc(real.context, size, alignment);
}

static void real_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size, alignment);
}

/* ---- the model: who is out, each with its number ---- */

static vf_pool_options options;
static longs *pool;
static longs_cache *cache;
static long *out[MOST];
static size_t live;

static bool keep(long *object)
{
    if (object == NULL)
        return false;
    *object = (long)live;
    out[live++] = object;
    return true;
}

static long *let_go(void)
{
    cr_assert(*out[live - 1] == (long)live - 1);
    return out[--live];
}

static void check_objects(void)
{
    for (size_t i = 0; i < live; i++)
        cr_assert(*out[i] == (long)i, "object %zu has become %ld", i, *out[i]);
}

static void check_pool(void)
{
    vf_pool_stats stats = longs_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, live);
    check_objects();
}

/* ---- the calls; false: failed ---- */

static bool call_new(void)
{
    longs *other = longs_new(&options);
    longs_release(other);
    return other != NULL;
}

static bool call_alloc(void)
{
    return keep(longs_alloc(pool));
}

static bool call_push(void)
{
    return keep(longs_push(pool, 0));
}

/* All or none, though the pool has grown for those that it gave. */
static bool call_alloc_n(void)
{
    long *objects[AHEAD];
    size_t given = longs_alloc_n(pool, objects, AHEAD);
    int error = errno;
    for (size_t i = 0; i < given; i++) {
        if (given == AHEAD)
            (void)keep(objects[i]);
        else
            longs_free(pool, objects[i]);
    }
    errno = error;
    return given == AHEAD;
}

static bool call_free(void)
{
    if (live > 0)
        longs_free(pool, let_go());
    return true;
}

static bool call_take(void)
{
    if (live > 0)
        cr_assert(longs_take(pool, let_go()) == (long)live);
    return true;
}

static bool call_free_n(void)
{
    live /= 2;
    longs_free_n(pool, out + live, live);
    return true;
}

/* What was reserved can be had while there is no memory. */
static bool call_reserve(void)
{
    if (!longs_reserve(pool, AHEAD))
        return false;
    bool before = atomic_exchange(&allocator.refuse, true);
    for (size_t i = 0; i < AHEAD; i++)
        cr_assert(call_alloc());
    atomic_store(&allocator.refuse, before);
    return true;
}

static bool call_stats(void)
{
    check_equal(longs_stats(pool).live, live);
    return true;
}

static bool call_owns(void)
{
    long stranger = 0;
    cr_assert(!longs_owns(pool, &stranger));
    for (size_t i = 0; i < live; i++)
        cr_assert(longs_owns(pool, out[i]));
    return true;
}

static void count_one(long *object, void *count)
{
    cr_assert(*object >= 0 && *object < (long)live);
    ++*(size_t *)count;
}

static bool call_each(void)
{
    size_t count = 0;
    bool visited = longs_each(pool, count_one, &count);
    check_equal(count, visited ? live : 0);
    return visited;
}

static void publish_all(void)
{
    for (size_t i = 0; i < live; i++)
        cr_assert(longs_get(pool, longs_handle_of(pool, out[i])) == out[i]);
}

/* None of it needs memory. */
static bool call_walk(void)
{
    size_t count = 0;
    publish_all();
    for (size_t part = 0; part < 2; part++) {
        longs_walk walk = part == 0 ? longs_walk_begin(pool) : longs_walk_part(pool, 1, 2);
        longs_walk other = part == 0 ? walk : longs_walk_part(pool, 0, 2);
        for (long *object; (object = longs_walk_next(&walk)) != NULL;)
            count_one(object, &count);
        for (long *object; part == 1 && (object = longs_walk_next(&other)) != NULL;)
            count_one(object, &count);
        longs_walk_end(&walk);
    }
    check_equal(count, 2 * live);
    return true;
}

static bool call_handles(void)
{
    size_t count = 0;
    publish_all();
    longs_walk walk = longs_walk_begin(pool);
    for (; longs_walk_next(&walk) != NULL; count++)
        cr_assert(longs_get(pool, longs_walk_handle(&walk)) != NULL);
    check_equal(count, live);
    return true;
}

static bool call_free_handle(void)
{
    if (live == 0)
        return true;
    longs_handle handle = longs_handle_of(pool, out[live - 1]);
    cr_assert(longs_free_handle(pool, handle));
    live--;
    cr_assert(longs_get(pool, handle) == NULL && !longs_free_handle(pool, handle));
    return true;
}

static bool call_trim(void)
{
    size_t before = allocator.bytes;
    size_t bytes = longs_trim(pool);
    cr_assert(before < bytes || allocator.bytes >= before - bytes);
    return true;
}

static bool call_flush(void)
{
    vf_thread_flush();
    return true;
}

static bool call_cache_new(void)
{
    longs_cache *other = longs_cache_new(pool);
    longs_cache_release(other);
    return other != NULL;
}

static bool call_cache_alloc(void)
{
    return cache == NULL || keep(longs_cache_alloc(cache));
}

static bool call_cache_free(void)
{
    if (cache != NULL && live > 0)
        longs_cache_free(cache, let_go());
    return true;
}

static bool call_cache_release(void)
{
    longs_cache_release(cache);
    cache = NULL;
    return true;
}

/* The last object takes the pool with it. */
static bool call_release(void)
{
    call_cache_release();
    longs_release(pool);
    check_objects();
    while (live > 0)
        longs_free(pool, let_go());
    pool = NULL;
    return true;
}

static bool call_destroy(void)
{
    longs_destroy(pool);
    pool = NULL;
    cache = NULL;
    live = 0;
    return true;
}

#ifdef VF_HAS_EPOCH
static bool call_free_deferred(void)
{
    if (live == 0 || longs_free_deferred(pool, out[live - 1])) {
        live -= live > 0;
        longs_epoch_barrier(pool);
        return true;
    }
    cr_assert(errno == EAGAIN);
    errno = ENOMEM; /* as the others have it */
    return false;
}

static bool call_free_handle_deferred(void)
{
    if (live == 0)
        return true;
    longs_handle handle = longs_handle_of(pool, out[live - 1]);
    if (longs_free_handle_deferred(pool, handle)) {
        live--;
        cr_assert(longs_get(pool, handle) == NULL);
        longs_epoch_barrier(pool);
        return true;
    }
    cr_assert(errno == EAGAIN && longs_get(pool, handle) == out[live - 1]);
    errno = ENOMEM;
    return false;
}

static bool call_epoch_barrier(void)
{
    longs_epoch_barrier(pool);
    return true;
}
#endif

static const struct entry {
    const char *name;
    bool (*call)(void);
    bool may_fail;
} entries[] = {
    {"new", call_new, true},
    {"alloc", call_alloc, true},
    {"push", call_push, true},
    {"free", call_free, false},
    {"take", call_take, false},
    {"alloc_n", call_alloc_n, true},
    {"free_n", call_free_n, false},
    {"reserve", call_reserve, true},
    {"stats", call_stats, false},
    {"owns", call_owns, false},
    {"each", call_each, true},
    {"walk", call_walk, false},
    {"handle_of", call_handles, false},
    {"free_handle", call_free_handle, false},
    {"trim", call_trim, false},
    {"vf_thread_flush", call_flush, false},
    {"cache_new", call_cache_new, true},
    {"cache_alloc", call_cache_alloc, true},
    {"cache_free", call_cache_free, false},
    {"cache_release", call_cache_release, false},
    {"release", call_release, false},
    {"destroy", call_destroy, false},
#ifdef VF_HAS_EPOCH
    {"free_deferred", call_free_deferred, true},
    {"free_handle_deferred", call_free_handle_deferred, true},
    {"epoch_barrier", call_epoch_barrier, false},
#endif
};

/* ---- states of a pool, before the call ---- */

static void *push_some(void *unused)
{
    for (size_t i = 0; i < 130; i++)
        CHECK(keep(longs_push(pool, 0)));
    return unused;
}

static void nothing_was_done(void)
{
}

static void every_slot_is_out(void)
{
    CHECK(keep(longs_alloc(pool)) && (cache = longs_cache_new(pool)) != NULL);
    allocator.refuse = true;
    while (keep(longs_alloc(pool)) || keep(longs_cache_alloc(cache))) {
    }
    allocator.refuse = false;
    errno = EXDEV;
}

static void some_were_freed(void)
{
    push_some(NULL);
    CHECK((cache = longs_cache_new(pool)) != NULL);
    for (size_t i = 0; i < 20; i++)
        CHECK(keep(longs_cache_alloc(cache)));
    for (size_t i = 0; i < 80; i++)
        (void)(i % 8 == 0 ? call_cache_free() : call_free());
}

/* This one has not used it yet. */
static void by_another_thread(void)
{
    void *none = NULL;
    test_run_threads(1, push_some, &none);
}

static void (*const states[])(void) = {nothing_was_done, every_slot_is_out, some_were_freed,
                                       by_another_thread};

/* ---- running them ---- */

/* Nobody can tell that there was a call. What the pool has got for threads that use it, and for
   its lists, it may keep. */
static void check_unchanged(const vf_pool_stats *before, size_t before_live, bool in_parts)
{
    vf_pool_stats now = longs_stats(pool);
    check_equal(live, before_live);
    check_equal(now.live, before->live);
    if (!in_parts) {
        check_equal(now.capacity, before->capacity);
        check_equal(now.batches, before->batches);
        check_equal(now.cached + now.depot + now.fresh,
                    before->cached + before->depot + before->fresh);
    }
}

/* Once with a failure at, or from, the k-th call of the allocator. True if there is one. */
static bool run(const struct entry *entry, void (*state)(void), size_t k, bool from,
                size_t *failures)
{
    allocator = (test_allocator){0};
    fail_from = live = 0;
    cache = NULL;
    cr_assert((pool = longs_new(&options)) != NULL);
    state();
    vf_pool_stats before = longs_stats(pool);
    size_t before_live = live;
    size_t last = allocator.calls + k;
    fail_from = from ? last : 0;
    atomic_store(&allocator.fail_at, from ? 0 : last);
    errno = EXDEV;
    bool success = entry->call();
    int error = errno;
    bool reached = allocator.calls >= last;
    fail_from = 0;
    atomic_store(&allocator.fail_at, 0);
    allocator.refuse = false;
    cr_assert(error == (success ? EXDEV : ENOMEM), "%s: errno is %d", entry->name, error);
    cr_assert(success || entry->may_fail, "%s has failed", entry->name);
    if (!success) {
        ++*failures;
        check_unchanged(&before, before_live, entry->call == call_alloc_n);
        check_pool();
        cr_assert(entry->call(), "%s fails with memory, too", entry->name);
    }
    if (pool != NULL) {
        check_pool();
        call_release();
    }
    check_all_back(&allocator);
    return reached;
}

/* How often it has failed. */
static size_t run_entry(const struct entry *entry)
{
    size_t failures = 0;
    for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
        for (size_t k = 1; run(entry, states[s], k, false, &failures); k++) {
        }
        for (size_t k = 1; run(entry, states[s], k, true, &failures); k++) {
        }
    }
    return failures;
}

Test(failing_pool, every_call_fails_at_every_k_or_does_without)
{
    static const struct {
        size_t cache_objects, max_objects;
    } kinds[] = {{0, 0}, {3, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        size_t failures = 0;
        for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
            options = (vf_pool_options){.allocator = {failing_alloc, real_dealloc, &allocator},
                                        .cache_objects = kinds[kind].cache_objects,
                                        .max_objects = kinds[kind].max_objects};
            failures += run_entry(&entries[i]);
        }
        cr_assert((failures > 0) == entries[i].may_fail, "%s has failed %zu times", entries[i].name,
                  failures);
    }
}
