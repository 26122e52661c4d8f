/* SPDX-License-Identifier: MIT */
/*
 * test_sized.c - pools of a size known at run time: what they refuse, and that each call does what
 * the call of a typed pool does. (In programs at random: tests/random/pool_sized.h.)
 */
#include <veryfast/sized.h>

#include "test_common.h"

#define MOST 300

static test_allocator allocator;
static vf_pool_options options;
static vf_sized_pool *pool;
static unsigned char *objects[MOST];

/* With caches, small ones, without, and with a cap. */
static const struct {
    size_t cache_objects, max_objects;
} kinds[] = {{0, 0}, {7, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void open_pool(int kind, size_t size, size_t alignment, size_t batch_objects)
{
    allocator = (test_allocator){0};
    options = (vf_pool_options){.allocator = test_allocator_hook(&allocator),
                                .cache_objects = kinds[kind].cache_objects,
                                .max_objects = kinds[kind].max_objects};
    pool = vf_sized_pool_new(size, alignment, batch_objects, &options);
    cr_assert(pool != NULL);
}

static size_t live(void)
{
    vf_pool_stats stats = vf_sized_pool_stats(pool);
    check_sums(stats, &allocator);
    return stats.live;
}

Test(sized, objects_are_as_large_and_as_aligned_as_was_asked_for)
{
    static const struct {
        size_t size, alignment, batch;
    } shapes[] = {{1, 1, 1},     {1, 64, 5},  {3, 2, 1000}, {24, 8, 0},      {40, 16, 7},
                  {1000, 32, 0}, {64, 64, 3}, {9, 4096, 2}, {100000, 16, 0}, {65536, 1, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int kind = 0; kind < KINDS; kind++) {
            open_pool(kind, shapes[i].size, shapes[i].alignment, shapes[i].batch);
            for (size_t k = 0; k < 50; k++) {
                objects[k] = vf_sized_alloc(pool);
                cr_assert((uintptr_t)objects[k] % shapes[i].alignment == 0);
                memset(objects[k], (int)k, shapes[i].size);
            }
            for (size_t k = 0; k < 50; k++) {
                cr_assert(objects[k][0] == k && objects[k][shapes[i].size - 1] == k);
                vf_sized_free(pool, objects[k]);
            }
            check_equal(live(), 0);
            vf_sized_pool_release(pool);
            check_all_back(&allocator);
        }
    }
}

Test(sized, a_batch_is_as_large_as_was_asked_for_or_64_KiB)
{
    open_pool(0, 40, 8, 123);
    check_equal(vf_sized_pool_stats(pool).batch_objects, 123);
    vf_sized_pool_release(pool);
    open_pool(0, 41, 8, 0);
    check_equal(vf_sized_pool_stats(pool).batch_objects, 65536 / 48);
    vf_sized_pool_release(pool);
    open_pool(0, 1, 1, 0);
    check_equal(vf_sized_pool_stats(pool).batch_objects, 65536);
    vf_sized_pool_release(pool);
    open_pool(0, 65537, 1, 0);
    check_equal(vf_sized_pool_stats(pool).batch_objects, 1);
    vf_sized_pool_release(pool);
}

Test(sized, what_makes_no_sense_is_refused)
{
    check_refused(EINVAL, vf_sized_pool_new(0, 8, 10, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(0, 0, 0, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(8, 0, 10, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(8, 0, 0, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(8, 24, 10, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(SIZE_MAX, 8, 0, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(SIZE_MAX - 6, 8, 1, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(SIZE_MAX / 8, 8, 1000, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(8, 8, SIZE_MAX, NULL) == NULL);
    check_refused(EINVAL, vf_sized_pool_new(8, SIZE_MAX / 2 + 1, 1, NULL) == NULL);
    vf_pool_options half = {.allocator = {.alloc = test_allocator_hook(&allocator).alloc}};
    check_refused(EINVAL, vf_sized_pool_new(8, 8, 1, &half) == NULL);
}

/* Two sizes of one name would be a misuse in a checked build. */
Test(sized, pools_of_all_sizes_live_side_by_side)
{
    vf_sized_pool *pools[40];
    void *out[40];
    for (size_t i = 0; i < 40; i++) {
        pools[i] = vf_sized_pool_new(8 * (i + 1), 8, i % 3 * 10, NULL);
        out[i] = vf_sized_alloc(pools[i]);
        cr_assert(out[i] != NULL);
    }
    for (size_t i = 0; i < 40; i++) {
        cr_assert(vf_sized_pool_owns(pools[i], out[i]));
        cr_assert(i == 39 || !vf_sized_pool_owns(pools[i + 1], out[i]));
        if (i % 2 == 0)
            vf_free(out[i]);
        else
            vf_sized_free(pools[i], out[i]);
        check_equal(vf_sized_pool_stats(pools[i]).live, 0);
        vf_sized_pool_release(pools[i]);
    }
}

Test(sized, many_at_once_and_by_held_caches)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_pool(kind, 20, 4, 16);
        cr_assert(vf_sized_pool_reserve(pool, 100));
        check_equal(vf_sized_alloc_n(pool, (void **)objects, MOST), MOST);
        check_equal(live(), MOST);
        if (kinds[kind].max_objects != 0)
            check_refused(ENOMEM, vf_sized_alloc(pool) == NULL);
        unsigned char *one = objects[5];
        objects[5] = NULL;
        vf_sized_free_n(pool, (void *const *)objects, MOST);
        check_equal(live(), 1);
        vf_sized_cache *cache = vf_sized_cache_new(pool);
        vf_sized_cache_free(cache, one);
        vf_sized_cache_free(cache, NULL);
        void *other = vf_sized_cache_alloc(cache);
        check_equal(live(), 1);
        vf_sized_pool_release(pool);
        vf_sized_cache_free(cache, other);
        vf_sized_cache_release(cache);
        vf_sized_cache_release(NULL);
        check_all_back(&allocator);
    }
}

static void sum(void *object, void *context)
{
    *(size_t *)context += *(unsigned char *)object;
}

Test(sized, walks_give_each_live_object_once)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_pool(kind, 5, 1, 32);
        size_t expected = 0, found = 0;
        for (size_t i = 0; i < 200; i++) {
            objects[i] = vf_sized_alloc(pool);
            *objects[i] = (unsigned char)i;
        }
        for (size_t i = 0; i < 200; i += 3)
            vf_sized_free(pool, objects[i]);
        for (size_t i = 0; i < 200; i++)
            expected += i % 3 != 0 ? i : 0;
        cr_assert(vf_sized_pool_each(pool, sum, &found));
        check_equal(found, expected);
        found = 0;
        vf_sized_walk walk = vf_sized_walk_begin(pool);
        for (void *object; (object = vf_sized_walk_next(&walk)) != NULL;)
            sum(object, &found);
        vf_sized_walk_end(&walk);
        check_equal(found, expected);
        found = 0;
        vf_sized_walk parts[3];
        for (size_t i = 0; i < 3; i++)
            parts[i] = vf_sized_walk_part(pool, i, 3);
        for (size_t i = 0; i < 3; i++) {
            for (void *object; (object = vf_sized_walk_next(&parts[i])) != NULL;)
                sum(object, &found);
            vf_sized_walk_end(&parts[i]);
        }
        check_equal(found, expected);
        vf_sized_pool_destroy(pool);
        check_all_back(&allocator);
    }
}

Test(sized, memory_goes_back_by_trim_release_and_destroy)
{
    for (int kind = 0; kind < KINDS; kind++) {
        open_pool(kind, 4096, 8, 4);
        for (size_t i = 0; i < 100; i++)
            objects[i] = vf_sized_alloc(pool);
        for (size_t i = 1; i < 100; i++)
            vf_sized_free(pool, objects[i]);
        size_t before = atomic_load(&allocator.bytes);
        size_t trimmed = vf_sized_pool_trim(pool);
        cr_assert(trimmed == 0 || atomic_load(&allocator.bytes) < before);
        cr_assert(trimmed > 0 || kinds[kind].max_objects != 0 || before < 65536);
        vf_sized_pool_release(pool);
        cr_assert(atomic_load(&allocator.bytes) > 0);
        vf_sized_free(pool, NULL);
        vf_sized_free(pool, objects[0]);
        check_all_back(&allocator);
    }
    vf_sized_pool_release(NULL);
    vf_sized_pool_destroy(NULL);
}

/* Each call of the allocator fails in turn. */
Test(sized, nothing_has_changed_where_memory_is_out)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t fail_at = 1, failed = 1; failed > 0; fail_at++) {
            failed = 0;
            allocator = (test_allocator){.fail_at = fail_at};
            options.cache_objects = kinds[kind].cache_objects;
            options.max_objects = kinds[kind].max_objects;
            options.allocator = test_allocator_hook(&allocator);
            while ((pool = vf_sized_pool_new(48, 8, 10, &options)) == NULL)
                failed++;
            for (size_t i = 0; i < 100; i++) {
                while ((objects[i] = vf_sized_alloc(pool)) == NULL) {
                    cr_assert(errno == ENOMEM);
                    check_equal(live(), i);
                    failed++;
                }
            }
            cr_assert(failed <= 1);
            if (atomic_load(&allocator.calls) >= fail_at)
                failed = 1; /* the library did without */
            vf_sized_pool_destroy(pool);
            check_all_back(&allocator);
        }
    }
}
