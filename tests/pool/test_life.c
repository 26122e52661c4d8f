/* SPDX-License-Identifier: MIT */
/*
 * test_life.c - the whole life of a pool: walking it, asking it, shrinking it, ending it.
 */
#include "support/threads.h"
#include "test_common.h"

#define MOST_LIVE  3000
#define CAT_(a, b) a##b
#define CAT(a, b)  CAT_(a, b)

typedef struct three {
    unsigned char bytes[3];
} three;
typedef struct page {
    _Alignas(256) unsigned char bytes[4096];
} page;

#define TYPE unsigned char
#define N    1000
#define NAME octets
#define CAP  0
#include "test_life_type.h"
#define TYPE three
#define N    1
#define NAME threes_alone
#define CAP  0
#include "test_life_type.h"
#define TYPE uint64_t
#define N    64
#define NAME words
#define CAP  0
#include "test_life_type.h"
#define TYPE uint64_t
#define N    16
#define NAME words_capped
#define CAP  500
#include "test_life_type.h"
#define TYPE page
#define N    3
#define NAME pages
#define CAP  0
#include "test_life_type.h"
#define TYPE uint32_t
#define N    1000000
#define NAME in_one_batch
#define CAP  0
#include "test_life_type.h"

/* ---- a tree, whose nodes free their children ---- */

struct node {
    struct node *left, *right;
};

static void node_drop(struct node *node);
#define VF_T       struct node
#define VF_N       32
#define VF_DROP(p) node_drop(p)
#include <veryfast/pool.h>

static test_allocator allocator;
static pool_node_32 *nodes;
static size_t dropped;

static void node_drop(struct node *node)
{
    dropped++;
    pool_node_32_free(nodes, node->left);
    pool_node_32_free(nodes, node->right);
}

static struct node *tree(size_t depth)
{
    struct node *node = pool_node_32_alloc(nodes);
    cr_assert(node != NULL);
    /* by chance as it were the one or the other lies at lower addresses */
    struct node *first = depth > 0 ? tree(depth - 1) : NULL;
    struct node *second = depth > 0 ? tree(depth - 1) : NULL;
    *node = depth % 2 == 0 ? (struct node){first, second} : (struct node){second, first};
    return node;
}

static void open_nodes(size_t cap)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator), .max_objects = cap};
    nodes = pool_node_32_new(&options);
    cr_assert(nodes != NULL);
    dropped = 0;
}

static void *free_some(void *array)
{
    struct node **some = array;
    for (size_t i = 0; i < 100; i++)
        pool_node_32_free(nodes, some[i]);
    return NULL;
}

/* A pool with trees, and with free slots in all places. */
static size_t plant(void)
{
    struct node *some[200];
    for (size_t i = 0; i < 200; i++) {
        some[i] = pool_node_32_push(nodes, (struct node){NULL, NULL});
        cr_assert(some[i] != NULL);
    }
    for (size_t i = 0; i < 5; i++)
        tree(6);
    test_run_threads(1, free_some, (void *[]){some});
    for (size_t i = 100; i < 150; i++)
        pool_node_32_free(nodes, some[i]);
    dropped = 0;
    return 50 + 5 * 127;
}

Test(life, destroy_drops_each_node_of_a_tree_once)
{
    for (size_t cap = 0; cap <= 2000; cap += 2000) {
        for (int refuse = 0; refuse < 2; refuse++) {
            open_nodes(cap);
            pool_node_32_cache *cache = pool_node_32_cache_new(nodes);
            cr_assert(cache != NULL);
            pool_node_32_cache_free(cache, pool_node_32_push(nodes, (struct node){NULL, NULL}));
            size_t live = plant();
            atomic_store(&allocator.refuse, refuse != 0); /* no memory to sort batches */
            pool_node_32_destroy(nodes);
            check_equal(dropped, live);
            check_all_back(&allocator);
        }
    }
}

Test(life, destroy_of_nothing)
{
    pool_node_32_destroy(NULL);
    open_nodes(0);
    pool_node_32_destroy(nodes);
    check_equal(dropped, 0);
    check_all_back(&allocator);
}

/* ---- walks ---- */

static size_t visits;

static void visit_and_free(struct node *node, void *every)
{
    if (visits++ % *(size_t *)every == 0)
        pool_node_32_free(nodes, node);
}

Test(life, a_visitor_may_free_what_it_is_given)
{
    for (size_t cap = 0; cap <= 1000; cap += 1000) {
        for (size_t every = 1; every <= 3; every++) {
            open_nodes(cap);
            for (size_t i = 0; i < 1000; i++)
                cr_assert(pool_node_32_push(nodes, (struct node){NULL, NULL}) != NULL);
            visits = 0;
            cr_assert(pool_node_32_each(nodes, visit_and_free, &every));
            check_equal(visits, 1000);
            check_equal(dropped, (1000 + every - 1) / every);
            check_equal(pool_node_32_stats(nodes).live, 1000 - dropped);
            pool_node_32_destroy(nodes);
            check_equal(dropped, 1000);
            check_all_back(&allocator);
        }
    }
}

Test(life, a_walk_without_memory_visits_none)
{
    size_t every = 1;
    open_nodes(0);
    size_t live = plant();
    atomic_store(&allocator.refuse, true);
    visits = 0;
    check_refused(ENOMEM, !pool_node_32_each(nodes, visit_and_free, &every));
    check_equal(visits, 0);
    check_equal(pool_node_32_stats(nodes).live, live);
    pool_node_32_destroy(nodes);
    check_all_back(&allocator);
}

/* ---- what belongs to a pool ---- */

Test(life, owns_its_slots_and_nothing_else)
{
    open_nodes(0);
    pool_node_32 *others = pool_node_32_new(NULL);
    struct node *own = pool_node_32_push(nodes, (struct node){NULL, NULL});
    struct node *other = pool_node_32_push(others, (struct node){NULL, NULL});
    cr_assert(own != NULL && other != NULL);
    cr_assert(pool_node_32_owns(nodes, own) && !pool_node_32_owns(nodes, other));
    cr_assert(pool_node_32_owns(others, other) && !pool_node_32_owns(others, own));
    cr_assert(!pool_node_32_owns(nodes, NULL) && !pool_node_32_owns(nodes, &own->right));
    cr_assert(!pool_node_32_owns(nodes, (void *)(uintptr_t)-16));
    cr_assert(!pool_node_32_owns(nodes, (void *)(uintptr_t)16));
    cr_assert(!pool_node_32_owns(nodes, (char *)own - 16)); /* before the first slot */
#ifndef VF_BYPASS
    size_t stride = pool_node_32_stats(nodes).stride;
    cr_assert(pool_node_32_owns(nodes, (char *)own + 31 * stride)); /* the last, never handed out */
    cr_assert(!pool_node_32_owns(nodes, (char *)own + 32 * stride)); /* behind it */
    pool_node_32_free(nodes, own);
    cr_assert(pool_node_32_owns(nodes, own)); /* free, and a slot still */
#endif
    pool_node_32_destroy(nodes);
    pool_node_32_destroy(others);
}

/* ---- trims ---- */

#define VF_T    uint64_t
#define VF_N    64
#define VF_NAME numbers
#include <veryfast/pool.h>

#define MANY 20000

static uint64_t *many[MANY];

static numbers *numbers_open(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    numbers *pool = numbers_new(&options);
    cr_assert(pool != NULL);
    return pool;
}

static void fill(numbers *pool)
{
    for (size_t i = 0; i < MANY; i++) {
        many[i] = numbers_push(pool, i);
        cr_assert(many[i] != NULL);
    }
}

/* Frees all but each k-th, in disorder. */
static void free_but_each(numbers *pool, size_t k)
{
    for (size_t i = 0; i < MANY; i++) {
        size_t at = i * 7919 % MANY; /* prime to it */
        if (at % k != 0)
            numbers_free(pool, many[at]);
    }
}

static void check_kept(numbers *pool, size_t k)
{
    size_t kept = 0;
    for (size_t i = 0; i < MANY; i += k, kept++)
        check_equal(*many[i], i);
    check_equal(numbers_stats(pool).live, kept);
}

#ifndef VF_BYPASS
Test(life, a_trim_gives_back_all_of_an_empty_pool)
{
    numbers *pool = numbers_open();
    size_t before = numbers_stats(pool).bytes;
    fill(pool);
    numbers_free_n(pool, many, MANY);
    size_t all = numbers_stats(pool).bytes;
    size_t back = numbers_trim(pool);
    check_equal(numbers_stats(pool).bytes, all - back);
    check_equal(numbers_stats(pool).batches, 0);
    check_equal(numbers_stats(pool).capacity, 0);
    cr_assert(back >= MANY * sizeof(uint64_t) && all - back < before + 16384 + MANY * 9);
    check_equal(numbers_trim(pool), 0);
    fill(pool); /* it is as good as new */
    numbers_destroy(pool);
    check_all_back(&allocator);
}
#endif

#ifndef VF_BYPASS
Test(life, a_trim_leaves_batches_with_a_live_object)
{
    numbers *pool = numbers_open();
    fill(pool);
    free_but_each(pool, 640); /* one of ten batches keeps one */
    cr_assert(numbers_trim(pool) > MANY * sizeof(uint64_t) * 8 / 10);
    check_kept(pool, 640);
    numbers_destroy(pool);
    check_all_back(&allocator);
}
#endif

Test(life, a_trim_needs_no_memory)
{
    numbers *pool = numbers_open();
    fill(pool);
    free_but_each(pool, 640);
    size_t calls = atomic_load(&allocator.calls);
    atomic_store(&allocator.refuse, true);
    size_t bytes = numbers_trim(pool);
#ifdef VF_BYPASS
    (void)bytes, (void)calls;
#else
    cr_assert(bytes > MANY * sizeof(uint64_t) * 8 / 10);
    check_equal(atomic_load(&allocator.calls), calls);
#endif
    check_kept(pool, 640);
    vf_pool_stats stats = numbers_stats(pool);
    check_sums(stats, &allocator);
    numbers_destroy(pool);
    check_all_back(&allocator);
}

Test(life, a_capped_pool_keeps_its_memory)
{
    open_nodes(100);
    size_t live = 0;
    while (pool_node_32_push(nodes, (struct node){NULL, NULL}) != NULL)
        live++;
    check_equal(live, 100);
    size_t every = 1;
    visits = 0;
    cr_assert(pool_node_32_each(nodes, visit_and_free, &every));
    check_equal(pool_node_32_trim(nodes), 0);
    check_equal(pool_node_32_stats(nodes).live, 0);
    pool_node_32_destroy(nodes);
    check_all_back(&allocator);
}
