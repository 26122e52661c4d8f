/*
 * batch.c - batches: allocated under the growth lock, carved without.
 *
 *     current            current->next
 *        |                   |
 *     [ ######## . . . ]  [ . . . . . . ]        # carved   . fresh
 *               ^cursor
 *
 * Slots are carved in ascending order and not touched, so that the first thread to use a page is
 * the one that gets it, and no page is paid for before it is needed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"

static size_t cursor_offset(const vf_pool *pool)
{
    size_t align = _Alignof(vf_batch);
    return (pool->batch_objects * pool->stride + align - 1) / align * align;
}

/* Of one batch, bookkeeping included. */
static size_t batch_size(const vf_pool *pool)
{
    size_t groups = (pool->batch_objects + VF_STRAY_GROUP - 1) / VF_STRAY_GROUP;
    return cursor_offset(pool) + sizeof(vf_batch) + groups * sizeof(uint16_t);
}

static size_t batch_alignment(const vf_pool *pool)
{
    return pool->alignment > VF_CACHE_LINE ? pool->alignment : VF_CACHE_LINE;
}

/* Its slot 0. */
char *vf_batch_base(const vf_pool *pool, const vf_batch *batch)
{
    return (char *)(uintptr_t)batch - cursor_offset(pool);
}

static vf_batch *batch_new(vf_pool *pool)
{
    char *base = vf_memory_alloc(pool, batch_size(pool), batch_alignment(pool));
    if (base == NULL)
        return NULL;
    vf_batch *batch = (vf_batch *)(void *)(base + cursor_offset(pool));
    memset(batch, 0, batch_size(pool) - cursor_offset(pool));
    return batch;
}

static void batch_free(vf_pool *pool, vf_batch *batch)
{
    vf_memory_free(pool, vf_batch_base(pool, batch), batch_size(pool), batch_alignment(pool));
}

/* Up to most slots off this batch; 0: it is carved out. The last of slots has the lowest address,
   as caches hand out the last one first. */
static size_t carve_from(vf_pool *pool, vf_batch *batch, void **slots, size_t most)
{
    size_t all = pool->batch_objects;
    /* looked at first, so that many late ones do not drive the cursor round */
    if (vf_load_relaxed(&batch->cursor) >= all)
        return 0;
    /* relaxed: a slot is nobody's before, so there is nothing to see */
    size_t begin = vf_fetch_add_relaxed(&batch->cursor, most);
    if (begin >= all)
        return 0;
    size_t n = all - begin < most ? all - begin : most;
    char *slot = vf_batch_base(pool, batch) + begin * pool->stride;
    for (size_t i = n; i-- > 0; slot += pool->stride)
        slots[i] = slot;
    return n;
}

/* Room for n more in the table of all batches. */
static bool reserve_table(vf_pool *pool, size_t n)
{
    vf_batches *batches = &pool->batches;
    if (batches->room - batches->count >= n)
        return true;
    size_t room = batches->room * 2 > batches->count + n ? batches->room * 2 : batches->count + n;
    vf_batch **table = vf_memory_alloc(pool, room * sizeof *table, _Alignof(vf_batch *));
    if (table == NULL)
        return false;
    if (batches->table != NULL) {
        memcpy(table, batches->table, batches->count * sizeof *table);
        vf_memory_free(pool, batches->table, batches->room * sizeof *table, _Alignof(vf_batch *));
    }
    batches->table = table;
    batches->room = room;
    return true;
}

static void free_chain(vf_pool *pool, vf_batch *first)
{
    while (first != NULL) {
        vf_batch *next = first->next;
        batch_free(pool, first);
        first = next;
    }
}

/* n batches, chained; NULL, and nothing allocated, where memory is spent. */
static vf_batch *chain_new(vf_pool *pool, size_t n, vf_batch **last)
{
    vf_batch *first = NULL;
    for (size_t i = 0; i < n; i++) {
        vf_batch *batch = batch_new(pool);
        if (batch == NULL) {
            free_chain(pool, first);
            return NULL;
        }
        if (first == NULL)
            first = batch;
        else
            (*last)->next = batch;
        *last = batch;
    }
    return first;
}

/* Appends n new batches to those to be carved, or none and false. Growth lock. */
static bool append(vf_pool *pool, size_t n)
{
    vf_batches *batches = &pool->batches;
    if (n > VF_POOL_SLOTS_MAX / pool->batch_objects - batches->count)
        return false;
    vf_batch *last = NULL;
    vf_batch *first = chain_new(pool, n, &last);
    if (first == NULL)
        return false;
    if (!reserve_table(pool, n)) {
        free_chain(pool, first);
        return false;
    }
    for (vf_batch *batch = first; batch != NULL; batch = batch->next)
        batches->table[batches->count++] = batch;
    if (batches->current == NULL)
        vf_store_release(&batches->current, first); /* pairs with the acquire in vf_batch_carve */
    else
        batches->last->next = first;
    batches->last = last;
    return true;
}

/* Makes current a batch that is not carved out; seen is the one that was. False: memory spent. */
static bool grow(vf_pool *pool, vf_batch *seen)
{
    vf_batches *batches = &pool->batches;
    bool grown = true;
    pthread_mutex_lock(&pool->growth_lock);
    if (batches->current == seen) {
        if (seen == NULL || seen->next == NULL)
            grown = append(pool, 1);
        if (grown && seen != NULL) {
            batches->carved_out++;
            vf_store_release(&batches->current, seen->next); /* pairs with vf_batch_carve */
        }
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return grown;
}

/* Takes up to most fresh slots, the one to be handed out first last; 0: memory is spent. */
size_t vf_batch_carve(vf_pool *pool, void **slots, size_t most)
{
    assert(most > 0);
    for (;;) {
        /* acquire: pairs with the release that made it current, behind its initialisation */
        vf_batch *batch = vf_load_acquire(&pool->batches.current);
        size_t n = batch != NULL ? carve_from(pool, batch, slots, most) : 0;
        if (n > 0)
            return n;
        if (!grow(pool, batch))
            return 0;
    }
}

/* Slots that no one has had yet. Growth lock. */
size_t vf_batches_fresh(vf_pool *pool)
{
    const vf_batches *batches = &pool->batches;
    if (batches->current == NULL)
        return 0;
    size_t all = pool->batch_objects;
    size_t cursor = vf_load_relaxed(&batches->current->cursor);
    return (batches->count - batches->carved_out) * all - (cursor < all ? cursor : all);
}

/* Sees to n fresh slots; false: memory is spent, and nothing has changed. */
bool vf_batch_reserve(vf_pool *pool, size_t n)
{
    bool reserved = true;
    pthread_mutex_lock(&pool->growth_lock);
    size_t fresh = vf_batches_fresh(pool);
    if (fresh < n)
        reserved = append(pool, (n - fresh - 1) / pool->batch_objects + 1);
    pthread_mutex_unlock(&pool->growth_lock);
    return reserved;
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (vf_batch *const *)a;
    uintptr_t y = (uintptr_t) * (vf_batch *const *)b;
    return (x > y) - (x < y);
}

/* The table is in the order of growth until somebody needs it sorted, because keeping it sorted
   would cost every growth a move of half of it. Growth lock. */
static void sort_table(vf_batches *batches)
{
    if (batches->sorted == batches->count)
        return;
    qsort(batches->table, batches->count, sizeof *batches->table, by_address);
    batches->sorted = batches->count;
    batches->stray_hint = 0;
}

/* The place in the sorted table of the batch that the slot is of; count: of none. Growth lock. */
size_t vf_batch_find(vf_pool *pool, const void *slot)
{
    vf_batches *batches = &pool->batches;
    sort_table(batches);
    size_t low = 0;
    size_t high = batches->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)batches->table[middle] <= (uintptr_t)slot)
            low = middle + 1;
        else
            high = middle;
    }
    /* a batch's bookkeeping is behind its slots: this is the first that ends behind the slot */
    if (low < batches->count &&
        (uintptr_t)slot < (uintptr_t)vf_batch_base(pool, batches->table[low]))
        return batches->count;
    return low;
}

/* At the end of the pool. */
void vf_batches_free(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    for (size_t i = 0; i < batches->count; i++)
        batch_free(pool, batches->table[i]);
    if (batches->table != NULL)
        vf_memory_free(pool, batches->table, batches->room * sizeof *batches->table,
                       _Alignof(vf_batch *));
}
