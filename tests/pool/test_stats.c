/* SPDX-License-Identifier: MIT */
/*
 * test_stats.c - a pool in numbers, compared with what the test itself has counted.
 */
#include "support/threads.h"
#include "test_common.h"

#define VF_T short
#define VF_N 50
#include <veryfast/pool.h>

#define MOST 4000

static short *objects[MOST];

static test_allocator allocator;
static pool_short_50 *pool;

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    pool = pool_short_50_new(&options);
    cr_assert(pool != NULL);
}

static void teardown(void)
{
    pool_short_50_release(pool);
    check_all_back(&allocator);
}

/* One random call on a pool in which n objects are live; how many are after it. */
static size_t step(pool_short_50_cache *cache, size_t n, uint64_t *random)
{
    size_t part = test_random_below(random, 200);
    switch (test_random(random) % 8) {
    case 0:
        for (; part > 0 && n < MOST; part--)
            objects[n++] = pool_short_50_alloc(pool);
        break;
    case 1:
        part = part < MOST - n ? part : MOST - n;
        return n + pool_short_50_alloc_n(pool, objects + n, part);
    case 2:
        for (; part > 0 && n < MOST; part--)
            objects[n++] = pool_short_50_cache_alloc(cache);
        break;
    case 3:
        for (; part > 0 && n > 0; part--)
            pool_short_50_free(pool, objects[--n]);
        break;
    case 4:
        part = part < n ? part : n;
        pool_short_50_free_n(pool, objects + n - part, part);
        return n - part;
    case 5:
        for (; part > 0 && n > 0; part--)
            pool_short_50_cache_free(cache, objects[--n]);
        break;
    case 6:
        for (; part > 0 && n > 0; part--)
            pool_short_50_take(pool, objects[--n]);
        break;
    default:
        if (part < 20)
            vf_thread_flush();
        else if (part < 40)
            pool_short_50_reserve(pool, part * 10);
        break;
    }
    return n;
}

Test(stats, add_up_and_are_exact_after_each_call, .init = setup, .fini = teardown)
{
    pool_short_50_cache *cache = pool_short_50_cache_new(pool);
    uint64_t random = 1;
    size_t live = 0;
    size_t peak = 0;
    for (int i = 0; i < 20000; i++) {
        live = step(cache, live, &random);
        peak = live > peak ? live : peak;
        vf_pool_stats stats = pool_short_50_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.live, live);
        /* every step ends with a look; where a cache was filled, what the other one had counts, too
         */
        cr_assert(stats.peak >= peak && stats.peak <= stats.capacity);
        peak = stats.peak;
        check_equal(stats.capacity, stats.batches * 50);
        check_equal(stats.deferred, 0);
    }
    pool_short_50_free_n(pool, objects, live);
    pool_short_50_cache_release(cache);
}

Test(stats, say_where_free_objects_are, .init = setup, .fini = teardown)
{
    check_equal(pool_short_50_alloc_n(pool, objects, 120), 120);
    vf_pool_stats stats = pool_short_50_stats(pool);
    check_equal(stats.batches, 3);
    check_equal(stats.live, 120);
    check_equal(stats.depot, 0);
    check_equal(stats.cached + stats.fresh, 30);

    pool_short_50_free_n(pool, objects, 120);
    stats = pool_short_50_stats(pool);
    check_equal(stats.live, 0);
    check_equal(stats.cached + stats.depot + stats.fresh, 150);
    cr_assert(stats.cached > 0);

    vf_thread_flush();
    stats = pool_short_50_stats(pool);
    check_equal(stats.cached, 0);
    check_equal(stats.depot + stats.fresh, 150);
    cr_assert(stats.depot >= 120);
}

Test(stats, peak_is_seen_where_the_pool_grows_and_stays, .init = setup, .fini = teardown)
{
    pool_short_50_free(pool, pool_short_50_alloc(pool));
    check_equal(pool_short_50_stats(pool).peak, 1); /* by the slow call that has filled the cache */
    check_equal(pool_short_50_alloc_n(pool, objects, 1000), 1000);
    pool_short_50_free_n(pool, objects, 1000); /* nobody has asked for numbers until here */
    size_t peak = pool_short_50_stats(pool).peak;
    cr_assert(peak > 1000 - 64 && peak <= 1000, "the peak is %zu", peak);
    check_equal(pool_short_50_alloc_n(pool, objects, 10), 10);
    check_equal(pool_short_50_stats(pool).peak, peak);
    check_equal(pool_short_50_alloc_n(pool, objects + 10, 1990), 1990);
    check_equal(pool_short_50_stats(pool).peak, 2000);
    pool_short_50_free_n(pool, objects, 2000);
}

static void *cache_some(void *none)
{
    for (size_t i = 0; i < 100; i++)
        objects[i] = pool_short_50_alloc(pool);
    pool_short_50_free_n(pool, objects, 100);
    return none;
}

/* As long as there is one cache, the peak is what was live when it was filled, and one. */
Test(stats, peak_counts_what_other_caches_have, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 500; i++) {
        objects[i] = pool_short_50_alloc(pool);
        size_t peak = pool_short_50_stats(pool).peak;
        cr_assert(peak == i + 1, "%zu live, the peak is %zu", i + 1, peak);
    }
    pool_short_50_cache *cache = pool_short_50_cache_new(pool);
    pool_short_50_cache_free(cache, pool_short_50_cache_alloc(cache));
    size_t cached = pool_short_50_stats(pool).cached;
    for (size_t i = 500; i < 1000; i++)
        objects[i] = pool_short_50_alloc(pool);
    vf_pool_stats stats = pool_short_50_stats(pool);
    cr_assert(stats.peak >= 1000 && stats.peak <= 1000 + cached, "the peak is %zu", stats.peak);
    pool_short_50_free_n(pool, objects, 1000);
    pool_short_50_cache_release(cache);
    test_run_threads(1, cache_some, (void *[]){NULL}); /* a thread that ends leaves nothing */
    check_equal(pool_short_50_stats(pool).peak, stats.peak);
}

/* A program built against a version with fewer or more numbers. */
Test(stats, fill_as_much_as_the_caller_knows, .init = setup, .fini = teardown)
{
    check_equal(pool_short_50_alloc_n(pool, objects, 10), 10);
    struct {
        vf_pool_stats known;
        size_t newer[4];
    } stats;
    memset(&stats, 0xFF, sizeof stats);
    vf_pool_core_stats((vf_pool_core *)pool, &stats.known, offsetof(vf_pool_stats, live));
    check_equal(stats.known.batches, 1);
    check_equal(stats.known.capacity, 50);
    check_equal(stats.known.live, SIZE_MAX); /* untouched */

    vf_pool_core_stats((vf_pool_core *)pool, &stats.known, sizeof stats);
    check_equal(stats.known.live, 10);
    check_equal(stats.newer[0] + stats.newer[3], 0);
    pool_short_50_free_n(pool, objects, 10);
}

static void check_printed(const char *name, const vf_pool_stats *stats, const char *expected)
{
    char line[1000] = "";
    FILE *out = tmpfile();
    cr_assert(out != NULL);
    errno = EXDEV;
    vf_pool_stats_print(out, name, stats);
    cr_assert(errno == EXDEV);
    rewind(out);
    size_t length = fread(line, 1, sizeof line - 1, out);
    fclose(out);
    line[length] = 0;
    cr_assert(strcmp(line, expected) == 0, "printed: %s", line);
}

Test(stats, print_as_one_line_below_another)
{
    vf_pool_stats stats = {
        .batches = 2,
        .batch_objects = 256,
        .stride = 64,
        .bytes = 33380,
        .capacity = 512,
        .live = 300,
        .cached = 20,
        .depot = 1,
        .fresh = 191,
        .deferred = 3,
        .peak = 320,
    };
    check_printed(
        "particles", &stats,
        "particles: Pool { 2 blocks, 256 elements with 64 stride in each. "
        "33380 bytes allocated total for 512 possible elements }                          "
        "     300 live,      20 cached,       1 depot,     191 fresh,       3 deferred,     320 "
        "peak\n");
    check_printed("", &(vf_pool_stats){0},
                  ": Pool { 0 blocks, 0 elements with 0 stride in each. "
                  "0 bytes allocated total for 0 possible elements }                               "
                  "             "
                  "       0 live,       0 cached,       0 depot,       0 fresh,       0 deferred,  "
                  "     0 peak\n");
    check_printed("of a name that is so long that nothing can stand below its numbers",
                  &(vf_pool_stats){0},
                  "of a name that is so long that nothing can stand below its numbers: Pool { 0 "
                  "blocks, 0 elements with 0 stride in each. "
                  "0 bytes allocated total for 0 possible elements }"
                  "       0 live,       0 cached,       0 depot,       0 fresh,       0 deferred,  "
                  "     0 peak\n");
}

/* A program that was built against a version with fewer or more numbers says how many it knows. */
Test(stats, print_of_another_version)
{
    struct {
        vf_pool_stats known;
        size_t newer[4];
    } stats = {{.live = 300, .deferred = 3, .peak = 320}, {5, 6, 7, 8}};
    const size_t sizes[] = {offsetof(vf_pool_stats, peak), sizeof stats};
    for (size_t i = 0; i < 2; i++) {
        char line[1000] = "";
        FILE *out = tmpfile();
        cr_assert(out != NULL);
        vf_pool_stats_print_sized(out, "particles", &stats.known, sizes[i]);
        rewind(out);
        line[fread(line, 1, sizeof line - 1, out)] = 0;
        fclose(out);
        const char *end = i == 0 ? " 3 deferred,       0 peak\n" : " 3 deferred,     320 peak\n";
        cr_assert(strstr(line, end) != NULL, "printed: %s", line);
    }
}
