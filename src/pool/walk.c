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

#include "epoch.h"
#include "seize.h"

/* ---- regions ---- */

size_t vf_walk_batches(const vf_pool *pool)
{
    /* acquire: pairs with the release in vf_batch_new */
    return vf_load_acquire(&pool->depot.batches.count);
}

vf_region vf_walk_batch(const vf_pool *pool, size_t number)
{
    char *base = vf_batch_base(vf_batch_at(&pool->depot.batches, number));
    return (vf_region){base, base != NULL ? vf_pool_shape(pool)->objects : 0};
}

bool vf_walk_find_batch(const vf_pool *pool, const void *address, vf_region *region)
{
    uintptr_t base;
    if (vf_addresses_find(&pool->depot.batches, (uintptr_t)address, &base) == NULL)
        return false;
    *region = (vf_region){(char *)base, vf_pool_shape(pool)->objects};
    return true;
}

size_t vf_walk_locate(const vf_pool *pool, const void *object, size_t *slot)
{
    const vf_batches *batches = &pool->depot.batches;
    uintptr_t base;
    const vf_batch *batch =
        vf_batch_of(batches, vf_addresses_now(batches), batches->shape, (uintptr_t)object, &base);
    *slot = vf_batch_slot_number(batches->shape, (uintptr_t)object - base);
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

size_t vf_walk_live_in_batch(const vf_pool *pool, size_t number, size_t w, size_t end,
                             vf_walk_words *found)
{
    const vf_batches *batches = &pool->depot.batches;
    const vf_batch *batch = vf_batch_at(batches, number);
    char *base = vf_batch_base(batch);
    if (base == NULL)
        return end;
    const size_t word_bytes = VF_WORD_BITS * batches->shape.stride;
    for (; w < end && found->n < VF_WALK_WORDS; w++) {
        /* relaxed: no other call runs, but frees of what was visited */
        vf_word live = vf_batch_usable(batches, batch, w) & ~vf_load_relaxed(&batch->free[w]);
        vf_walk_add(found, base + w * word_bytes, live);
    }
    return w;
}

/* A run of words has about so many bytes at first: threads that walk at once keep off each other's
   pages, and share a small pool evenly. It doubles after so many turns, so often: in a large pool
   what the processor fetches ahead is then seldom another part's. */
#define RUN_BYTES      4096
#define TURNS          8
#define DOUBLINGS_MOST 4

/* The words of a run in the present turn. */
static size_t run_words(const vf_walk_position *at)
{
    return at->run << vf_min(at->turn / TURNS, DOUBLINGS_MOST);
}

/* Goes on by so many runs, but not far beyond the end. */
static void pass_runs(vf_walk_position *at, size_t words, size_t runs)
{
    if (runs == 0 || at->number >= at->batches)
        return; /* so a walk by one thread divides nothing */
    size_t word = at->number * words + at->word;
    size_t run = run_words(at);
    size_t most = (at->batches * words - word) / run + 1;
    word += vf_min(runs, most) * run;
    at->number = word / words;
    at->word = word % words;
}

/* Goes on by n words, which are of the present run and batch. */
static void pass_words(vf_walk_position *at, size_t words, size_t n)
{
    assert(n <= at->left && at->word + n <= words);
    at->word += n;
    if (at->word == words) {
        at->word = 0;
        at->number++;
    }
    at->left -= n;
    if (at->left > 0)
        return;
    pass_runs(at, words, at->parts - 1 - at->part); /* those of this turn, and of the next */
    at->turn++;
    pass_runs(at, words, at->part);
    at->left = run_words(at);
}

/* The published objects of the word. Others may publish and end some meanwhile. */
static vf_word published_in(const vf_walk_position *at, size_t objects)
{
    const uint32_t *generations = vf_generations_of(at->of);
    size_t end = vf_min(at->slot + VF_WORD_BITS, objects);
    vf_word published = 0;
    /* relaxed: each is looked at once more before its object is given */
    for (size_t slot = at->slot; slot < end; slot++)
        published |= (vf_word)(vf_load_relaxed(&generations[slot]) / VF_PUBLISHED)
                     << (slot - at->slot);
    return published;
}

vf_word vf_pool_core_walk_word(vf_walk_position *at)
{
    const vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)at->pool);
    const vf_shape *shape = vf_pool_shape(pool);
    vf_word published = 0;
    while (published == 0 && at->number < at->batches) {
        at->of = vf_generations_at(pool->handles, at->number);
        at->slot = at->word * VF_WORD_BITS;
        published = published_in(at, shape->objects);
        pass_words(at, shape->words, 1);
    }
    return published;
}

/* A batch of a pool, in the order of P_each. */
typedef struct vf_order {
    char *base;
    size_t number;
} vf_order;

void vf_pool_core_walk_more(vf_walk_position *at, vf_walk_words *found)
{
    const vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)at->pool);
    const vf_order *order = at->order;
    const size_t words = vf_pool_shape(pool)->words;
    for (found->n = 0; found->n < VF_WALK_WORDS && at->number < at->batches;) {
        size_t number = order != NULL ? order[at->number].number : at->number;
        size_t end = vf_min(words, at->word + at->left);
        size_t next = pool->kind->live(pool, number, at->word, end, found);
        pass_words(at, words, next - at->word);
    }
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

static vf_walk walk_of(const vf_pool *pool, size_t batches, size_t part, size_t parts)
{
    size_t stride = vf_pool_shape(pool)->stride;
    size_t run = vf_max(RUN_BYTES / VF_WORD_BITS / stride, 1);
    return (vf_walk){
        .stride = stride,
        .position = {.pool = &pool->core,
                     .batches = batches,
                     .run = run,
                     .part = part,
                     .parts = parts,
                     .left = run},
    };
}

void vf_pool_core_walk_begin(const vf_pool_core *core, vf_walk *walk, size_t part, size_t parts)
{
    assert(part < parts);
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)core);
    *walk = walk_of(pool, batches_to_walk(pool), part, parts);
    pass_runs(&walk->position, vf_pool_shape(pool)->words, part);
}

vf_walk vf_walk_by_number(const vf_pool *pool)
{
    return walk_of(pool, pool->kind->regions(pool), 0, 1);
}

/* ---- by address ---- */

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

bool vf_walk_by_address(vf_pool *pool, vf_walk *walk)
{
    *walk = vf_walk_by_number(pool);
    size_t n = walk->position.batches;
    if (n == 0)
        return true;
    vf_order *list = vf_memory_alloc(&pool->memory, n * sizeof *list, _Alignof(vf_order));
    if (list == NULL)
        return false;
    sort_regions(pool, list, n);
    walk->position.order = list;
    return true;
}

bool vf_pool_core_each_begin(vf_pool_core *core, vf_walk *walk)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_drain(pool);
    vf_seize_every(pool);
    bool begun = vf_walk_by_address(pool, walk);
    if (!begun)
        errno = ENOMEM;
    return begun;
}

void vf_pool_core_each_end(const vf_walk *walk)
{
    const vf_walk_position *at = &walk->position;
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)at->pool);
    if (at->order != NULL)
        vf_memory_free(&pool->memory, at->order, at->batches * sizeof(vf_order),
                       _Alignof(vf_order));
}
