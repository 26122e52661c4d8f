/*
 * stats.c - a pool in numbers, at no cost to alloc and free: what they leave behind is added up
 * when somebody asks.
 */
#include <errno.h>
#include <string.h>

#include "cancel.h"
#include "pool.h"

static size_t clamp(int64_t n, size_t most)
{
    return n < 0 ? 0 : (uint64_t)n > most ? most : (size_t)n;
}

/* Slots in a cache whose owner may be moving it to another array: while it does, it is empty. */
static int64_t count_from_afar(const vf_thread_cache *cache)
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
    /* acquire: pairs with vf_pool_return in vf_cache_detach, which comes after in was set to 0:
       what is live is not counted twice */
    int64_t live = vf_load_acquire(&pool->outstanding) - VF_NOT_RELEASED;
    *cached = 0;
    /* acquire: pairs with the release in vf_cache_new */
    const vf_thread_cache *cache = vf_load_acquire(&pool->caches);
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

/* relaxed throughout: a number for reports orders nothing */
static void raise_peak(vf_pool *pool, size_t live)
{
    size_t peak = vf_load_relaxed(&pool->peak);
    while (live > peak && !vf_cas_weak_relaxed(&pool->peak, &peak, live)) {
    }
}

/* Called where a cache is filled: only then can more be live than ever. As live counts also what
   other threads' caches have, which would take a look at each of them. */
void vf_pool_note_peak(vf_pool *pool, size_t live)
{
    raise_peak(pool, live < VF_POOL_SLOTS_MAX ? live : VF_POOL_SLOTS_MAX);
}

/* Slots that were never handed out, of batches that have memory. */
static size_t fresh_slots(const vf_pool *pool)
{
    size_t fresh = 0;
    /* acquire: pairs with the release in add_record */
    size_t count = vf_load_acquire(&pool->batches.count);
    for (size_t number = 0; number < count; number++) {
        const vf_batch *batch = vf_batch_at(&pool->batches, number);
        size_t begun = vf_load_relaxed(&batch->begun);
        if (vf_batch_base(batch) != NULL && begun < pool->batches.shape.words)
            fresh += pool->batch_objects - begun * VF_WORD_BITS;
    }
    return fresh;
}

static void uncapped_stats(vf_pool *pool, vf_pool_stats *stats)
{
    int64_t cached;
    stats->batches = vf_load_relaxed(&pool->batches.held);
    stats->capacity = stats->batches * pool->batch_objects;
    stats->fresh = clamp((int64_t)fresh_slots(pool), stats->capacity);
    int64_t live = live_objects(pool, &cached);

    size_t begun = stats->capacity - stats->fresh;
    stats->live = clamp(live, begun);
    stats->cached = clamp(cached, begun - stats->live);
    stats->depot = begun - stats->live - stats->cached;
    raise_peak(pool, stats->live);
    stats->peak = clamp((int64_t)vf_load_relaxed(&pool->peak), stats->capacity);
}

/* May any slot be free? True, where that is in doubt. */
bool vf_pool_has_free(vf_pool *pool)
{
    int64_t cached;
    size_t capacity = vf_load_relaxed(&pool->batches.held) * pool->batch_objects;
    return live_objects(pool, &cached) < (int64_t)capacity;
}

void vf_pool_core_stats(const vf_pool_core *core, vf_pool_stats *stats, size_t stats_size)
{
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)core);
    vf_pool_stats all = {
        .batch_objects = pool->batch_objects,
        .stride = pool->stride,
    };
    if (pool->capped != NULL)
        vf_capped_stats(pool, &all);
    else
        uncapped_stats(pool, &all);
    size_t deferred = vf_epoch_deferred(pool);
    all.deferred = deferred < all.live ? deferred : all.live;
    all.bytes = vf_load_relaxed(&pool->bytes); /* after batches: it has those that were counted */
    /* a program built against a version with fewer or more numbers gets those it knows */
    memset(stats, 0, stats_size);
    memcpy(stats, &all, stats_size < sizeof all ? stats_size : sizeof all);
}

/* Numbers stand one below the other where names and what is before them are no longer together. */
#define HEAD_WIDTH ((size_t)144)

void vf_pool_stats_print_sized(FILE *out, const char *name, const vf_pool_stats *known, size_t size)
{
    vf_pool_stats all = {0}; /* what the program does not know of is not read */
    const vf_pool_stats *stats = memcpy(&all, known, size < sizeof all ? size : sizeof all);
    char text[256];
    snprintf(text, sizeof text,
             "Pool { %zu blocks, %zu elements with %zu stride in each. "
             "%zu bytes allocated total for %zu possible elements }",
             stats->batches, stats->batch_objects, stats->stride, stats->bytes, stats->capacity);
    size_t length = strlen(name) + strlen(text);
    int blanks = length < HEAD_WIDTH ? (int)(HEAD_WIDTH - length) : 0;
    int state = vf_cancel_off();
    int saved = errno; /* a stream's first line makes the C library ask what the stream is */
    /* one call, so that lines of several threads do not mix */
    int printed = fprintf(
        out, "%s: %s%*s %7zu live, %7zu cached, %7zu depot, %7zu fresh, %7zu deferred, %7zu peak\n",
        name, text, blanks, "", stats->live, stats->cached, stats->depot, stats->fresh,
        stats->deferred, stats->peak);
    if (printed >= 0)
        errno = saved;
    vf_cancel_as_before(state);
}
