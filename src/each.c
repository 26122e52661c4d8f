/*
 * each.c - looks at all slots of a pool, or for one: P_each and P_owns.
 *
 * What is live is what is not free. So the caches give all that they have to the depot first, and
 * then each batch has a bit for each of its free slots.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pool.h"

/* ---- regions ---- */

size_t vf_regions(const vf_pool *pool)
{
    /* acquire: pairs with the release in add_record */
    return pool->capped != NULL ? vf_capped_spans(pool) : vf_load_acquire(&pool->batches.count);
}

vf_region vf_region_at(const vf_pool *pool, size_t number)
{
    if (pool->capped != NULL)
        return vf_capped_region(pool, number);
    char *base = vf_batch_base(vf_batch_at(&pool->batches, number));
    return (vf_region){base, base != NULL ? pool->batch_objects : 0};
}

/* The region that the address lies in, if any; and is it the first byte of a slot? Any thread. */
bool vf_slot_find(const vf_pool *pool, const void *address, vf_region *region)
{
    *region = (vf_region){NULL, 0};
    if (pool->capped != NULL) {
        if (!vf_capped_find(pool, address, region))
            return false;
    } else {
        vf_batch *batch = vf_batch_find(&pool->batches, (uintptr_t)address);
        if (batch == NULL)
            return false;
        *region = (vf_region){vf_load_relaxed(&batch->base), pool->batch_objects};
    }
    return ((uintptr_t)address - (uintptr_t)region->base) % pool->stride == 0;
}

bool vf_pool_core_owns(const vf_pool_core *core, const void *object)
{
    vf_region region;
    return vf_slot_find(vf_pool_whole((vf_pool_core *)(uintptr_t)core), object, &region);
}

/* ---- live objects ---- */

typedef void visitor(void *object, void *context);

/* The visitor may free any objects, so each is looked at when its turn comes. */
static void each_in_span(vf_pool *pool, size_t number, visitor *visit, void *context)
{
    vf_region region = vf_capped_region(pool, number);
    for (size_t slot = 0; slot < region.slots; slot++) {
        if (vf_capped_is_live(pool, number, slot))
            visit(region.base + slot * pool->stride, context);
    }
}

/* The live slots of a batch's word. relaxed: no other call runs */
static vf_word live_in(const vf_pool *pool, const vf_batch *batch, size_t w)
{
    return vf_batch_mask(&pool->batches, pool->batch_objects, w) &
           ~vf_load_relaxed(&batch->free[w]);
}

/* Fetches what will be visited soon: live objects among free ones are nothing that the processor
   foresees. */
static void fetch_word(const vf_pool *pool, const vf_batch *batch, size_t w, const char *first)
{
    for (vf_word live = live_in(pool, batch, w); live != 0; live &= live - 1)
        __builtin_prefetch(first + (size_t)__builtin_ctzll(live) * pool->stride);
}

/* The same for one word of a batch. */
static void each_in_word(const vf_pool *pool, const vf_batch *batch, size_t w, char *first,
                         visitor *visit, void *context)
{
    vf_word ahead = VF_WORD_ALL;
    for (vf_word live; (live = live_in(pool, batch, w) & ahead) != 0;) {
        unsigned slot = (unsigned)__builtin_ctzll(live);
        ahead = VF_WORD_ALL << slot << 1;
        visit(first + slot * pool->stride, context);
    }
}

/* Visits what is live in the region of this number. No other call, but what the visitor frees. */
void vf_live_each(vf_pool *pool, size_t number, visitor *visit, void *context)
{
    if (pool->capped != NULL) {
        each_in_span(pool, number, visit, context);
        return;
    }
    const vf_batch *batch = vf_batch_at(&pool->batches, number);
    char *first = vf_batch_base(batch);
    if (first == NULL)
        return;
    for (size_t w = 0; w < pool->batches.shape.words; w++) {
        char *next = first + VF_WORD_BITS * pool->stride;
        if (w + 1 < pool->batches.shape.words)
            fetch_word(pool, batch, w + 1, next);
        each_in_word(pool, batch, w, first, visit, context);
        first = next;
    }
}

/* ---- by address ---- */

typedef struct vf_order {
    char *base;
    size_t number;
} vf_order;

static int by_base(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const vf_order *)a)->base;
    uintptr_t y = (uintptr_t)((const vf_order *)b)->base;
    return (x > y) - (x < y);
}

/* Fills the list; most often it is in order already. */
static void sort_regions(const vf_pool *pool, vf_order *list, size_t n)
{
    bool sorted = true;
    for (size_t number = 0; number < n; number++) {
        list[number] = (vf_order){vf_region_at(pool, number).base, number};
        sorted = sorted && (number == 0 || by_base(&list[number - 1], &list[number]) < 0);
    }
    if (!sorted)
        qsort(list, n, sizeof *list, by_base);
}

/* Visits what is live in the whole pool; false: out of memory, and nothing was visited. The caches
   are empty. */
bool vf_live_each_by_address(vf_pool *pool, visitor *visit, void *context)
{
    size_t n = vf_regions(pool);
    if (n == 0)
        return true;
    size_t bytes = n * sizeof(vf_order);
    vf_order *list = vf_memory_alloc(pool, bytes, _Alignof(vf_order));
    if (list == NULL)
        return false;
    sort_regions(pool, list, n);
    for (size_t i = 0; i < n; i++)
        vf_live_each(pool, list[i].number, visit, context);
    vf_memory_free(pool, list, bytes, _Alignof(vf_order));
    return true;
}

bool vf_pool_core_each(vf_pool_core *core, visitor *visit, void *context)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_settle(pool);
    vf_caches_flush_all(pool);
    bool visited = vf_live_each_by_address(pool, visit, context);
    if (!visited)
        errno = ENOMEM;
    return visited;
}
