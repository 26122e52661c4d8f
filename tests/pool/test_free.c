/* SPDX-License-Identifier: MIT */
/*
 * test_free.c - vf_free: it does what the P_free of the object's pool does, whichever that is.
 */
#include <pthread.h>

#include "test_common.h"

typedef struct node {
    int value;
    struct node *left, *right;
} node;

static size_t dropped;

#define VF_T       struct node
#define VF_N       50
#define VF_DROP(p) ((p)->value != 0 ? count_drop(p) : (void)0)
static void count_drop(node *object);
#include <veryfast/pool.h>

/* Of a parent, the children go back by themselves. */
static void count_drop(node *object)
{
    if (object->value > 0) {
        dropped += (size_t)object->value;
        return;
    }
    dropped++;
    vf_free(object->left);
    vf_free(object->right);
}

/* Of less than a line, a line, some pages: so that batches of pools lie among each other. */
#define VF_T char
#define VF_N 3
#include <veryfast/pool.h>
#define VF_T    node
#define VF_N    2
#define VF_NAME pairs
#include <veryfast/pool.h>
#define VF_T    node
#define VF_N    500
#define VF_NAME many
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>

/* Memory for other pools. */
typedef struct block {
    char bytes[4096];
} block;
#define VF_T     block
#define VF_N     5
#define VF_ALIGN 128
#include <veryfast/pool.h>

#define MOST 700

static test_allocator allocator;
static vf_pool_options options;

/* With caches, small ones, without, and with a cap. */
static const struct {
    size_t cache_objects, max_objects;
} kinds[] = {{0, 0}, {7, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void set_kind(int kind)
{
    allocator = (test_allocator){0};
    options = (vf_pool_options){.allocator = test_allocator_hook(&allocator),
                                .cache_objects = kinds[kind].cache_objects,
                                .max_objects = kinds[kind].max_objects};
    dropped = 0;
}

/* ---- one pool ---- */

static node *nodes[MOST];

static pool_node_50 *filled_pool(size_t n)
{
    pool_node_50 *pool = pool_node_50_new(&options);
    for (size_t i = 0; i < n; i++) {
        nodes[i] = pool_node_50_push(pool, (node){.value = (int)i});
        cr_assert(nodes[i] != NULL);
    }
    return pool;
}

Test(free, drops_and_gives_back_as_free_does)
{
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pool_node_50 *pool = filled_pool(MOST);
        errno = 77;
        for (size_t i = 0; i < MOST; i++)
            vf_free(nodes[(i * 37 + 5) % MOST]);
        vf_free(NULL);
        cr_assert(errno == 77);
        check_equal(dropped, MOST * (MOST - 1) / 2);
        vf_pool_stats stats = pool_node_50_stats(pool);
        check_equal(stats.live, 0);
        check_sums(stats, &allocator);
        pool_node_50_release(pool);
        check_all_back(&allocator);
    }
}

/* The last one ends the pool. */
Test(free, goes_on_after_release)
{
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pool_node_50 *pool = filled_pool(MOST);
        pool_node_50_release(pool);
        for (size_t i = MOST; i-- > 0;)
            vf_free(nodes[i]);
        check_equal(dropped, MOST * (MOST - 1) / 2);
        check_all_back(&allocator);
    }
}

/* A tree drops its children by vf_free, in P_destroy as well: each once. */
Test(free, may_be_what_the_drop_of_another_calls)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int destroys = 0; destroys < 2; destroys++) {
            set_kind(kind);
            pool_node_50 *pool = filled_pool(200);
            nodes[0]->value = -1;
            for (int i = 1; i < 100; i++)
                nodes[i]->value = -1;
            for (int i = 0; i < 100; i++) {
                nodes[i]->left = 2 * i + 1 < 200 ? nodes[2 * i + 1] : NULL;
                nodes[i]->right = 2 * i + 2 < 200 ? nodes[2 * i + 2] : NULL;
            }
            if (!destroys)
                vf_free(nodes[0]);
            check_equal(dropped, destroys ? 0U : 100 + (100 + 199) * 100 / 2);
            if (!destroys)
                check_equal(pool_node_50_stats(pool).live, 0);
            pool_node_50_destroy(pool);
            check_equal(dropped, 100 + (100 + 199) * 100 / 2);
            check_all_back(&allocator);
        }
    }
}

/* ---- by other threads, and beside others ---- */

static void *free_all(void *step)
{
    for (size_t i = (size_t)(uintptr_t)step - 1; i < MOST; i += 2)
        vf_free(nodes[i]);
    return NULL;
}

Test(free, any_thread_may)
{
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pool_node_50 *pool = filled_pool(MOST);
        for (size_t i = 0; i < MOST; i++)
            nodes[i]->value = 0; /* the sum is of no use to two threads */
        pthread_t threads[2];
        for (size_t i = 0; i < 2; i++)
            cr_assert(pthread_create(&threads[i], NULL, free_all, (void *)(i + 1)) == 0);
        if (kind % 2 == 1)
            pool_node_50_release(pool);
        for (size_t i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        if (kind % 2 == 0)
            pool_node_50_release(pool);
        check_all_back(&allocator);
    }
}

/* Each of many objects of several pools whose batches the allocator puts side by side. */
Test(free, finds_each_of_many_pools)
{
    enum { POOLS = 12, EACH = 90 };
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pool_char_3 *chars[POOLS];
        pairs *pair[POOLS];
        many *much[POOLS];
        static void *objects[3 * POOLS * EACH];
        size_t n = 0;
        for (int i = 0; i < POOLS; i++) {
            chars[i] = pool_char_3_new(&options);
            pair[i] = pairs_new(&options);
            much[i] = many_new(&options);
        }
        for (int round = 0; round < EACH; round++) {
            for (int i = 0; i < POOLS; i++) {
                objects[n++] = pool_char_3_alloc(chars[i]);
                objects[n++] = pairs_alloc(pair[i]);
                objects[n++] = many_alloc(much[i]);
            }
        }
        for (size_t i = 0; i < n; i++) {
            cr_assert(objects[i] != NULL);
            vf_free(objects[i]);
        }
        for (int i = 0; i < POOLS; i++) {
            check_equal(pool_char_3_stats(chars[i]).live, 0);
            check_equal(pairs_stats(pair[i]).live, 0);
            check_equal(many_stats(much[i]).live, 0);
            pool_char_3_release(chars[i]);
            pairs_release(pair[i]);
            many_release(much[i]);
        }
        check_all_back(&allocator);
    }
}

/* Batches of two pools lie among each other, on the same pages, till one of the two ends. */
Test(free, finds_the_pool_that_is_left_on_a_page)
{
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pairs *left = pairs_new(&options), *gone = pairs_new(&options);
        for (size_t i = 0; i < MOST; i++) {
            nodes[i] = pairs_alloc(left);
            cr_assert(nodes[i] != NULL && pairs_alloc(gone) != NULL);
        }
        pairs_destroy(gone);
        for (size_t i = 0; i < MOST; i++) {
            check_equal(pairs_stats(left).live, MOST - i);
            vf_free(nodes[i]);
        }
        check_equal(pairs_stats(left).live, 0);
        pairs_release(left);
        check_all_back(&allocator);
    }
}

/* The memory of a batch that was given back becomes another pool's. */
Test(free, follows_memory_from_pool_to_pool)
{
    for (int round = 0; round < 20; round++) {
        set_kind(round % KINDS);
        pairs *pair = pairs_new(&options);
        many *much = many_new(&options);
        for (int turn = 0; turn < 30; turn++) {
            static node *some[100];
            bool is_pair = (turn + round) % 2 != 0;
            for (size_t i = 0; i < 100; i++)
                some[i] = is_pair ? pairs_alloc(pair) : many_alloc(much);
            for (size_t i = 0; i < 100; i++)
                vf_free(some[i]);
            pairs_trim(pair);
            many_trim(much);
        }
        check_equal(pairs_stats(pair).live + many_stats(much).live, 0);
        pairs_release(pair);
        many_destroy(much);
        check_all_back(&allocator);
    }
}

static vf_allocator below; /* for what is no block */

static bool is_block(size_t size, size_t alignment)
{
    return size <= sizeof(block) && alignment <= 128;
}

static void *take_block(void *blocks, size_t size, size_t alignment)
{
    return is_block(size, alignment) ? pool_block_5_alloc(blocks)
                                     : below.alloc(below.context, size, alignment);
}

static void free_block(void *blocks, void *memory, size_t size, size_t alignment)
{
    (void)blocks;
    if (is_block(size, alignment))
        vf_free(memory);
    else
        below.dealloc(below.context, memory, size, alignment);
}

/* The objects of one pool are the batches of another; some are in use as what they are. */
Test(free, finds_the_pool_whose_memory_is_anothers_object)
{
    for (int kind = 0; kind < KINDS; kind++) {
        set_kind(kind);
        pool_block_5 *blocks = pool_block_5_new(&options);
        below = options.allocator;
        options.allocator = (vf_allocator){take_block, free_block, blocks};
        pairs *pair = pairs_new(&options);
        enum { EACH = 100 };
        static node *nodes_of[EACH];
        static block *others[EACH];
        for (size_t i = 0; i < EACH; i++) {
            cr_assert((nodes_of[i] = pairs_alloc(pair)) != NULL);
            cr_assert((others[i] = pool_block_5_alloc(blocks)) != NULL);
        }
        for (size_t i = 0; i < EACH; i++) {
            vf_free(others[i]);
            vf_free(nodes_of[i]);
            if (i % 10 == 0)
                pairs_trim(pair);
        }
        check_equal(pairs_stats(pair).live, 0);
        pairs_release(pair);
        check_equal(pool_block_5_stats(blocks).live, 0);
        pool_block_5_release(blocks);
        check_all_back(&allocator);
    }
}

/* As a hook of the kind free(void *). */
Test(free, is_a_function_with_an_address)
{
    set_kind(0);
    void (*hook)(void *) = vf_free;
    pool_node_50 *pool = filled_pool(1);
    hook(nodes[0]);
    hook(NULL);
    check_equal(pool_node_50_stats(pool).live, 0);
    pool_node_50_release(pool);
    check_all_back(&allocator);
}
