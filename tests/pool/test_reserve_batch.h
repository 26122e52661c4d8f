/* SPDX-License-Identifier: MIT */
/*
 * test_reserve_batch.h - one test for reservations in batches of BATCH objects: all counts, all
 * histories of a pool, threads with and without caches.
 */
#define POOL           VF_CAT(pool_twelve_bytes_, BATCH)
#define CALL(function) VF_CAT(POOL, function)

/* Uses up some of the pool, as the history says; how many objects are live then. */
static size_t CALL(_live)(POOL *pool, history before)
{
    if (before == FRESH)
        return 0;
    check_equal(CALL(_alloc_n)(pool, objects, 3000), 3000);
    size_t live = before == PARTLY_LIVE ? 777 : 0;
    CALL(_free_n)(pool, objects + live, 3000 - live);
    if (before == FLUSHED)
        vf_thread_flush();
    return live;
}

static void CALL(_check)(size_t n, history before, size_t cache_objects)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = cache_objects};
    POOL *pool = CALL(_new)(&options);
    cr_assert(pool != NULL);
    size_t live = CALL(_live)(pool, before);

    cr_assert(CALL(_reserve)(pool, n));
    vf_pool_stats stats = CALL(_stats)(pool);
    check_sums(stats, &allocator);
    check_equal(stats.live, live);
    cr_assert(stats.capacity >= live + n);

    allocator.refuse = true;
    for (size_t i = 0; i < n; i++) {
        objects[live + i] = CALL(_alloc)(pool);
        cr_assert(objects[live + i] != NULL, "%zu of %zu were had", i, n);
    }
    check_equal(CALL(_stats)(pool).live, live + n);
    CALL(_free_n)(pool, objects, live + n);
    check_equal(CALL(_stats)(pool).live, 0);
    CALL(_release)(pool);
    check_all_back(&allocator);
}

Test(reserve_in_batches_of, BATCH)
{
    static const size_t cache_objects[] = {0, 10, VF_CACHE_NONE};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t j = 0; j < sizeof cache_objects / sizeof *cache_objects; j++) {
            CALL(_check)(counts[i], FRESH, cache_objects[j]);
            CALL(_check)(counts[i], USED, cache_objects[j]);
            CALL(_check)(counts[i], FLUSHED, cache_objects[j]);
            CALL(_check)(counts[i], PARTLY_LIVE, cache_objects[j]);
        }
    }
}

#undef POOL
#undef CALL
#undef BATCH
