/* SPDX-License-Identifier: MIT */
/*
 * test_handle.c - what handles lead to: while an object lives, through each way to free it, and
 * ever after; and what walks give that go by them. Built for a checked build, and with VF_BYPASS,
 * too (checked/).
 */
#include "support/threads.h"
#include "test_common.h"

struct unit;
static void unit_drop(struct unit *unit);
struct unit {
    uint64_t number;
    char more[40];
};

#define VF_T       struct unit
#define VF_N       100
#define VF_NAME    units
#define VF_DROP(p) unit_drop(p)
#define VF_HANDLE
#include <veryfast/detail/pool_free.h>
#include <veryfast/pool.h>

#define VF_T    uint64_t
#define VF_N    64
#define VF_NAME plain_units
#define VF_HANDLE
#include <veryfast/pool.h>

static test_allocator allocator;
static units *pool;
static size_t drops;
static units_handle dropping; /* is asked for while its object is dropped */

static void unit_drop(struct unit *unit)
{
    drops++;
    if (dropping.bits != 0)
        cr_assert(units_get(pool, dropping) == NULL, "found in its VF_DROP: %p", (void *)unit);
}

/* Pools of each kind: with caches, without, and with a cap. */
enum { KINDS = 3, CAP = 5000 };

static void open_kind(int kind)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    if (kind == 1)
        options.cache_objects = VF_CACHE_NONE;
    if (kind == 2)
        options.max_objects = CAP;
    pool = units_new(&options);
    cr_assert(pool != NULL);
    drops = 0;
    dropping = (units_handle){0};
}

static void close_kind(void)
{
    units_destroy(pool);
    check_all_back(&allocator);
}

static struct unit *push(uint64_t number)
{
    struct unit *unit = units_push(pool, (struct unit){.number = number});
    cr_assert(unit != NULL);
    return unit;
}

static units_handle publish(uint64_t number)
{
    return units_handle_of(pool, push(number));
}

/* ---- one object ---- */

Test(handle, leads_to_its_object_while_that_is_there)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        struct unit *unit = push(7);
        units_handle handle = units_handle_of(pool, unit);
        cr_assert(handle.bits != 0);
        check_equal(units_handle_of(pool, unit).bits, handle.bits);
        cr_assert(units_get(pool, handle) == unit);
        units_free(pool, unit);
        cr_assert(units_get(pool, handle) == NULL);
        cr_assert(!units_free_handle(pool, handle));
        struct unit *next = push(8); /* in the same slot, most likely */
        cr_assert(units_get(pool, handle) == NULL);
        units_handle other = units_handle_of(pool, next);
        cr_assert(other.bits != handle.bits);
        cr_assert(units_get(pool, other) == next && units_get(pool, handle) == NULL);
        close_kind();
    }
}

static void free_by_take(struct unit *unit)
{
    check_equal(units_take(pool, unit).number, 1);
}
static void free_by_free_n(struct unit *unit)
{
    struct unit *const some[] = {NULL, unit, NULL};
    units_free_n(pool, some, 3);
}
static void free_by_free_n_alone(struct unit *unit)
{
    units_free_n(pool, &unit, 1);
}
static void free_by_free(struct unit *unit)
{
    units_free(pool, unit);
}
static void free_by_vf_free(struct unit *unit)
{
    vf_free(unit);
}
static void free_by_cache(struct unit *unit)
{
    units_cache *cache = units_cache_new(pool);
    units_cache_free(cache, unit);
    units_cache_release(cache);
}
static void free_by_handle(struct unit *unit)
{
    cr_assert(units_free_handle(pool, units_handle_of(pool, unit)));
}

static void (*const frees[])(struct unit *unit) = {
    free_by_take,  free_by_free_n, free_by_free,        free_by_vf_free,
    free_by_cache, free_by_handle, free_by_free_n_alone};
enum { FREES = sizeof frees / sizeof *frees };

Test(handle, each_free_ends_it_before_the_drop)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < FREES; i++) {
            open_kind(kind);
            struct unit *unit = push(1);
            units_handle handle = dropping = units_handle_of(pool, unit);
            frees[i](unit);
            check_equal(drops, i == 0 ? 0 : 1);
            cr_assert(units_get(pool, handle) == NULL);
            close_kind();
        }
        open_kind(kind);
        dropping = publish(1);
        close_kind();
        check_equal(drops, 1);
    }
}

Test(handle, of_several_frees_by_it_one_is_done)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        units_handle handle = publish(1);
        cr_assert(units_free_handle(pool, handle));
        cr_assert(!units_free_handle(pool, handle));
        units_handle next = publish(2);
        cr_assert(!units_free_handle(pool, handle));
        check_equal(drops, 1);
        cr_assert(units_free_handle(pool, next));
        check_equal(drops, 2);
        close_kind();
    }
}

/* ---- handles that never were ---- */

Test(handle, made_up_ones_lead_nowhere)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        cr_assert(units_get(pool, (units_handle){0}) == NULL);
        cr_assert(units_get(pool, (units_handle){UINT64_MAX}) == NULL);
        struct unit *unpublished = push(1);
        units_handle gone = publish(2), live = publish(3);
        struct unit *object = units_get(pool, live);
        units_free_handle(pool, gone);
        for (uint64_t number = 0; number < 300; number++) {
            for (uint64_t generation = 0; generation < 10; generation++) {
                units_handle made_up = {number << 31 | generation};
                struct unit *found = units_get(pool, made_up);
                cr_assert(found == (made_up.bits == live.bits ? object : NULL));
                if (made_up.bits != live.bits)
                    cr_assert(!units_free_handle(pool, made_up));
            }
        }
        for (unsigned bit = 0; bit < 64; bit++)
            cr_assert(units_get(pool, (units_handle){live.bits ^ UINT64_C(1) << bit}) == NULL);
        units_free(pool, unpublished);
        close_kind();
    }
}

/* ---- many, through free, trim and regrowth ---- */

enum { MANY = 3000, TURNS = 6 };
static units_handle handles[TURNS][MANY];
static struct unit *objects[MANY];

Test(handle, stale_ones_lead_nowhere_through_trim_and_regrowth)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        for (size_t turn = 0; turn < TURNS; turn++) {
            for (size_t i = 0; i < MANY; i++) {
                objects[i] = push(i);
                handles[turn][i] = units_handle_of(pool, objects[i]);
            }
            for (size_t i = 0; i < MANY; i++) {
                cr_assert(units_get(pool, handles[turn][i]) == objects[i]);
                for (size_t before = 0; before < turn; before++)
                    cr_assert(units_get(pool, handles[before][i]) == NULL);
            }
            units_free_n(pool, objects, MANY);
            if (turn % 2 == 0)
                units_trim(pool);
            for (size_t i = 0; i < MANY; i++)
                cr_assert(units_get(pool, handles[turn][i]) == NULL);
        }
        close_kind();
    }
}

/* What a program gets does not depend on addresses. */
Test(handle, the_same_calls_give_the_same_handles)
{
    static uint64_t bits[2][MANY];
    for (int kind = 0; kind < KINDS; kind++) {
        for (int run = 0; run < 2; run++) {
            void *shifts_addresses = malloc(12345 * (size_t)run + 1);
            uint64_t random = 1;
            open_kind(kind);
            for (size_t i = 0; i < MANY; i++) {
                objects[i] = push(i);
                bits[run][i] = units_handle_of(pool, objects[i]).bits;
                size_t other = test_random_below(&random, i + 1);
                if (i % 3 == 2 && objects[other] != NULL) {
                    units_free(pool, objects[other]);
                    objects[other] = NULL;
                }
            }
            close_kind();
            free(shifts_addresses);
        }
        cr_assert(memcmp(bits[0], bits[1], sizeof bits[0]) == 0);
    }
}

Test(handle, nothing_is_published_that_is_not_asked_for)
{
    open_kind(0);
    for (size_t i = 0; i < 200; i++)
        objects[i] = push(i);
    units_walk walk = units_walk_begin(pool);
    cr_assert(units_walk_next(&walk) == NULL);
    units_free_n(pool, objects, 200);
    close_kind();
}

/* ---- walks ---- */

static bool seen[MANY];

/* What is published is given once by all parts together; how many. */
static size_t check_walk(size_t parts)
{
    size_t n = 0;
    memset(seen, 0, sizeof seen);
    for (size_t part = 0; part < parts; part++) {
        units_walk walk = units_walk_part(pool, part, parts);
        for (struct unit *unit; (unit = units_walk_next(&walk)) != NULL; n++) {
            cr_assert(!seen[unit->number]);
            seen[unit->number] = true;
            check_equal(units_walk_handle(&walk).bits, handles[0][unit->number].bits);
            cr_assert(units_get(pool, units_walk_handle(&walk)) == unit);
            push(0); /* other calls may run meanwhile, and what they do is not seen */
        }
        units_walk_end(&walk);
    }
    return n;
}

Test(handle, walks_give_what_is_published_and_what_they_free_is_gone)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        size_t published = 0;
        for (size_t i = 0; i < 700; i++) {
            objects[i] = push(i);
            handles[0][i] = (units_handle){0};
            if (i % 3 != 0) {
                handles[0][i] = units_handle_of(pool, objects[i]);
                published++;
            }
        }
        check_equal(check_walk(1), published);
        check_equal(check_walk(4), published);
        units_walk walk = units_walk_begin(pool);
        for (struct unit *unit; (unit = units_walk_next(&walk)) != NULL;) {
            cr_assert(units_free_handle(pool, units_walk_handle(&walk)));
            cr_assert(!units_free_handle(pool, units_walk_handle(&walk)));
        }
        walk = units_walk_begin(pool);
        cr_assert(units_walk_next(&walk) == NULL);
        close_kind();
    }
}

/* ---- generations that are used up ---- */

#ifndef VF_CHECKED
/* The slot has one generation left. */
static void age(units_handle handle)
{
    size_t number = (size_t)vf_handle_number(handle.bits);
    const vf_generations *of = ((vf_pool_core *)pool)->directory[number / 100];
    vf_generations_of(of)[number % 100] = UINT32_MAX - VF_PUBLISHED;
}

static struct unit *aged;

static void free_aged(size_t how)
{
    struct unit *unit = push(1);
    units_handle handle = units_handle_of(pool, unit);
    units_free(pool, unit);
    age(handle);
    units_free(pool, push(1)); /* one without a handle uses none up */
    unit = push(1);
    units_handle last = units_handle_of(pool, unit);
    check_equal(vf_handle_generation(last.bits), UINT32_MAX);
    check_equal(vf_handle_number(last.bits), vf_handle_number(handle.bits));
    cr_assert(units_get(pool, last) == unit);
    aged = unit;
    frees[how](unit);
    cr_assert(units_get(pool, last) == NULL);
}

/* It is not used again, counts as free, and its batch can go and come again. */
Test(handle, a_slot_whose_generations_are_used_up_is_retired)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t how = 0; how < FREES; how++) {
            open_kind(kind);
            for (size_t turn = 1; turn <= 3; turn++) {
                free_aged(how);
                vf_pool_stats stats = units_stats(pool);
                check_equal(stats.retired, turn);
                check_equal(stats.live, 0);
                check_equal(stats.capacity,
                            stats.live + stats.cached + stats.depot + stats.fresh + stats.retired);
            }
            units_trim(pool);
            if (kind != 2)
                check_equal(units_stats(pool).capacity, 0);
            for (size_t i = 0; i < 400; i++)
                objects[i] = push(i);
            check_equal(units_stats(pool).live, 400);
            check_equal(units_stats(pool).retired, 3);
            units_free_n(pool, objects, 400);
            vf_thread_flush();
            units_release(pool);
            check_all_back(&allocator);
        }
    }
}

Test(handle, a_released_pool_with_retired_slots_ends_with_its_last_object)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        free_aged(2);
        struct unit *last = push(1);
        units_release(pool);
        cr_assert(allocator.bytes > 0);
        units_free(pool, last);
        vf_thread_flush();
        check_all_back(&allocator);
    }
}
#endif

/* ---- memory ---- */

Test(handle, an_alloc_without_memory_for_generations_changes_nothing)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t fail = 1; fail < 12; fail++) {
            open_kind(kind);
            allocator.fail_at = allocator.calls + fail;
            struct unit *unit = units_alloc(pool);
            if (unit == NULL)
                unit = units_alloc(pool);
            cr_assert(unit != NULL);
            cr_assert(units_get(pool, units_handle_of(pool, unit)) == unit);
            close_kind();
        }
    }
}

/* ---- misuse ---- */

#if !defined(VF_CHECKED) && !defined(_WIN32) && !defined(__EMSCRIPTEN__)
#    include "support/child.h"

/* Does the scene, in a process of its own, end with a report of a double free? */
static bool is_stopped(void (*scene)(void))
{
    int status;
    const char *said = test_output(scene, &status);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           strstr(said, ": double free of ") != NULL;
}

static void free_once(void)
{
    for (size_t i = 0; i < 3; i++) {
        struct unit *unit = push(1);
        if (i % 2 == 0)
            (void)units_handle_of(pool, unit);
        units_free(pool, unit);
    }
}

/* Those without a handle, in slots that have had one, in any number. */
static void free_many_once(void)
{
    for (size_t turn = 0; turn < 4; turn++) {
        for (size_t i = 0; i < MANY; i++) {
            objects[i] = push(i);
            if (turn == 0)
                (void)units_handle_of(pool, objects[i]);
        }
        for (size_t i = 0; i < MANY; i++)
            units_free(pool, objects[i]);
    }
}

static void free_twice(void)
{
    struct unit *unit = push(1);
    (void)units_handle_of(pool, unit);
    units_free(pool, unit);
    units_free(pool, unit);
}

static void free_twice_later(void)
{
    for (size_t i = 0; i < 2000; i++)
        (void)units_handle_of(pool, objects[i] = push(i));
    units_free_n(pool, objects, 2000);
    vf_thread_flush();
    units_free(pool, objects[1000]);
}

/* The one that so many were freed after: in the thread's cache, or in the depot already. */
static size_t below;

static void free_twice_below(void)
{
    for (size_t i = 0; i < 300; i++)
        (void)units_handle_of(pool, objects[i] = push(i));
    for (size_t i = 0; i < 300; i++)
        units_free(pool, objects[i]);
    units_free(pool, objects[299 - below]);
}

/* The same after a free of an object that was never published, in a slot that has had a handle. */
static void free_twice_after_others(void)
{
    free_once();
    free_twice_below();
}

static void free_retired_twice(void)
{
    free_aged(2);
    units_free(pool, aged);
}

static void free_retired_twice_by_free_n(void)
{
    free_aged(2);
    units_free_n(pool, &aged, 1);
}

Test(handle, a_published_object_that_is_freed_twice_stops_the_program)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_kind(kind);
        cr_assert(is_stopped(free_twice));
        cr_assert(is_stopped(free_twice_later));
        for (below = 0; below < 300; below += 25) {
            cr_assert(is_stopped(free_twice_below));
            cr_assert(is_stopped(free_twice_after_others));
        }
        cr_assert(is_stopped(free_retired_twice));
        cr_assert(is_stopped(free_retired_twice_by_free_n));
        cr_assert(!is_stopped(free_once));
        cr_assert(!is_stopped(free_many_once));
        close_kind();
    }
}
#endif

/* ---- threads ---- */

enum { THREADS = 3, ROUNDS = 3000, SHARED = 64 };
static uint64_t shared[SHARED]; /* atomic: handles that any thread may free */
static size_t freed_by_handle;  /* atomic */
static plain_units *common;

static void *spawn_and_despawn(void *which)
{
    uint64_t random = (uintptr_t)which;
    size_t freed = 0, made = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t *place = &shared[test_random_below(&random, SHARED)];
        plain_units_handle old = {__atomic_load_n(place, __ATOMIC_ACQUIRE)};
        (void)plain_units_get(common, old);
        if (old.bits != 0 && plain_units_free_handle(common, old))
            freed++;
        uint64_t *unit = plain_units_push(common, i);
        CHECK(unit != NULL);
        plain_units_handle fresh = plain_units_handle_of(common, unit);
        const uint64_t *found = plain_units_get(common, fresh);
        CHECK(found == unit || found == NULL); /* a walk may have found and freed it already */
        made++;
        uint64_t was = __atomic_exchange_n(place, fresh.bits, __ATOMIC_ACQ_REL);
        if (was != 0 && plain_units_free_handle(common, (plain_units_handle){was}))
            freed++;
        if (i % 512 == 0)
            (void)plain_units_trim(common);
        if (i % 64 == 0) {
            plain_units_walk walk = plain_units_walk_begin(common);
            while (plain_units_walk_next(&walk) != NULL) {
                if (test_random_below(&random, 8) == 0 &&
                    plain_units_free_handle(common, plain_units_walk_handle(&walk)))
                    freed++;
            }
        }
    }
    __atomic_fetch_add(&freed_by_handle, freed, __ATOMIC_RELAXED);
    return (void *)(uintptr_t)made;
}

Test(handle, threads_free_each_object_once)
{
    common = plain_units_new(NULL);
    cr_assert(common != NULL);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, spawn_and_despawn, (void *)(i + 1)) == 0);
    size_t made = 0;
    for (size_t i = 0; i < THREADS; i++) {
        void *count;
        CHECK(pthread_join(threads[i], &count) == 0);
        made += (uintptr_t)count;
    }
    check_equal(plain_units_stats(common).live, made - freed_by_handle);
    plain_units_walk walk = plain_units_walk_begin(common);
    size_t left = 0;
    while (plain_units_walk_next(&walk) != NULL)
        left++;
    check_equal(left, made - freed_by_handle);
    plain_units_destroy(common);
}
