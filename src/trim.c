/*
 * trim.c - gives memory back: P_trim, beside all other calls.
 *
 *     batch:   [ 11111111 | 11111111 ]     all slots free: the memory goes back to the allocator
 *     batch:   [ 11111111 | 11101111 ]     some live: whole pages of free slots are dropped
 *
 * It looks before it takes, so that a pool in use is not emptied for its length. What it has taken
 * is its own, since free slots are never read: only a thread that has taken all N bits of a batch
 * gives back the memory, and only one that has taken the bits of all slots on a page drops it.
 * Other threads find those slots taken meanwhile, one batch at a time.
 */
#include <assert.h>
#include <string.h>

#include "pool.h"

/* Words that are looked at together for whole pages. */
#define WINDOW 64

/* Is every slot of the batch free right now? */
static bool looks_free(const vf_pool *pool, const vf_batch *batch)
{
    for (size_t w = 0; w < pool->batches.shape.words; w++) {
        /* relaxed: a look, before it is taken */
        if (vf_load_relaxed(&batch->free[w]) !=
            vf_batch_mask(&pool->batches, pool->batch_objects, w))
            return false;
    }
    return true;
}

/* Takes all slots of the batch, or none: false. */
static bool take_whole(vf_pool *pool, vf_batch *batch)
{
    for (size_t w = 0; w < pool->batches.shape.words; w++) {
        vf_word all = vf_batch_mask(&pool->batches, pool->batch_objects, w);
        /* acquire: pairs with the OR in vf_depot_give: what was done to the slots comes before the
           memory goes back */
        vf_word taken = vf_exchange_acquire(&batch->free[w], 0);
        if (taken == all)
            continue;
        if (taken != 0)
            vf_depot_give(batch, w, taken);
        while (w-- > 0)
            vf_depot_give(batch, w, vf_batch_mask(&pool->batches, pool->batch_objects, w));
        return false;
    }
    return true;
}

/* Gives back the memory of a batch that was taken whole; how many bytes. */
static size_t give_back(vf_pool *pool, vf_batch *batch)
{
    size_t bytes = pool->batches.shape.bytes;
    pthread_mutex_lock(&pool->growth_lock);
    char *base = vf_batch_close(pool, batch);
    pthread_mutex_unlock(&pool->growth_lock);
    vf_depot_unlist(pool, batch);
    /* The C library may keep what it is given, so the pages go first */
    vf_memory_purge(pool, base, bytes);
    vf_batch_free_memory(pool, base);
    return bytes;
}

/* The place of the first bit from `from` on that is as `set` says; n: there is none. */
static size_t next_bit(const vf_word *words, size_t n, size_t from, bool set)
{
    while (from < n) {
        vf_word word = words[from / VF_WORD_BITS];
        word = (set ? word : ~word) & VF_WORD_ALL << from % VF_WORD_BITS;
        if (word != 0) {
            size_t found = from / VF_WORD_BITS * VF_WORD_BITS + (size_t)__builtin_ctzll(word);
            return found < n ? found : n;
        }
        from = (from / VF_WORD_BITS + 1) * VF_WORD_BITS;
    }
    return n;
}

/* Drops the whole pages of each run of free slots; how many bytes. Or only looks: is there one? */
static size_t drop_pages(vf_pool *pool, char *first, const vf_word *words, size_t n, bool look)
{
    size_t bytes = 0;
    for (size_t begin = next_bit(words, n, 0, true); begin < n;) {
        size_t end = next_bit(words, n, begin, false);
        char *memory = first + begin * pool->stride;
        size_t size = (end - begin) * pool->stride;
        bytes += look ? vf_memory_pages(pool, memory, size) : vf_memory_purge(pool, memory, size);
        begin = next_bit(words, n, end, true);
    }
    return bytes;
}

/* Of the slots of up to WINDOW words, the first of which is w; how many bytes. */
static size_t trim_window(vf_pool *pool, vf_batch *batch, size_t w, size_t count)
{
    vf_word words[WINDOW];
    size_t offset = w * VF_WORD_BITS * pool->stride;
    char *base = vf_batch_base(batch);
    for (size_t i = 0; i < count; i++)
        words[i] = vf_load_relaxed(&batch->free[w + i]); /* a look, which may be at another base */
    if (base == NULL || drop_pages(pool, base + offset, words, count * VF_WORD_BITS, true) == 0)
        return 0;
    vf_word any = 0;
    for (size_t i = 0; i < count; i++) {
        words[i] = vf_exchange_acquire(&batch->free[w + i], 0); /* as in take_whole */
        any |= words[i];
    }
    if (any == 0)
        return 0;
    /* relaxed: while a slot is in hand the memory is there, and was acquired with the slot */
    base = vf_load_relaxed(&batch->base);
    size_t bytes = drop_pages(pool, base + offset, words, count * VF_WORD_BITS, false);
    for (size_t i = 0; i < count; i++) {
        if (words[i] != 0)
            vf_depot_give(batch, w + i, words[i]);
    }
    return bytes;
}

static size_t trim_pages(vf_pool *pool, vf_batch *batch)
{
    size_t bytes = 0;
    for (size_t w = 0; w < pool->batches.shape.words; w += WINDOW) {
        size_t left = pool->batches.shape.words - w;
        bytes += trim_window(pool, batch, w, left < WINDOW ? left : WINDOW);
    }
    return bytes;
}

size_t vf_pool_core_trim(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    if (pool->capped != NULL)
        return 0; /* its links may be read late */
    size_t bytes = vf_caches_flush_own(pool);
    vf_caches_seize(pool);
    /* acquire: pairs with the release in add_record */
    size_t count = vf_load_acquire(&pool->batches.count);
    for (size_t number = 0; number < count; number++) {
        vf_batch *batch = vf_batch_at(&pool->batches, number);
        if (looks_free(pool, batch) && take_whole(pool, batch))
            bytes += give_back(pool, batch);
        else if (pool->purge != NULL)
            bytes += trim_pages(pool, batch);
    }
    return bytes;
}
