/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - the calls of a pool, one by one, from one thread.
 */
#include "test_common.h"

/* Types of all sizes and alignments. */

typedef struct three_bytes {
    unsigned char bytes[3];
} three_bytes;

typedef struct three_words {
    uint64_t words[3];
} three_words;

typedef struct page {
    unsigned char bytes[4096];
} page;

typedef struct over_aligned {
    _Alignas(256) unsigned char bytes[300];
} over_aligned;

#define TYPE      char
#define N         256
#define NAME      one_byte_each
#define STRIDE    1
#define ALIGNMENT 1
#include "test_pool_type.h"

#define TYPE      three_bytes
#define N         100
#define NAME      three_bytes_each
#define STRIDE    3
#define ALIGNMENT 1
#include "test_pool_type.h"

#define TYPE      three_words
#define N         64
#define NAME      three_words_each
#define STRIDE    24
#define ALIGNMENT _Alignof(three_words)
#include "test_pool_type.h"

#define TYPE      page
#define N         7
#define NAME      page_each
#define STRIDE    4096
#define ALIGNMENT 1
#include "test_pool_type.h"

#define TYPE      over_aligned
#define N         50
#define NAME      over_aligned_each
#define STRIDE    512
#define ALIGNMENT 256
#include "test_pool_type.h"

#define TYPE      three_bytes
#define N         100
#define NAME      three_bytes_at_four
#define STRIDE    4
#define ALIGNMENT 4
#define VF_ALIGN  4
#include "test_pool_type.h"

#define TYPE      three_words
#define N         100
#define NAME      align_less_than_the_type
#define STRIDE    24
#define ALIGNMENT _Alignof(three_words)
#define VF_ALIGN  2
#include "test_pool_type.h"

#define TYPE      three_words
#define N         33
#define NAME      align_a_page
#define STRIDE    4096
#define ALIGNMENT 4096
#define VF_ALIGN  4096
#include "test_pool_type.h"

#define TYPE      three_words
#define N         100
#define NAME      cache_aligned
#define STRIDE    VF_CACHE_LINE
#define ALIGNMENT VF_CACHE_LINE
#define VF_CACHE_ALIGNED
#include "test_pool_type.h"

#define TYPE      three_words
#define N         100
#define NAME      cache_aligned_and_more
#define STRIDE    512
#define ALIGNMENT 512
#define VF_ALIGN  512
#define VF_CACHE_ALIGNED
#include "test_pool_type.h"

#define TYPE      over_aligned
#define N         100
#define NAME      cache_aligned_and_over_aligned
#define STRIDE    512
#define ALIGNMENT 256
#define VF_CACHE_ALIGNED
#include "test_pool_type.h"

#define TYPE      three_words
#define N         1
#define NAME      batches_of_one
#define STRIDE    24
#define ALIGNMENT _Alignof(three_words)
#include "test_pool_type.h"

#define TYPE      three_words
#define N         1000000
#define NAME      batches_of_a_million
#define STRIDE    24
#define ALIGNMENT _Alignof(three_words)
#include "test_pool_type.h"

/* What every call does, on a plain pool of ints, and one of nodes that are dropped. */

#define VF_T int
#define VF_N 256
#include <veryfast/pool.h>

typedef struct node {
    struct node *next;
    int drops;
} node;

static void drop_node(node *dropped);

#define VF_T       node
#define VF_N       64
#define VF_NAME    nodes
#define VF_DROP(p) drop_node(p)
#include <veryfast/pool.h>

static test_allocator allocator;
static pool_int_256 *pool;

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = pool_int_256_new(&options);
    cr_assert(pool != NULL);
}

static void teardown(void)
{
    pool_int_256_release(pool);
    check_all_back(&allocator);
}

#ifndef VF_CHECKED
Test(pool, new_takes_memory_for_itself_but_no_batch, .init = setup, .fini = teardown)
{
    vf_pool_stats stats = pool_int_256_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.batches, 0);
    check_equal(stats.capacity, 0);
    check_equal(stats.batch_objects, 256);
    check_equal(stats.stride, sizeof(int));
    cr_assert(stats.bytes <= 64 * VF_CACHE_LINE); /* 4096 as a rule */
}
#endif

#ifndef VF_CHECKED
Test(pool, fresh_objects_ascend_without_gaps, .init = setup, .fini = teardown)
{
    int *objects[256];
    for (size_t i = 0; i < 256; i++)
        objects[i] = pool_int_256_alloc(pool);
    for (size_t i = 1; i < 256; i++)
        cr_assert(objects[i] == objects[0] + i, "object %zu is not behind the last one", i);
    check_equal((uintptr_t)objects[0] % VF_CACHE_LINE, 0);
    pool_int_256_free_n(pool, objects, 256);
}
#endif

#ifndef VF_CHECKED
Test(pool, fresh_objects_are_not_touched, .init = setup, .fini = teardown)
{
    unsigned char untouched[sizeof(int)];
    memset(untouched, 0xA5, sizeof untouched); /* what the test's allocator fills memory with */
    int *objects[1000];
    for (size_t i = 0; i < 1000; i++) {
        objects[i] = pool_int_256_alloc(pool);
        cr_assert(memcmp(objects[i], untouched, sizeof untouched) == 0, "object %zu", i);
    }
    pool_int_256_free_n(pool, objects, 1000);
}
#endif

Test(pool, objects_keep_their_contents_until_handed_out_again, .init = setup, .fini = teardown)
{
    /* more than a cache holds, so that some go through the depot; and all that the pool has */
    enum { COUNT = 100 * 256 };
    int **objects = test_memory(COUNT, sizeof *objects);
    char *seen = test_memory(COUNT, 1);
    for (int i = 0; i < COUNT; i++)
        objects[i] = pool_int_256_push(pool, i);
    for (int i = 0; i < COUNT; i++)
        pool_int_256_free(pool, objects[i]);
    for (int i = 0; i < COUNT; i++) {
        objects[i] = pool_int_256_alloc(pool);
        int number = *objects[i];
        cr_assert(number >= 0 && number < COUNT && !seen[number]);
        seen[number] = 1;
    }
    pool_int_256_free_n(pool, objects, COUNT);
    free(seen);
    free(objects);
}

Test(pool, the_last_one_freed_is_the_first_one_allocated, .init = setup, .fini = teardown)
{
    int *first = pool_int_256_push(pool, 1);
    int *second = pool_int_256_push(pool, 2);
    pool_int_256_free(pool, first);
    pool_int_256_free(pool, second);
    cr_assert(pool_int_256_alloc(pool) == second);
    cr_assert(pool_int_256_alloc(pool) == first);
    cr_assert(*first == 1 && *second == 2);
    pool_int_256_free(pool, first);
    pool_int_256_free(pool, second);
}

Test(pool, push_stores_and_take_moves_out, .init = setup, .fini = teardown)
{
    int *object = pool_int_256_push(pool, 42);
    cr_assert(object != NULL && *object == 42);
    check_equal(pool_int_256_stats(pool).live, 1);
    cr_assert(pool_int_256_take(pool, object) == 42);
    check_equal(pool_int_256_stats(pool).live, 0);
    cr_assert(pool_int_256_alloc(pool) == object);
    pool_int_256_free(pool, object);
}

Test(pool, bulk_calls_move_any_number, .init = setup, .fini = teardown)
{
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 257, 5000, 20000};
    int **objects = test_memory(20000, sizeof *objects);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_equal(pool_int_256_alloc_n(pool, objects, counts[i]), counts[i]);
        check_equal(pool_int_256_stats(pool).live, counts[i]);
        cr_assert(all_apart(objects, counts[i], sizeof(int)));
        pool_int_256_free_n(pool, objects, counts[i]);
        vf_pool_stats stats = pool_int_256_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.live, 0);
    }
    free(objects);
}

Test(pool, bulk_and_single_calls_mix, .init = setup, .fini = teardown)
{
    int *objects[300];
    for (size_t i = 0; i < 300; i++)
        objects[i] = pool_int_256_alloc(pool);
    pool_int_256_free_n(pool, objects, 300);
    check_equal(pool_int_256_alloc_n(pool, objects, 300), 300);
    for (size_t i = 0; i < 300; i++)
        pool_int_256_free(pool, objects[i]);
    check_equal(pool_int_256_stats(pool).live, 0);
}

Test(pool, null_is_ignored_where_the_contract_says_so, .init = setup, .fini = teardown)
{
    pool_int_256_release(NULL);
    pool_int_256_cache_release(NULL);
    pool_int_256_free(pool, NULL);
    pool_int_256_cache *cache = pool_int_256_cache_new(pool);
    pool_int_256_cache_free(cache, NULL);
    pool_int_256_cache_release(cache);

    int *objects[] = {NULL, pool_int_256_alloc(pool), NULL, NULL, pool_int_256_alloc(pool), NULL};
    pool_int_256_free_n(pool, objects, 6);
    vf_pool_stats stats = pool_int_256_stats(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, 0);
    cr_assert(stats.cached + stats.depot >= 2);
    pool_int_256_free_n(pool, (int *[]){NULL, NULL}, 2);
    pool_int_256_free_n(pool, NULL, 0);
    check_equal(pool_int_256_alloc_n(pool, NULL, 0), 0);
}

Test(pool, two_pools_of_one_type_do_not_mix, .init = setup, .fini = teardown)
{
    pool_int_256 *other = pool_int_256_new(NULL);
    int *here = pool_int_256_push(pool, 1);
    int *there = pool_int_256_push(other, 2);
    pool_int_256_free(other, there);
    int *next = pool_int_256_alloc(pool);
    cr_assert(next != there);
    check_equal(pool_int_256_stats(other).live, 0);
    check_equal(pool_int_256_stats(pool).live, 2);
    cr_assert(pool_int_256_alloc(other) == there);
    pool_int_256_free(other, there);
    pool_int_256_release(other);
    pool_int_256_free_n(pool, (int *[]){here, next}, 2);
}

/* errno: ENOMEM and EINVAL where a call fails, untouched where one succeeds. */

static void *disturbing_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    void *memory = real.alloc(real.context, size, alignment);
    errno = EIO;
    return memory;
}

static void disturbing_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size, alignment);
    errno = EIO;
}

static void use_every_call(const vf_pool_options *options)
{
    enum { COUNT = 3000 };
    int **objects = test_memory(COUNT, sizeof *objects);
    errno = EXDEV;
    pool_int_256 *all = pool_int_256_new(options);
    bool reserved = pool_int_256_reserve(all, COUNT);
    size_t given = pool_int_256_alloc_n(all, objects, COUNT);
    pool_int_256_free_n(all, objects, COUNT);
    for (int i = 0; i < COUNT; i++)
        objects[i] = pool_int_256_push(all, i);
    for (int i = 0; i < COUNT; i++)
        pool_int_256_free(all, objects[i]);
    pool_int_256_take(all, pool_int_256_alloc(all));
    pool_int_256_cache *cache = pool_int_256_cache_new(all);
    for (int i = 0; i < COUNT; i++)
        objects[i] = pool_int_256_cache_alloc(cache);
    for (int i = 0; i < COUNT; i++)
        pool_int_256_cache_free(cache, objects[i]);
    pool_int_256_cache_release(cache);
    vf_thread_flush();
    (void)pool_int_256_stats(all);
    pool_int_256_release(all);
    int after = errno;
    free(objects);
    cr_assert(after == EXDEV, "errno became %d", after);
    cr_assert(reserved && given == COUNT);
}

Test(pool_errno, success_leaves_errno_alone)
{
    test_allocator own = {0};
    vf_pool_options options = {.allocator = {disturbing_alloc, disturbing_dealloc, &own}};
    use_every_call(NULL);
    use_every_call(&options);
    options.cache_objects = VF_CACHE_NONE;
    use_every_call(&options);
    options = (vf_pool_options){.allocator = options.allocator, .max_objects = 10000};
    use_every_call(&options);
    check_all_back(&own);
}

Test(pool_errno, failure_says_enomem_and_changes_nothing, .init = setup, .fini = teardown)
{
    vf_pool_stats before = pool_int_256_stats(pool);
    int *objects[3] = {NULL, NULL, NULL};
    allocator.refuse = true;
    check_refused(ENOMEM, pool_int_256_alloc(pool) == NULL);
    check_refused(ENOMEM, pool_int_256_push(pool, 1) == NULL);
    check_refused(ENOMEM, pool_int_256_alloc_n(pool, objects, 3) == 0);
    check_refused(ENOMEM, !pool_int_256_reserve(pool, 1));
    check_refused(ENOMEM, pool_int_256_cache_new(pool) == NULL);
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    check_refused(ENOMEM, pool_int_256_new(&options) == NULL);
    allocator.refuse = false;
    vf_pool_stats after = pool_int_256_stats(pool);
    cr_assert(memcmp(&before, &after, sizeof after) == 0);
    cr_assert(objects[0] == NULL && objects[2] == NULL);
}

Test(pool_errno, a_bulk_call_gives_the_first_ones_where_memory_ends, .init = setup,
     .fini = teardown)
{
    int *objects[1000];
    cr_assert(pool_int_256_reserve(pool, 256));
    allocator.refuse = true;
    check_refused(ENOMEM, pool_int_256_alloc_n(pool, objects, 1000) == 256);
    allocator.refuse = false;
    cr_assert(all_apart(objects, 256, sizeof(int)));
    check_equal(pool_int_256_stats(pool).live, 256);
    pool_int_256_free_n(pool, objects, 256);
}

/* VF_DROP: what it is run on, and when. */

static nodes *node_pool;
static size_t drops;
static void (*on_drop)(node *dropped);

static void drop_node(node *dropped)
{
    drops++;
    dropped->drops++;
    if (on_drop != NULL)
        on_drop(dropped);
}

static void setup_nodes(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    node_pool = nodes_new(&options);
    cr_assert(node_pool != NULL);
    drops = 0;
    on_drop = NULL;
}

static void teardown_nodes(void)
{
    nodes_release(node_pool);
    check_all_back(&allocator);
}

static void push_nodes(node **objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        objects[i] = nodes_push(node_pool, (node){NULL, 0});
}

Test(pool_drop, runs_once_for_each_object_that_is_freed, .init = setup_nodes,
     .fini = teardown_nodes)
{
    node *objects[500];
    push_nodes(objects, 500);
    check_equal(drops, 0);
    for (size_t i = 0; i < 100; i++)
        nodes_free(node_pool, objects[i]);
    check_equal(drops, 100);
    nodes_free_n(node_pool, objects + 100, 300);
    check_equal(drops, 400);
    nodes_cache *cache = nodes_cache_new(node_pool);
    for (size_t i = 400; i < 500; i++)
        nodes_cache_free(cache, objects[i]);
    nodes_cache_release(cache);
    check_equal(drops, 500);
    for (size_t i = 0; i < 500; i++)
        check_equal((size_t)objects[i]->drops, 1); /* free objects keep their contents */
}

Test(pool_drop, does_not_run_on_null_nor_on_what_is_taken, .init = setup_nodes,
     .fini = teardown_nodes)
{
    nodes_free(node_pool, NULL);
    nodes_free_n(node_pool, (node *[]){NULL, NULL}, 2);
    node *object = nodes_push(node_pool, (node){NULL, 7});
    cr_assert(nodes_take(node_pool, object).drops == 7);
    allocator.refuse = true;
    node *objects[100];
    size_t given = 0;
    while (given < 100 && (objects[given] = nodes_alloc(node_pool)) != NULL)
        given++;
    check_equal(given, 64);
    cr_assert(nodes_push(node_pool, (node){NULL, 0}) == NULL);
    allocator.refuse = false;
    check_equal(drops, 0);
    for (size_t i = 0; i < given; i++)
        nodes_take(node_pool, objects[i]);
    check_equal(drops, 0);
}

static void drop_next(node *dropped)
{
    nodes_free(node_pool, dropped->next);
}

Test(pool_drop, may_free_to_the_pool, .init = setup_nodes, .fini = teardown_nodes)
{
    node *list = NULL;
    for (size_t i = 0; i < 2000; i++)
        list = nodes_push(node_pool, (node){list, 0});
    on_drop = drop_next;
    nodes_free(node_pool, list);
    check_equal(drops, 2000);
    check_equal(nodes_stats(node_pool).live, 0);
}

static node *replacements[64];

static void alloc_another(node *dropped)
{
    (void)dropped;
    replacements[drops - 1] = nodes_alloc(node_pool);
}

Test(pool_drop, may_allocate_and_never_gets_what_is_being_freed, .init = setup_nodes,
     .fini = teardown_nodes)
{
    node *objects[128];
    push_nodes(objects, 64);
    on_drop = alloc_another;
    nodes_free_n(node_pool, objects, 64); /* every drop before the pool is touched */
    on_drop = NULL;
    check_equal(drops, 64);
    memcpy(objects + 64, replacements, sizeof replacements);
    cr_assert(all_apart(objects, 128, sizeof(node)));
    check_equal(nodes_stats(node_pool).live, 64);
    nodes_free_n(node_pool, replacements, 64);
}
