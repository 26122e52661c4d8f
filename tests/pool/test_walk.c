/* SPDX-License-Identifier: MIT */
/*
 * test_walk.c - what P_each, P_walk_..., P_destroy and P_owns see: slots that were never handed
 * out, that P_trim took from a thread, that are freed while they are looked at, and the ends of
 * batches.
 */
#include "support/threads.h"
#include "test_common.h"

#define VF_T    uint64_t
#define VF_N    64
#define VF_NAME numbers
#include <veryfast/pool.h>

static test_allocator allocator;
static numbers *pool;

static void open_numbers(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

/* ---- walks ---- */

#define MOST 100000

static unsigned visits[MOST]; /* of the object with that number in it */
static size_t visited;

static void note(uint64_t *number, void *none)
{
    cr_assert(none == NULL);
    cr_assert(*number < MOST);
    visits[*number]++;
    visited++;
}

static void note_and_free(uint64_t *number, void *none)
{
    note(number, none);
    numbers_free(pool, number);
}

/* The objects with the numbers 0 .. n - 1 are visited, each once. */
static void check_walk(size_t n, void (*visit)(uint64_t *number, void *none))
{
    memset(visits, 0, sizeof visits);
    visited = 0;
    cr_assert(numbers_each(pool, visit, NULL));
    check_equal(visited, n);
    for (size_t i = 0; i < n; i++)
        check_equal(visits[i], 1);
}

static uint64_t *push(uint64_t number)
{
    uint64_t *object = numbers_push(pool, number);
    cr_assert(object != NULL);
    return object;
}

/* The frees of the visitor are many: its cache overflows into the batches that are walked. */
Test(walk, a_visitor_may_free_all_of_a_pool)
{
    open_numbers();
    for (size_t i = 0; i < MOST; i++)
        push(i);
    check_walk(MOST, note_and_free);
    check_equal(numbers_stats(pool).live, 0);
    for (size_t i = 0; i < MOST; i++)
        push(i);
    check_walk(MOST, note);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

Test(walk, slots_that_are_reserved_are_not_visited)
{
    open_numbers();
    for (size_t i = 0; i < 10; i++)
        push(i);
    cr_assert(numbers_reserve(pool, 1000));
    check_walk(10, note);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

/*
 * A thread has free objects, of which a trim takes all but one; others get them. The thread goes
 * on, and gets none that is live.
 */
enum { HALF = 250, LATER = 600, LIVE = 2 * HALF + LATER };

static uint64_t *live[LIVE];
static pthread_barrier_t turn;

static void *has_free_objects(void *none)
{
    uint64_t *freed[HALF];
    for (size_t i = 0; i < HALF; i++) {
        live[i] = push(i);
        freed[i] = push(0);
    }
    numbers_free_n(pool, freed, HALF);
    pthread_barrier_wait(&turn); /* trim, and more objects */
    pthread_barrier_wait(&turn);
    for (size_t i = 2 * HALF; i < LIVE; i++)
        live[i] = push(i);
    return none;
}

/* Another thread has cached objects, and a trim has taken them from it: what is live is looked at
   meanwhile, after more pushes, and when that thread has pushed again. */
static void look_beside_a_trim(void (*look)(size_t live))
{
    open_numbers();
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(pthread_create(&thread, NULL, has_free_objects, NULL) == 0);
    pthread_barrier_wait(&turn);
    numbers_trim(pool);
    look(HALF);
    for (size_t i = HALF; i < 2 * HALF; i++)
        live[i] = push(i);
    look(2 * HALF);
    pthread_barrier_wait(&turn);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn);
    for (size_t i = 0; i < LIVE; i++)
        check_equal(*live[i], i);
    look(LIVE);
    cr_assert(all_apart(live, LIVE, sizeof **live));
    numbers_destroy(pool);
    check_all_back(&allocator);
}

static void visit_each(size_t n)
{
    check_walk(n, note);
}

Test(walk, objects_that_a_trim_took_from_a_thread_are_visited_once)
{
    look_beside_a_trim(visit_each);
}

/* ---- step by step ---- */

static numbers_walk parts[70];

/* The objects with the numbers 0 .. n - 1 are given by so many parts together, each once; every
   third is freed. How many are left. */
static size_t check_parts(size_t n, size_t count, bool frees)
{
    size_t freed = 0;
    memset(visits, 0, sizeof visits);
    visited = 0;
    for (size_t i = 0; i < count; i++)
        parts[i] = numbers_walk_part(pool, i, count);
    for (size_t i = 0; i < count; i++) {
        for (uint64_t *number; (number = numbers_walk_next(&parts[i])) != NULL;) {
            note(number, NULL);
            if (frees && *number % 3 == 0) {
                numbers_free(pool, number);
                freed++;
            }
        }
        cr_assert(numbers_walk_next(&parts[i]) == NULL);
        numbers_walk_end(&parts[i]);
    }
    check_equal(visited, n);
    return n - freed;
}

static void check_all_walks(size_t n, size_t cap)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .max_objects = cap};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
    for (size_t i = 0; i < n; i++)
        push(i);
    allocator.refuse = true; /* a walk needs no memory */
    static const size_t counts[] = {1, 2, 3, 7, 64, 70};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_parts(n, counts[i], false);
        for (size_t j = 0; j < n; j++)
            check_equal(visits[j], 1);
    }
    size_t left = check_parts(n, 3, true);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_parts(left, counts[i], false);
    for (size_t j = 0; j < n; j++)
        check_equal(visits[j], j % 3 == 0 ? 0 : 1);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

Test(walk, parts_together_give_each_object_once)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 20000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_all_walks(sizes[i], 0);
        check_all_walks(sizes[i], sizes[i] + 1);
    }
}

#ifndef VF_BYPASS
/* In pools of 32 KiB and more: at most a third more than its share is given by any part. */
static void check_shares(size_t n)
{
    for (size_t count = 2; count <= n / 2048; count++) {
        for (size_t part = 0; part < count; part++) {
            size_t given = 0;
            numbers_walk walk = numbers_walk_part(pool, part, count);
            while (numbers_walk_next(&walk) != NULL)
                given++;
            cr_assert(given * count <= n + n / 3, "%zu of %zu: %zu of %zu", part, count, given, n);
        }
    }
}

Test(walk, parts_are_about_as_large_as_one_another)
{
    open_numbers();
    for (size_t n = 0, next = 4096; next <= 131072; next *= 2) {
        for (; n < next; n++)
            push(n);
        check_shares(n);
    }
    numbers_destroy(pool);
}
#endif

Test(walk, a_part_of_more_than_there_are_words_gives_nothing)
{
    open_numbers();
    push(0);
    numbers_walk walk = numbers_walk_part(pool, SIZE_MAX - 1, SIZE_MAX);
    cr_assert(numbers_walk_next(&walk) == NULL);
    walk = numbers_walk_part(pool, 0, SIZE_MAX);
    cr_assert(numbers_walk_next(&walk) != NULL);
    cr_assert(numbers_walk_next(&walk) == NULL);
    numbers_destroy(pool);
}

#ifndef VF_CHECKED /* whose objects lie further apart */
/* By number: batches in the order in which they were made, and what was handed out first. */
Test(walk, objects_come_in_the_order_of_their_slots)
{
    open_numbers();
    for (size_t i = 0; i < 1000; i++)
        push(i);
    numbers_walk walk = numbers_walk_begin(pool);
    const uint64_t *batch = NULL;
    size_t steps = 0;
    for (uint64_t *number; (number = numbers_walk_next(&walk)) != NULL; steps++) {
        if (steps % 64 == 0)
            batch = number;
        cr_assert(number == batch + steps % 64);
    }
    check_equal(steps, 1000);
    numbers_destroy(pool);
}
#endif

Test(walk, a_walk_may_end_early_or_be_given_up)
{
    open_numbers();
    for (size_t i = 0; i < 101; i++)
        push(i);
    numbers_walk walk;
    for (size_t n = 0; n < 100; n += 20) { /* at first in the midst of what was found */
        walk = numbers_walk_begin(pool);
        for (size_t i = 0; i < 20; i++)
            numbers_free(pool, numbers_walk_next(&walk));
        numbers_walk_end(&walk);
        cr_assert(numbers_walk_next(&walk) == NULL);
    }
    walk = numbers_walk_begin(pool);
    uint64_t *last = numbers_walk_next(&walk);
    cr_assert(last != NULL);
    numbers_release(pool); /* and nothing of the walk is left */
    walk = (numbers_walk){0};
    numbers_free(pool, last);
    vf_thread_flush();
    check_all_back(&allocator);
}

/* Each object is compared with each, and the outer walk frees the one that it has. */
Test(walk, walks_may_be_nested)
{
    open_numbers();
    enum { N = 150 };
    for (size_t i = 0; i < N; i++)
        push(i);
    size_t inner_steps = 0, left = N;
    numbers_walk outer = numbers_walk_begin(pool);
    for (uint64_t *one; (one = numbers_walk_next(&outer)) != NULL;) {
        size_t steps = 0;
        bool met = false;
        numbers_walk inner = numbers_walk_begin(pool);
        for (uint64_t *other; (other = numbers_walk_next(&inner)) != NULL; steps++)
            met |= other == one;
        cr_assert(met);
        check_equal(steps, left);
        inner_steps += steps;
        if (*one % 2 == 0) {
            numbers_free(pool, one);
            left--;
        }
    }
    check_equal(left, N / 2);
    cr_assert(inner_steps > (size_t)N * left);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

enum { WALKERS = 4 };
static size_t seen_by[WALKERS];

static void *walk_a_part(void *which)
{
    size_t part = (size_t)((numbers_walk *)which - parts), n = 0;
    for (uint64_t *number; (number = numbers_walk_next(&parts[part])) != NULL; n++) {
        visits[*number]++;
        if (*number % 2 == 0)
            numbers_free(pool, number);
    }
    seen_by[part] = n;
    return NULL;
}

Test(walk, threads_walk_and_free_at_once)
{
    open_numbers();
    for (size_t i = 0; i < MOST; i++)
        push(i);
    memset(visits, 0, sizeof visits);
    pthread_t threads[WALKERS];
    for (size_t i = 0; i < WALKERS; i++)
        parts[i] = numbers_walk_part(pool, i, WALKERS);
    for (size_t i = 0; i < WALKERS; i++)
        CHECK(pthread_create(&threads[i], NULL, walk_a_part, &parts[i]) == 0);
    for (size_t i = 0; i < WALKERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < MOST; i++)
        check_equal(visits[i], 1);
    for (size_t i = 0; i < WALKERS; i++)
        cr_assert(seen_by[i] > MOST / WALKERS / 2, "part %zu has %zu", i, seen_by[i]);
    check_equal(numbers_stats(pool).live, MOST / 2);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

static void walk_parts(size_t n)
{
    check_parts(n, n == HALF ? 2 : n == 2 * HALF ? 3 : 1, false);
}

Test(walk, objects_that_a_trim_took_from_a_thread_are_given_once)
{
    look_beside_a_trim(walk_parts);
}

/* ---- a drop that frees others ---- */

struct parent {
    struct parent *children[2];
    size_t number;
};

static void parent_drop(struct parent *parent);
#define VF_T       struct parent
#define VF_N       100
#define VF_DROP(p) parent_drop(p)
#include <veryfast/pool.h>

#define PARENTS 10000 /* more than P_destroy has bits for when out of memory */

static pool_parent_100 *parents;
static pool_parent_100_cache *cache;
static unsigned drops[PARENTS];

/* Frees its children, in each way there is. */
static void parent_drop(struct parent *parent)
{
    drops[parent->number]++;
    switch (parent->number % 3) {
    case 0:
        pool_parent_100_free_n(parents, parent->children, 2);
        break;
    case 1:
        pool_parent_100_cache_free(cache, parent->children[0]);
        pool_parent_100_cache_free(cache, parent->children[1]);
        break;
    default:
        pool_parent_100_free(parents, parent->children[0]);
        pool_parent_100_free(parents, parent->children[1]);
        break;
    }
}

/* One tree of all, each node of which lies anywhere: before its parent, or far behind it. */
static void plant(uint64_t random)
{
    static struct parent *nodes[PARENTS];
    check_equal(pool_parent_100_alloc_n(parents, nodes, PARENTS), PARENTS);
    for (size_t i = PARENTS - 1; i > 0; i--) {
        size_t j = test_random_below(&random, i + 1);
        struct parent *other = nodes[i];
        nodes[i] = nodes[j];
        nodes[j] = other;
    }
    for (size_t i = 0; i < PARENTS; i++) {
        struct parent *left = 2 * i + 1 < PARENTS ? nodes[2 * i + 1] : NULL;
        struct parent *right = 2 * i + 2 < PARENTS ? nodes[2 * i + 2] : NULL;
        *nodes[i] = (struct parent){{left, right}, i};
    }
}

static void check_destroy(size_t cap, bool refuse, uint64_t random)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .max_objects = cap};
    parents = pool_parent_100_new(&options);
    cr_assert(parents != NULL);
    cache = pool_parent_100_cache_new(parents);
    cr_assert(cache != NULL);
    pool_parent_100_cache_free(cache, pool_parent_100_push(parents, (struct parent){0}));
    plant(random);
    memset(drops, 0, sizeof drops);
    allocator.refuse = refuse;
    pool_parent_100_destroy(parents);
    for (size_t i = 0; i < PARENTS; i++)
        check_equal(drops[i], 1);
    check_all_back(&allocator);
}

Test(walk, destroy_drops_each_once_wherever_its_parent_is)
{
    for (uint64_t random = 1; random <= 3; random++) {
        check_destroy(0, false, random);
        check_destroy(0, true, random);
        check_destroy(PARENTS + 1, false, random);
        check_destroy(PARENTS + 1, true, random);
    }
}

/* ---- what belongs to a pool ---- */

typedef struct three {
    unsigned char bytes[3];
} three;

#define VF_T    three
#define VF_N    5
#define VF_NAME threes
#include <veryfast/pool.h>

static bool is_one_of(three *const *objects, size_t n, uintptr_t address)
{
    for (size_t i = 0; i < n; i++) {
        if ((uintptr_t)objects[i] == address)
            return true;
    }
    return false;
}

/* Every address near the only five slots, both ends and the bookkeeping included. */
static void check_owned(size_t cap)
{
    vf_pool_options options = {.max_objects = cap};
    threes *own = threes_new(&options);
    three *objects[5];
    cr_assert(own != NULL);
    check_equal(threes_alloc_n(own, objects, 5), 5);
    check_equal(threes_stats(own).capacity, 5);
    uintptr_t first = (uintptr_t)objects[0];
    for (uintptr_t address = first - 200; address < first + 200; address++) {
        bool owned = threes_owns(own, (const void *)address);
        cr_assert(owned == is_one_of(objects, 5, address), "%s at %+d of a slot, cap %zu",
                  owned ? "owned" : "not owned", (int)(address - first), cap);
    }
    threes_destroy(own);
}

Test(walk, owns_is_true_of_the_beginnings_of_slots_only)
{
    check_owned(0);
    check_owned(5);
}
