/* SPDX-License-Identifier: MIT */
/*
 * walk.c - see walk.h.
 *
 * What is live is what is not free. So the caches give all that they have to the depot first, and
 * then each batch has a bit for each of its free slots. Words of these bits are looked at one after
 * the other; parts of a walk have runs of words in turns, whatever number of batches there is.
 */
#include "walk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "../platform/compiler.h"
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

size_t vf_walk_locate(const vf_pool *pool, const void *object, size_t *slot)
{
    const vf_batches *batches = &pool->depot.batches;
    const vf_batch *batch =
        vf_batch_of(batches, vf_batch_addresses(batches), batches->shape, (uintptr_t)object);
    assert(batch != NULL);
    size_t offset =
        (size_t)((const char *)object - vf_load_relaxed(&batch->base)); /* the caller's */
    *slot = vf_batch_slot_number(batches->shape, offset);
    return batch->number;
}

bool vf_walk_is_free(const vf_pool *pool, size_t number, size_t slot)
{
    const vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
    /* relaxed: a live slot's is the caller's */
    return (vf_load_relaxed(&batch->free[slot / VF_WORD_BITS]) & vf_bits_bit(slot)) != 0;
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

/* relaxed: no other call runs, but frees of what was visited */
vf_word vf_walk_live_in_batch(const vf_pool *pool, size_t number, size_t w, char **first)
{
    const vf_batch *batch = vf_batch_at(&pool->depot.batches, number);
    char *base = vf_batch_base(batch);
    if (base == NULL)
        return 0;
    *first = base + w * VF_WORD_BITS * vf_pool_shape(pool)->stride;
    return vf_batch_usable(&pool->depot.batches, batch, w) & ~vf_load_relaxed(&batch->free[w]);
}

/* A run of words has about so many bytes: so far two threads that walk at once keep off each
   other's pages. */
#define RUN_BYTES 4096

/* Goes on by so many runs from the first word of one, but not beyond the end. */
static void pass_runs(vf_walk *walk, size_t words, size_t runs)
{
    size_t at = walk->number * words + walk->word;
    size_t most = (walk->batches * words - at) / walk->run + 1;
    at += vf_min(runs, most) * walk->run;
    walk->number = at / words;
    walk->word = at % words;
}

/* Goes on to the next word of the part. */
static void pass_word(vf_walk *walk, size_t words)
{
    if (++walk->word == words) {
        walk->word = 0;
        walk->number++;
    }
    if (--walk->left == 0) {
        walk->left = walk->run;
        if (walk->skip > 0 && walk->number < walk->batches)
            pass_runs(walk, words, walk->skip);
    }
}

/* Over the batches from this number on, in one part. */
static vf_walk walk_from(const vf_pool *pool, size_t number, size_t batches)
{
    size_t run = vf_max(RUN_BYTES / VF_WORD_BITS / vf_pool_shape(pool)->stride, 1);
    return (vf_walk){
        .pool = &pool->core,
        .stride = vf_pool_shape(pool)->stride,
        .number = number,
        .batches = batches,
        .run = run,
        .left = run,
    };
}

/* Fetches what will be visited soon: live objects among free ones are nothing that the processor
   foresees. */
static void fetch(vf_word live, const char *first, size_t stride)
{
    for (; live != 0; live &= live - 1)
        VF_PREFETCH(first + vf_bits_first(live) * stride);
}

/* The published objects of the word. Others may publish and end some meanwhile. */
static vf_word published_in(const vf_walk *walk, size_t objects)
{
    const uint32_t *generations = vf_generations_of(walk->of);
    size_t end = vf_min(walk->slot + VF_WORD_BITS, objects);
    vf_word published = 0;
    /* relaxed: a look; each is looked at again when its turn comes */
    for (size_t slot = walk->slot; slot < end; slot++)
        published |= (vf_word)(vf_load_relaxed(&generations[slot]) % 2) << (slot - walk->slot);
    return published;
}

bool vf_pool_core_walk_more_published(vf_walk *walk)
{
    const vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)walk->pool);
    while (walk->number < walk->batches) {
        walk->of = vf_generations_at(pool->handles, walk->number);
        walk->slot = walk->word * VF_WORD_BITS;
        /* acquire: as in vf_generation_object; for vf_pool_core_walk_next */
        char *base = vf_load_acquire(&walk->of->base);
        walk->live = base != NULL ? published_in(walk, vf_pool_shape(pool)->objects) : 0;
        walk->first = base != NULL ? base + walk->slot * walk->stride : NULL;
        pass_word(walk, vf_pool_shape(pool)->words);
        fetch(walk->live, walk->first, walk->stride);
        if (walk->live != 0)
            return true;
    }
    return false;
}

/* The same of the next word, while this one is walked. */
static void fetch_next(const vf_pool *pool, const vf_walk *walk)
{
    char *first = NULL;
    if (walk->number < walk->batches)
        fetch(pool->kind->live(pool, walk->number, walk->word, &first), first, walk->stride);
}

bool vf_pool_core_walk_more(vf_walk *walk)
{
    if (walk->published)
        return vf_pool_core_walk_more_published(walk);
    const vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)walk->pool);
    while (walk->number < walk->batches) {
        walk->live = pool->kind->live(pool, walk->number, walk->word, &walk->first);
        pass_word(walk, vf_pool_shape(pool)->words);
        if (walk->live != 0) {
            fetch_next(pool, walk);
            return true;
        }
    }
    return false;
}

/* With handles, what is published is found without the caches, beside all other calls. */
static size_t batches_to_walk(vf_pool *pool)
{
    if (pool->handles != NULL)
        return vf_load_acquire(&pool->handles->count); /* pairs with the release in add_batch */
    vf_epoch_drain(pool);
    vf_seize_every(pool);
    return pool->kind->regions(pool);
}

void vf_pool_core_walk_begin(const vf_pool_core *core, vf_walk *walk, size_t part, size_t parts)
{
    assert(part < parts);
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)core);
    *walk = walk_from(pool, 0, batches_to_walk(pool));
    walk->published = pool->handles != NULL;
    walk->skip = parts - 1;
    pass_runs(walk, vf_pool_shape(pool)->words, part);
}

static void each_in_region(const vf_pool *pool, size_t number, vf_visitor *visit, void *context)
{
    vf_walk walk = walk_from(pool, number, number + 1);
    for (void *object; (object = vf_pool_core_walk_next(&walk)) != NULL;)
        visit(object, context);
}

void vf_walk_each_by_number(const vf_pool *pool, vf_visitor *visit, void *context)
{
    for (size_t number = 0; number < pool->kind->regions(pool); number++)
        each_in_region(pool, number, visit, context);
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
        each_in_region(pool, list[i].number, visit, context);
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
