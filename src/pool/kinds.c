/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - the tables of the two kinds of pool, see kind.h.
 */
#include "kind.h"

#include "cached.h"
#include "destroy.h"
#include "release.h"
#include "stats.h"
#include "trim.h"
#include "walk.h"

const vf_kind vf_kind_cached = {
    .alloc = vf_cached_alloc,
    .cache_alloc = vf_cached_alloc_held,
    .reserve = vf_cached_reserve,
    .free = vf_cached_free,
    .cache_free = vf_cached_free_held,
    .free_waited = vf_cached_free_waited,
    .stats = vf_stats_cached,
    .trim = vf_trim_cached,
    .regions = vf_walk_batches,
    .region = vf_walk_batch,
    .find = vf_walk_find_batch,
    .locate = vf_walk_locate,
    .is_free = vf_walk_is_free,
    .close = vf_release_settle_all,
    .live = vf_walk_live_in_batch,
    .claim = vf_destroy_claim,
};

/* ---- capped ---- */

static void *capped_alloc(vf_pool *pool)
{
    return vf_capped_alloc(pool->capped);
}

static void *capped_cache_alloc(vf_pool_cache *cache)
{
    return vf_capped_alloc(cache->pool->capped);
}

static bool capped_reserve(vf_pool *pool, size_t n)
{
    return vf_capped_reserve(pool->capped, n);
}

static void capped_free(vf_pool *pool, void *object)
{
    if (!vf_capped_free(pool->capped, object))
        vf_release_return_last(pool, 1);
}

static void capped_cache_free(vf_pool_cache *cache, void *object)
{
    capped_free(cache->pool, object);
}

static void capped_free_waited(vf_pool *pool, void *const *objects, size_t n)
{
    (void)vf_checks_deferral(pool, objects, n);
    for (size_t i = 0; i < n; i++)
        capped_free(pool, objects[i]);
}

static void capped_stats(vf_pool *pool, vf_pool_stats *stats)
{
    vf_capped_stats(pool->capped, stats);
    stats->retired = vf_min(vf_generations_count_all_retired(pool->handles), stats->live);
    stats->live -= stats->retired;
}

/* Links may be read late, so a span is never given back. */
static size_t capped_trim(vf_pool *pool)
{
    (void)pool;
    return 0;
}

static size_t capped_regions(const vf_pool *pool)
{
    return vf_capped_regions(pool->capped);
}

static vf_region capped_region(const vf_pool *pool, size_t number)
{
    return vf_capped_region(pool->capped, number);
}

static bool capped_find(const vf_pool *pool, const void *address, vf_region *region)
{
    return vf_capped_find(pool->capped, address, region);
}

static size_t capped_locate(const vf_pool *pool, const void *object, size_t *slot)
{
    return vf_capped_locate(pool->capped, object, slot);
}

static bool capped_is_free(const vf_pool *pool, size_t number, size_t slot)
{
    return vf_capped_is_free(pool->capped, number, slot);
}

/* Slots that are retired are in no list of free ones, and not live. */
static int64_t capped_close(vf_pool *pool)
{
    return (int64_t)vf_capped_close(pool->capped) -
           (int64_t)vf_generations_count_all_retired(pool->handles);
}

static size_t capped_live(const vf_pool *pool, size_t number, size_t w, size_t end,
                          vf_walk_words *found)
{
    for (; w < end && found->n < VF_WALK_WORDS; w++) {
        char *first = NULL;
        vf_word live = vf_capped_live(pool->capped, number, w, &first);
        vf_walk_add(found, first, live);
    }
    return w;
}

static bool capped_claim(vf_pool *pool, const void *object)
{
    return vf_capped_claim(pool->capped, object);
}

const vf_kind vf_kind_capped = {
    .alloc = capped_alloc,
    .cache_alloc = capped_cache_alloc,
    .reserve = capped_reserve,
    .free = capped_free,
    .cache_free = capped_cache_free,
    .free_waited = capped_free_waited,
    .stats = capped_stats,
    .trim = capped_trim,
    .regions = capped_regions,
    .region = capped_region,
    .find = capped_find,
    .locate = capped_locate,
    .is_free = capped_is_free,
    .close = capped_close,
    .live = capped_live,
    .claim = capped_claim,
};
