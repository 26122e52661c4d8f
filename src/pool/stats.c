/* SPDX-License-Identifier: MIT */
/*
 * stats.c - a pool in numbers, at no cost to alloc and free: what they leave behind is added up
 * when somebody asks.
 */
#include "stats.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../platform/cancel.h"
#include "epoch.h"
#include "kind.h"
#include "release.h"

static size_t clamp(int64_t n, size_t most)
{
    return n < 0 ? 0 : (uint64_t)n > most ? most : (size_t)n;
}

/* Slots in a cache whose owner may be moving it to another array: while it does, it is empty. */
static int64_t count_from_afar(const vf_pool_cache *cache)
{
    uintptr_t top = (uintptr_t)vf_load_relaxed(&cache->fast.top);
    uintptr_t bottom = (uintptr_t)vf_load_relaxed(&cache->fast.bottom);
    size_t count = (top - bottom) / sizeof(void *);
    return top >= bottom && count <= cache->pool->cache_limit ? (int64_t)count : 0;
}

/* Live objects of an uncapped pool that is not released; *cached: free ones in caches. Both exact
   if no other thread is inside a call. */
static int64_t live_objects(const vf_pool *pool, int64_t *cached)
{
    /* acquire: pairs with vf_release_return in vf_attach_detach, which comes after in was set to 0:
       what is live is not counted twice */
    int64_t live = vf_load_acquire(&pool->outstanding) - VF_RELEASE_NOT_YET;
    *cached = 0;
    /* acquire: pairs with the release in vf_cache_add */
    const vf_pool_cache *cache = vf_load_acquire(&pool->caches);
    for (; cache != NULL; cache = cache->next) {
        /* acquire: pairs with the release of in, which comes after the count that it goes with */
        live += vf_load_acquire(&cache->in);
        int64_t count = count_from_afar(cache);
        live -= count;
        /* relaxed: what seize.c has put into the depot is still part of in, and of count */
        *cached += count - (int64_t)vf_load_relaxed(&cache->seized);
    }
    return live;
}

/* Slots that were never handed out, of batches that have memory. */
static size_t fresh_slots(const vf_pool *pool)
{
    size_t fresh = 0;
    /* acquire: pairs with the release in vf_batch_new */
    size_t count = vf_load_acquire(&pool->depot.batches.count);
    for (size_t number = 0; number < count; number++) {
        const vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
        size_t begun = vf_load_relaxed(&batch->begun);
        if (vf_batch_base(batch) != NULL && begun < pool->depot.batches.shape.words)
            fresh += vf_pool_shape(pool)->objects - begun * VF_WORD_BITS;
    }
    return fresh;
}

void vf_stats_cached(vf_pool *pool, vf_pool_stats *stats)
{
    int64_t cached;
    stats->batches = vf_load_relaxed(&pool->depot.batches.held);
    stats->capacity = stats->batches * vf_pool_shape(pool)->objects;
    stats->fresh = clamp((int64_t)fresh_slots(pool), stats->capacity);
    int64_t live = live_objects(pool, &cached);

    size_t begun = stats->capacity - stats->fresh;
    stats->retired = vf_min(vf_generations_count_all_retired(pool->handles), begun);
    stats->live = clamp(live, begun - stats->retired);
    stats->cached = clamp(cached, begun - stats->retired - stats->live);
    stats->depot = begun - stats->retired - stats->live - stats->cached;
    vf_depot_note_peak(&pool->depot, stats->live);
    stats->peak = clamp((int64_t)vf_load_relaxed(&pool->depot.peak), stats->capacity);
}

bool vf_stats_may_have_free(const vf_pool *pool)
{
    int64_t cached;
    return live_objects(pool, &cached) < (int64_t)vf_depot_capacity(&pool->depot);
}

/* Slots that are free in the depot. */
static size_t free_slots(const vf_pool *pool)
{
    size_t n = 0;
    for (size_t number = 0; number < pool->depot.batches.count; number++) {
        const vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
        for (size_t w = 0; w < vf_pool_shape(pool)->words; w++)
            n += vf_bits_count(vf_load_relaxed(&batch->free[w])); /* no other call runs */
    }
    return n;
}

bool vf_stats_add_up(const vf_pool *pool)
{
    assert(vf_lock_held());
    int64_t cached;
    size_t capacity = vf_depot_capacity(&pool->depot);
    int64_t live = live_objects(pool, &cached);
    size_t retired = vf_generations_count_all_retired(pool->handles);
    int64_t taken = (int64_t)(capacity - free_slots(pool) - retired);
    /* In the child of a fork, what other threads were about to count is lost. Without capacity it
       is a pool of VF_BYPASS, or was never used. */
    return pool->depot.has_forked || capacity == 0 || (cached == 0 && live == taken);
}

void vf_pool_core_stats(const vf_pool_core *core, vf_pool_stats *stats, size_t stats_size)
{
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)core);
    vf_pool_stats all = {
        .batch_objects = vf_pool_shape(pool)->objects,
        .stride = vf_pool_shape(pool)->stride,
    };
    pool->kind->stats(pool, &all);
    all.deferred = vf_min(vf_epoch_deferred(pool), all.live);
    all.bytes =
        vf_load_relaxed(&pool->memory.bytes); /* after batches: it has those that were counted */
    /* a program built against a version with fewer or more numbers gets those it knows */
    memset(stats, 0, stats_size);
    memcpy(stats, &all, vf_min(stats_size, sizeof all));
}

/* Numbers stand one below the other where names and what is before them are no longer together. */
#define HEAD_WIDTH ((size_t)144)

void vf_pool_stats_print_sized(FILE *out, const char *name, const vf_pool_stats *known, size_t size)
{
    vf_pool_stats all = {0}; /* what the program does not know of is not read */
    const vf_pool_stats *stats = memcpy(&all, known, vf_min(size, sizeof all));
    char text[256];
    snprintf(text, sizeof text,
             "Pool { %zu blocks, %zu elements with %zu stride in each. "
             "%zu bytes allocated total for %zu possible elements }",
             stats->batches, stats->batch_objects, stats->stride, stats->bytes, stats->capacity);
    size_t length = strlen(name) + strlen(text);
    int blanks = length < HEAD_WIDTH ? (int)(HEAD_WIDTH - length) : 0;
    int state = vf_cancel_off();
    int saved = errno; /* a stream's first line makes the C library ask what the stream is */
    char retired[32] = "";
    if (stats->retired > 0)
        snprintf(retired, sizeof retired, ", %7zu retired", stats->retired);
    /* one call, so that lines of several threads do not mix */
    int printed = fprintf(out,
                          "%s: %s%*s %7zu live, %7zu cached, %7zu depot, %7zu fresh, "
                          "%7zu deferred, %7zu peak%s\n",
                          name, text, blanks, "", stats->live, stats->cached, stats->depot,
                          stats->fresh, stats->deferred, stats->peak, retired);
    if (printed >= 0)
        errno = saved;
    vf_cancel_restore(state);
}
