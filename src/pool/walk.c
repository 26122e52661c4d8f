/* SPDX-License-Identifier: MIT */
/*
 * walk.c - see walk.h.
 *
 * What is live is what is not free. So the caches give all that they have to the depot first, and
 * then each batch has a bit for each of its free slots.
 */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>

#include "epoch.h"
#include "seize.h"

/* ---- regions ---- */

size_t vf_walk_batches(const vf_pool *pool)
{
    /* acquire: pairs with the release in add_record */
    return vf_load_acquire(&pool->depot.batches.count);
}

vf_region vf_walk_batch(const vf_pool *pool, size_t number)
{
    char *base = vf_batch_base(vf_batch_at(&pool->depot.batches, number));
    return (vf_region){base, base != NULL ? vf_pool_shape(pool)->objects : 0};
}

bool vf_walk_find_batch(const vf_pool *pool, const void *address, vf_region *region)
{
    vf_batch *batch = vf_batch_find(&pool->depot.batches, (uintptr_t)address);
    if (batch != NULL)
        *region = (vf_region){vf_load_relaxed(&batch->base), vf_pool_shape(pool)->objects};
    return batch != NULL;
}

bool vf_walk_find(const vf_pool *pool, const void *address, vf_region *region)
{
    *region = (vf_region){NULL, 0};
    return pool->kind->find(pool, address, region) &&
           ((uintptr_t)address - (uintptr_t)region->base) % vf_pool_shape(pool)->stride == 0;
}

bool vf_pool_core_owns(const vf_pool_core *core, const void *object)
{
    vf_region region;
    return vf_walk_find(vf_pool_whole((vf_pool_core *)(uintptr_t)core), object, &region);
}

/* ---- live objects ---- */

/* The live slots of a batch's word. relaxed: no other call runs */
static vf_word live_in(const vf_pool *pool, const vf_batch *batch, size_t w)
{
    return vf_batch_mask(*vf_pool_shape(pool), w) & ~vf_load_relaxed(&batch->free[w]);
}

/* Fetches what will be visited soon: live objects among free ones are nothing that the processor
   foresees. */
static void fetch_word(const vf_pool *pool, const vf_batch *batch, size_t w, const char *first)
{
    for (vf_word live = live_in(pool, batch, w); live != 0; live &= live - 1)
        __builtin_prefetch(first + vf_bits_first(live) * vf_pool_shape(pool)->stride);
}

/* The same for one word of a batch. */
static void each_in_word(const vf_pool *pool, const vf_batch *batch, size_t w, char *first,
                         vf_visitor *visit, void *context)
{
    vf_word ahead = VF_WORD_ALL;
    for (vf_word live; (live = live_in(pool, batch, w) & ahead) != 0;) {
        size_t slot = vf_bits_first(live);
        ahead = VF_WORD_ALL << slot << 1;
        visit(first + slot * vf_pool_shape(pool)->stride, context);
    }
}

void vf_walk_each_in_batch(vf_pool *pool, size_t number, vf_visitor *visit, void *context)
{
    const vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
    char *first = vf_batch_base(batch);
    if (first == NULL)
        return;
    size_t words = vf_pool_shape(pool)->words;
    for (size_t w = 0; w < words; w++) {
        char *next = first + VF_WORD_BITS * vf_pool_shape(pool)->stride;
        if (w + 1 < words)
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
        list[number] = (vf_order){pool->kind->region(pool, number).base, number};
        sorted = sorted && (number == 0 || by_base(&list[number - 1], &list[number]) < 0);
    }
    if (!sorted)
        qsort(list, n, sizeof *list, by_base);
}

bool vf_walk_each_by_address(vf_pool *pool, vf_visitor *visit, void *context)
{
    size_t n = pool->kind->regions(pool);
    if (n == 0)
        return true;
    size_t bytes = n * sizeof(vf_order);
    vf_order *list = vf_memory_alloc(&pool->memory, bytes, _Alignof(vf_order));
    if (list == NULL)
        return false;
    sort_regions(pool, list, n);
    for (size_t i = 0; i < n; i++)
        pool->kind->each(pool, list[i].number, visit, context);
    vf_memory_free(&pool->memory, list, bytes, _Alignof(vf_order));
    return true;
}

bool vf_pool_core_each(vf_pool_core *core, vf_visitor *visit, void *context)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_drain(pool);
    vf_seize_every(pool);
    bool visited = vf_walk_each_by_address(pool, visit, context);
    if (!visited)
        errno = ENOMEM;
    return visited;
}
