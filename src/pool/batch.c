/* SPDX-License-Identifier: MIT */
/*
 * batch.c - see batch.h. All that grows and shrinks does so under the pool's growth lock, in an
 * order that leaves everything whole after each store: the child of a fork goes on with what it
 * finds, and what was not yet reachable is lost there.
 *
 * The memory of a batch is not touched here, so that no page is paid for before it is used.
 */
#include "batch.h"

#include <assert.h>
#include <string.h>

#include "../common/arith.h"
#include "../platform/compiler.h"
#include "../platform/tsan.h"
#include "map.h"

/* Newton's iteration: each step doubles the number of right bits, of which x = odd has 3. */
static size_t inverse(size_t odd)
{
    size_t x = odd;
    for (unsigned bits = 3; bits < sizeof x * 8; bits *= 2)
        x *= 2 - odd * x;
    return x;
}

vf_shape vf_batch_shape(size_t objects, size_t stride, size_t alignment)
{
    unsigned shift = (unsigned)vf_lowest_bit(stride);
    return (vf_shape){
        .objects = objects,
        .stride = stride,
        .alignment = alignment,
        .bytes = objects * stride,
        .words = vf_bits_words(objects),
        .granule = vf_compiler_highest(objects * stride),
        .shift = shift,
        .odd_inverse = inverse(stride >> shift),
    };
}

void vf_batches_init(vf_batches *batches, const void *pool, const vf_shape *shape,
                     vf_memory *memory, vf_mutex *growth)
{
    *batches = (vf_batches){.pool = pool, .shape = *shape, .memory = memory, .growth = growth};
}

/* ---- by number ---- */

static unsigned shift_of(unsigned height)
{
    return height * VF_WORD_LOG2;
}

/* The record of a number that was made. */
static vf_batch *record_at(const vf_batches *batches, size_t number)
{
    /* acquire: pairs with the release in add_level. The members on the way were written before the
       count, which the caller has acquired, or under the growth lock, which it holds */
    const vf_group *group = vf_load_acquire(&batches->root);
    for (; group->height > 0;)
        group = group->members[(number >> shift_of(group->height)) % VF_WORD_BITS];
    return group->members[number % VF_WORD_BITS];
}

vf_batch *vf_batch_at(const vf_batches *batches, size_t number)
{
    assert(number < vf_load_relaxed(&batches->count));
    return record_at(batches, number);
}

static vf_group *group_new(vf_batches *batches, vf_group *parent, size_t in_parent, unsigned height)
{
    vf_group *group = vf_memory_alloc(batches->memory, sizeof *group, _Alignof(vf_group));
    if (group != NULL) {
        memset(group, 0, sizeof *group);
        group->parent = parent;
        group->in_parent = (uint32_t)in_parent;
        group->height = height;
    }
    return group;
}

/* A root above the present one, or the first; false: out of memory. */
static bool add_level(vf_batches *batches)
{
    vf_group *below = batches->root;
    vf_group *root = group_new(batches, NULL, 0, below != NULL ? below->height + 1 : 0);
    if (root == NULL)
        return false;
    if (below != NULL) {
        root->members[0] = below;
        /* Whether the old root lists anything may change at this moment. So it is listed in any
           case: a search that finds nothing there is not wrong, only longer. */
        root->listed = 1;
        vf_store_release(&below->parent, root); /* pairs with the loads in listed.c */
    }
    vf_store_release(&batches->root, root); /* pairs with the acquires of root */
    return true;
}

/* The group of height 0 for a number that has no record yet; NULL: out of memory. */
static vf_group *make_group(vf_batches *batches, size_t number)
{
    assert(vf_mutex_held(batches->growth));
    while (batches->root == NULL || number >> shift_of(batches->root->height) >= VF_WORD_BITS) {
        if (!add_level(batches))
            return NULL;
    }
    vf_group *group = batches->root;
    while (group != NULL && group->height > 0) {
        size_t in_parent = (number >> shift_of(group->height)) % VF_WORD_BITS;
        if (group->members[in_parent] == NULL)
            group->members[in_parent] = group_new(batches, group, in_parent, group->height - 1);
        group = group->members[in_parent];
    }
    return group;
}

static size_t record_size(const vf_batches *batches)
{
    return sizeof(vf_batch) + batches->shape.words * sizeof(vf_word);
}

/* ---- blocks of records ---- */

/*
 * Records come in blocks. Otherwise the C library would have one between any two batches, and could
 * neither give back these when they are gone nor make anything larger of them. A block is at most a
 * 32nd of all there are, or of a batch and up to 8 records, and has no more than a group has
 * members. It begins at a multiple of its size.
 */
static size_t block_records(const vf_batches *batches, size_t number)
{
    size_t beside_batch = vf_min(batches->shape.bytes / 32 / record_size(batches), 8);
    size_t most = vf_min(vf_max(number / 32, beside_batch), VF_WORD_BITS);
    return (size_t)1 << vf_compiler_highest(vf_max(most, 1));
}

static bool begins_block(const vf_batches *batches, size_t number)
{
    return number % block_records(batches, number) == 0;
}

static size_t block_bytes(const vf_batches *batches, size_t first)
{
    return record_size(batches) * block_records(batches, first);
}

/* The memory of a record that has no number yet; NULL: out of memory. */
static vf_batch *place_record(vf_batches *batches, const vf_group *group, size_t number)
{
    if (begins_block(batches, number))
        return vf_memory_alloc(batches->memory, block_bytes(batches, number), _Alignof(vf_batch));
    char *before = group->members[(number - 1) % VF_WORD_BITS];
    return (vf_batch *)(before + record_size(batches));
}

/* A record of this number, which nobody finds before the count includes it; NULL: out of memory. */
static vf_batch *make_record(vf_batches *batches, size_t number)
{
    assert(vf_mutex_held(batches->growth) && number >= batches->count);
    vf_group *group = make_group(batches, number);
    vf_batch *batch = group != NULL ? place_record(batches, group, number) : NULL;
    if (batch == NULL)
        return NULL;
    memset(batch, 0, record_size(batches));
    batch->number = (uint32_t)number;
    batch->begun = VF_BATCH_NOT_ENTERED;
    batch->group = group;
    group->members[number % VF_WORD_BITS] = batch;
    return batch;
}

/* Takes back the block that begins with the record, or nothing. */
static void free_block(vf_batches *batches, vf_batch *first)
{
    if (begins_block(batches, first->number))
        vf_memory_free(batches->memory, first, block_bytes(batches, first->number),
                       _Alignof(vf_batch));
}

/* The record without memory that has the lowest number; NULL: there is none. */
static vf_batch *next_unused(vf_batches *batches)
{
    assert(vf_mutex_held(batches->growth));
    for (; batches->unused < batches->count; batches->unused++) {
        vf_batch *batch = vf_batch_at(batches, batches->unused);
        if (batch->base == NULL)
            return batch;
    }
    return NULL;
}

/* ---- memory ---- */

static size_t slots_alignment(const vf_batches *batches)
{
    return vf_max(batches->shape.alignment, VF_CACHE_LINE);
}

/* A record with memory, which is not entered, of this number if there is no other; NULL: out of
   memory. */
static vf_batch *new_memory(vf_batches *batches, size_t *number)
{
    vf_batch *batch = next_unused(batches);
    if (batch == NULL && (batch = make_record(batches, *number)) != NULL)
        ++*number;
    if (batch == NULL)
        return NULL;
    char *base = vf_memory_alloc(batches->memory, batches->shape.bytes, slots_alignment(batches));
    /* relaxed: a thread that takes a slot has acquired its bit, which is set after this */
    vf_store_relaxed(&batch->base, base);
    return base != NULL ? batch : NULL;
}

/* Enters all of the chain in the map; false: out of memory, and none is. */
static bool enter_chain(const vf_batches *batches, vf_batch *chain)
{
    for (const vf_batch *batch = chain; batch != NULL; batch = batch->next) {
        if (vf_map_enter(batches->pool, batch->base, batches->shape.bytes))
            continue;
        for (; chain != batch; chain = chain->next)
            vf_map_remove(batches->pool, chain->base, batches->shape.bytes);
        return false;
    }
    return true;
}

/* Generations for so many batches, where there are handles; false: out of memory. */
static bool reserve_generations(const vf_batches *batches, size_t n)
{
    return batches->handles == NULL || vf_generations_reserve(batches->handles, n);
}

static void set_generations_base(const vf_batches *batches, const vf_batch *batch, char *base)
{
    if (batches->handles != NULL)
        vf_generations_set_base(batches->handles, batch->number, base);
}

/* As if the chain had not been prepared, with records up to this number. */
static void undo(vf_batches *batches, vf_batch *chain, size_t number)
{
    for (; chain != NULL; chain = chain->next) {
        vf_batch_free_memory(batches, chain->base);
        vf_store_relaxed(&chain->base, (char *)NULL);
        batches->unused = vf_min(batches->unused, chain->number);
    }
    while (number-- > batches->count)
        free_block(batches, record_at(batches, number));
}

vf_batch *vf_batch_new(vf_batches *batches, size_t n)
{
    assert(vf_mutex_held(batches->growth) && n > 0);
    if (n > VF_POOL_SLOTS_MAX / batches->shape.objects - batches->held)
        return NULL;
    vf_batch *first = NULL, **last = &first;
    size_t made = 0, count = batches->count;
    for (; made < n && (*last = new_memory(batches, &count)) != NULL; made++) {
        last = &(*last)->next;
        *last = NULL;
    }
    if (made < n || !vf_addresses_reserve(batches, n) || !reserve_generations(batches, count) ||
        !enter_chain(batches, first)) {
        undo(batches, first, count);
        return NULL;
    }
    for (vf_batch *batch = first; batch != NULL; batch = batch->next) {
        /* release: pairs with the acquires of count by threads that look at all records */
        if (batch->number == batches->count)
            vf_store_release(&batches->count, batches->count + 1);
        vf_addresses_enter(batches, batch);
        set_generations_base(batches, batch, batch->base);
        vf_store_relaxed(&batch->begun, 0U);
    }
    vf_store_relaxed(&batches->held, batches->held + n); /* a number for reports */
    vf_tsan_release(batches->memory);
    return first;
}

char *vf_batch_close(vf_batches *batches, vf_batch *batch)
{
    assert(vf_mutex_held(batches->growth));
    char *base = batch->base;
    assert(base != NULL);
    /* In this order (hence release): the child of a fork in between takes the batch for one that
       was not entered, and lets it be. Nobody changes begun meanwhile: all slots are in hand. */
    vf_store_release(&batch->begun, VF_BATCH_NOT_ENTERED);
    vf_addresses_remove(batches, batch);
    vf_map_remove(batches->pool, base, batches->shape.bytes);
    set_generations_base(batches, batch, NULL);
    vf_store_release(&batch->base, (char *)NULL);
    vf_store_relaxed(&batches->held, batches->held - 1);
    batches->unused = vf_min(batches->unused, batch->number);
    return base;
}

void vf_batch_free_memory(const vf_batches *batches, char *base)
{
    vf_tsan_acquire(batches->memory);
    vf_memory_free(batches->memory, base, batches->shape.bytes, slots_alignment(batches));
}

/* ---- the end ---- */

static void free_groups(vf_batches *batches, vf_group *group)
{
    for (size_t i = 0; group->height > 0 && i < VF_WORD_BITS; i++) {
        if (group->members[i] != NULL)
            free_groups(batches, group->members[i]);
    }
    vf_memory_free(batches->memory, group, sizeof *group, _Alignof(vf_group));
}

void vf_batches_free(vf_batches *batches)
{
    for (size_t number = batches->count; number-- > 0;) {
        vf_batch *batch = vf_batch_at(batches, number);
        if (batch->base != NULL) {
            vf_map_remove(batches->pool, batch->base, batches->shape.bytes);
            vf_memory_free(batches->memory, batch->base, batches->shape.bytes,
                           slots_alignment(batches));
        }
        free_block(batches, batch);
    }
    vf_addresses_free(batches);
    if (batches->root != NULL)
        free_groups(batches, batches->root);
}
