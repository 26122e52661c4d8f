/* SPDX-License-Identifier: MIT */
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
#include "trim.h"

#include "map.h"
#include "seize.h"

/* Words that are looked at together for whole pages. */
#define WINDOW 64

/* Is every slot of the batch free right now? */
static bool looks_free(const vf_pool *pool, const vf_batch *batch)
{
    for (size_t w = 0; w < vf_pool_shape(pool)->words; w++) {
        /* relaxed: a look, before it is taken */
        if (vf_load_relaxed(&batch->free[w]) != vf_batch_usable(&pool->depot.batches, batch, w))
            return false;
    }
    return true;
}

/* Takes all slots of the batch, or none: false. */
static bool take_whole(vf_pool *pool, vf_batch *batch)
{
    for (size_t w = 0; w < vf_pool_shape(pool)->words; w++) {
        vf_word all = vf_batch_usable(&pool->depot.batches, batch, w);
        /* acquire: pairs with the addition in vf_depot_give: what was done to the slots comes
           before the memory goes back */
        vf_word taken = vf_exchange_acquire(&batch->free[w], 0);
        if (taken == all)
            continue;
        if (taken != 0)
            vf_depot_give(batch, w, taken);
        while (w-- > 0)
            vf_depot_give(batch, w, vf_batch_usable(&pool->depot.batches, batch, w));
        return false;
    }
    return true;
}

/* Gives back the memory of a batch that was taken whole; how many bytes. Its retired slots count as
   taken no more. */
static size_t give_back_batch(vf_pool *pool, vf_batch *batch)
{
    size_t bytes = vf_pool_shape(pool)->bytes;
    size_t retired = vf_generations_count_retired(pool->handles, batch->number);
    if (retired > 0)
        vf_fetch_add_relaxed(&pool->depot.taken, (size_t)0 - retired); /* a number */
    vf_mutex_lock(&pool->growth);
    char *base = vf_batch_close(&pool->depot.batches, batch);
    vf_mutex_unlock(&pool->growth);
    vf_map_trim(base, bytes);
    vf_listed_remove(&pool->depot.batches, batch);
    /* The C library may keep what it is given, so the pages go first */
    vf_memory_purge(&pool->memory, base, bytes);
    vf_batch_free_memory(&pool->depot.batches, base);
    return bytes;
}

/* Drops the whole pages of each run of free slots; how many bytes. Or only looks: is there one? */
static size_t drop_pages(vf_pool *pool, char *first, const vf_word *words, size_t n, bool look)
{
    size_t bytes = 0;
    for (size_t begin = vf_bits_next(words, n, 0, true); begin < n;) {
        size_t end = vf_bits_next(words, n, begin, false);
        char *memory = first + begin * vf_pool_shape(pool)->stride;
        size_t size = (end - begin) * vf_pool_shape(pool)->stride;
        bytes += look ? vf_memory_pages(&pool->memory, memory, size)
                      : vf_memory_purge(&pool->memory, memory, size);
        begin = vf_bits_next(words, n, end, true);
    }
    return bytes;
}

/* Of the slots of up to WINDOW words, the first of which is w; how many bytes. */
static size_t trim_window(vf_pool *pool, vf_batch *batch, size_t w, size_t count)
{
    vf_word words[WINDOW];
    size_t offset = w * VF_WORD_BITS * vf_pool_shape(pool)->stride;
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
    for (size_t w = 0; w < vf_pool_shape(pool)->words; w += WINDOW) {
        bytes += trim_window(pool, batch, w, vf_min(vf_pool_shape(pool)->words - w, WINDOW));
    }
    return bytes;
}

size_t vf_trim_cached(vf_pool *pool)
{
    size_t bytes = vf_seize_own(pool);
    vf_seize_all(pool);
    /* acquire: pairs with the release in vf_batch_new */
    size_t count = vf_load_acquire(&pool->depot.batches.count);
    for (size_t number = 0; number < count; number++) {
        vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
        if (looks_free(pool, batch) && take_whole(pool, batch))
            bytes += give_back_batch(pool, batch);
        else if (pool->memory.purge != NULL)
            bytes += trim_pages(pool, batch);
    }
    return bytes;
}
