/*
 * batch.c - batches: allocated and given back under the growth lock, carved without.
 *
 *     current            current->next
 *        |                   |
 *     [ ######## . . . ]  [ . . . . . . ]        # carved   . fresh
 *               ^cursor
 *
 *     cursor:  63 ... bits | bits-1 ... 0
 *              number      | slots carved
 *
 * Whoever carves swaps the cursor, and never looks into the batch: it may have been given back
 * (trim.c) since he read which one is current. The number changes with current, so that the swap
 * fails then. It comes round after 2^33 batches at least, and 2^63 of one slot.
 *
 * Slots are carved in ascending order and not touched, so that the first thread to use a page is
 * the one that gets it, and no page is paid for before it is needed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "probe.h"

static size_t cursor_offset(const vf_pool *pool)
{
    size_t align = _Alignof(vf_batch);
    return (pool->batch_objects * pool->stride + align - 1) / align * align;
}

/* Of one batch, bookkeeping included. */
static size_t batch_size(const vf_pool *pool)
{
    return cursor_offset(pool) + sizeof(vf_batch) + vf_stray_words(pool) * sizeof(uint64_t);
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

/* Before the first call: nothing is current, and that is carved out. */
void vf_batches_begin(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    while (pool->batch_objects >> batches->bits != 0)
        batches->bits++;
    batches->cursor = pool->batch_objects;
}

static size_t carved_of(const vf_batches *batches, uint64_t cursor)
{
    return (size_t)(cursor & (((uint64_t)1 << batches->bits) - 1));
}

/* Makes the batch current, the one before being carved out. Growth lock. */
static void set_current(vf_pool *pool, vf_batch *batch)
{
    vf_batches *batches = &pool->batches;
    uint64_t number = (vf_load_relaxed(&batches->cursor) >> batches->bits) + 1;
    vf_store_relaxed(&batches->current, batch);
    uint64_t carved = batch != NULL ? 0 : pool->batch_objects;
    /* release: pairs with the acquires in carve; current comes before it */
    vf_store_release(&batches->cursor, number << batches->bits | carved);
}

/* Up to most slots off the current batch; 0: that is carved out, *seen says of which number. The
   last of slots has the lowest address, as caches hand out the last one first. */
static size_t carve(vf_pool *pool, void **slots, size_t most, uint64_t *seen)
{
    vf_batches *batches = &pool->batches;
    /* acquire, here and where the swap fails: pairs with the release in set_current */
    uint64_t cursor = vf_load_acquire(&batches->cursor);
    for (;;) {
        *seen = cursor >> batches->bits;
        size_t begin = carved_of(batches, cursor);
        size_t n = pool->batch_objects - begin;
        if (n == 0)
            return 0;
        if (n > most)
            n = most;
        /* relaxed: is that of the cursor, if the swap succeeds. Not to be followed before */
        const vf_batch *batch = vf_load_relaxed(&batches->current);
        if (!vf_cas_weak_acquire(&batches->cursor, &cursor, cursor + n))
            continue;
        char *slot = vf_batch_base(pool, batch) + begin * pool->stride;
        for (size_t i = n; i-- > 0; slot += pool->stride)
            slots[i] = slot;
        return n;
    }
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
    if (batches->current == NULL) {
        set_current(pool, first);
        batches->waiting += n - 1;
    } else {
        batches->last->next = first;
        batches->waiting += n;
    }
    batches->last = last;
    VF_PROBE(pool_grow, pool->name, n * pool->batch_objects);
    return true;
}

/* The batch behind current becomes that. Growth lock. */
static void advance(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    batches->waiting--;
    set_current(pool, batches->current->next);
}

/* Makes current a batch that is not carved out; seen is the number of the one that was. False:
   memory is spent. */
static bool grow(vf_pool *pool, uint64_t seen)
{
    vf_batches *batches = &pool->batches;
    bool grown = true;
    pthread_mutex_lock(&pool->growth_lock);
    if (vf_load_relaxed(&batches->cursor) >> batches->bits == seen) {
        bool none = batches->current == NULL;
        if (none || batches->waiting == 0)
            grown = append(pool, 1);
        if (grown && !none)
            advance(pool);
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return grown;
}

/* Takes up to most fresh slots, the one to be handed out first last; 0: memory is spent. */
size_t vf_batch_carve(vf_pool *pool, void **slots, size_t most)
{
    assert(most > 0);
    for (;;) {
        uint64_t seen;
        size_t n = carve(pool, slots, most, &seen);
        if (n > 0)
            return n;
        if (!grow(pool, seen))
            return 0;
    }
}

/* Slots that no one has had yet. Growth lock. */
size_t vf_batches_fresh(vf_pool *pool)
{
    const vf_batches *batches = &pool->batches;
    return (batches->waiting + 1) * pool->batch_objects - vf_batches_carved(pool);
}

/* Slots that somebody has had, of the current batch. */
size_t vf_batches_carved(const vf_pool *pool)
{
    return carved_of(&pool->batches, vf_load_relaxed(&pool->batches.cursor));
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
void vf_batches_sort(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
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
    vf_batches_sort(pool);
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

/*
 * Closes the current batch: its fresh slots, from carved on, are in the caller's hands. False, and
 * nothing done, where somebody has carved another. Growth lock.
 */
bool vf_batch_close(vf_pool *pool, size_t carved)
{
    vf_batches *batches = &pool->batches;
    uint64_t cursor = vf_load_relaxed(&batches->cursor);
    if (carved_of(batches, cursor) != carved)
        return false;
    /* relaxed: a fresh slot has nothing to see; and the number says that current is the same */
    return vf_cas_strong_relaxed(&batches->cursor, &cursor, cursor + pool->batch_objects - carved);
}

/* Takes the slots of the batches that wait to be carved. Growth lock; the table is sorted. */
void vf_batches_take_waiting(vf_pool *pool, vf_map *hands)
{
    vf_batches *batches = &pool->batches;
    for (const vf_batch *batch = batches->current; batches->waiting > 0; batches->waiting--) {
        batch = batch->next;
        size_t number;
        vf_map_find(hands, vf_batch_base(pool, batch), &number);
        vf_map_add_range(hands, number, number + pool->batch_objects);
    }
    batches->last = batches->current;
    if (batches->current != NULL)
        batches->current->next = NULL;
}

/* Gives back the batches marked as unused; how many bytes. Growth lock. */
size_t vf_batches_drop_unused(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    size_t kept = 0;
    for (size_t i = 0; i < batches->count; i++) {
        vf_batch *batch = batches->table[i];
        if (!batch->unused) {
            batches->table[kept++] = batch;
            continue;
        }
        if (batch == batches->current)
            set_current(pool, NULL);
        batch_free(pool, batch);
    }
    size_t bytes = (batches->count - kept) * batch_size(pool);
    batches->count = kept;
    batches->sorted = kept;
    batches->stray_hint = 0;
    return bytes;
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
