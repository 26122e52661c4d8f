/*
 * batch.c - see batch.h. All that grows and shrinks does so under the pool's growth lock, in an
 * order that leaves everything whole after each store: the child of a fork goes on with what it
 * finds, and what was not yet reachable is lost there.
 *
 * Table by address. A batch is entered once, under the granule that its first slot lies in:
 *
 *     granules:  |       g       |      g+1      |      g+2      |
 *     batches:        [ first         ][ second         ]
 *     entered:     g: first           g+1: second
 *
 * A granule is not longer than a batch, so no two batches begin in the same one; and it is longer
 * than half a batch, so the batch of a slot begins in the slot's granule or in one of the two
 * before it. Open addressing with linear probing, at most three quarters full.
 *
 * The memory of a batch is not touched here, so that no page is paid for before it is used.
 */
#include <assert.h>
#include <string.h>

#include "pool.h"
#include "probe.h"
#include "threads_seen.h"

#define FIRST_PLACES_LOG2 3

vf_batch vf_no_batch, vf_batch_gone;

/* Newton's iteration: each step doubles the number of right bits, of which x = odd has 3. */
static size_t inverse(size_t odd)
{
    size_t x = odd;
    for (unsigned bits = 3; bits < sizeof x * 8; bits *= 2)
        x *= 2 - odd * x;
    return x;
}

void vf_batches_begin(vf_pool *pool)
{
    vf_shape *shape = &pool->batches.shape;
    shape->bytes = pool->batch_objects * pool->stride;
    shape->words = (pool->batch_objects + VF_WORD_BITS - 1) / VF_WORD_BITS;
    shape->granule = 63U - (unsigned)__builtin_clzll(shape->bytes);
    shape->shift = (unsigned)__builtin_ctzll(pool->stride);
    shape->odd_inverse = inverse(pool->stride >> shape->shift);
}

/* ---- by number ---- */

static unsigned shift_of(unsigned height)
{
    return height * VF_WORD_LOG2;
}

vf_batch *vf_batch_at(const vf_batches *batches, size_t number)
{
    assert(number < vf_load_relaxed(&batches->count));
    /* acquire: pairs with the release in add_level. The members on the way were written before the
       count, which the caller has acquired, or under the growth lock, which it holds */
    const vf_group *group = vf_load_acquire(&batches->root);
    for (; group->height > 0;)
        group = group->members[(number >> shift_of(group->height)) % VF_WORD_BITS];
    return group->members[number % VF_WORD_BITS];
}

static vf_group *group_new(vf_pool *pool, vf_group *parent, size_t place, unsigned height)
{
    vf_group *group = vf_memory_alloc(pool, sizeof *group, _Alignof(vf_group));
    if (group != NULL) {
        memset(group, 0, sizeof *group);
        group->parent = parent;
        group->place = (uint32_t)place;
        group->height = height;
    }
    return group;
}

/* A root above the present one, or the first; false: out of memory. */
static bool add_level(vf_pool *pool)
{
    vf_group *below = pool->batches.root;
    vf_group *root = group_new(pool, NULL, 0, below != NULL ? below->height + 1 : 0);
    if (root == NULL)
        return false;
    if (below != NULL) {
        root->members[0] = below;
        /* Whether the old root lists anything may change at this moment. So it is listed in any
           case: a search that finds nothing there is not wrong, only longer. */
        root->listed = 1;
        vf_store_release(&below->parent, root); /* pairs with the loads in depot.c */
    }
    vf_store_release(&pool->batches.root, root); /* pairs with the acquires of root */
    return true;
}

/* The group of height 0 for a number that has no record yet; NULL: out of memory. */
static vf_group *make_group(vf_pool *pool, size_t number)
{
    vf_batches *batches = &pool->batches;
    while (batches->root == NULL || number >> shift_of(batches->root->height) >= VF_WORD_BITS) {
        if (!add_level(pool))
            return NULL;
    }
    vf_group *group = batches->root;
    while (group != NULL && group->height > 0) {
        size_t place = (number >> shift_of(group->height)) % VF_WORD_BITS;
        if (group->members[place] == NULL)
            group->members[place] = group_new(pool, group, place, group->height - 1);
        group = group->members[place];
    }
    return group;
}

static size_t record_size(const vf_pool *pool)
{
    return sizeof(vf_batch) + pool->batches.shape.words * sizeof(vf_word);
}

/* Long ones on lines of their own, since different threads set bits in neighbours. */
static size_t record_alignment(const vf_pool *pool)
{
    return record_size(pool) < 2 * VF_CACHE_LINE ? _Alignof(vf_batch) : VF_CACHE_LINE;
}

static vf_batch *record_new(vf_pool *pool)
{
    vf_batch *batch = vf_memory_alloc(pool, record_size(pool), record_alignment(pool));
    if (batch != NULL)
        memset(batch, 0, record_size(pool));
    return batch;
}

static void record_free(vf_pool *pool, vf_batch *batch)
{
    vf_memory_free(pool, batch, record_size(pool), record_alignment(pool));
}

/* Gives a number to a new record, for which there is a group. */
static void add_record(vf_pool *pool, vf_batch *batch)
{
    vf_batches *batches = &pool->batches;
    size_t number = batches->count;
    batch->number = (uint32_t)number;
    batch->group = make_group(pool, number);
    batch->group->members[number % VF_WORD_BITS] = batch;
    /* release: pairs with the acquires of count by threads that look at all records */
    vf_store_release(&batches->count, number + 1);
}

/* The record without memory that has the lowest number; NULL: there is none. */
static vf_batch *next_unused(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    for (; batches->unused < batches->count; batches->unused++) {
        vf_batch *batch = vf_batch_at(batches, batches->unused);
        if (batch->base == NULL)
            return batch;
    }
    return NULL;
}

/* Groups for n more records; false: out of memory. */
static bool make_groups(vf_pool *pool, size_t n)
{
    for (size_t number = pool->batches.count; n > 0; number++, n--) {
        if (make_group(pool, number) == NULL)
            return false;
    }
    return true;
}

/* ---- by address ---- */

static size_t places_of(const vf_addresses *table)
{
    return (size_t)1 << (64 - table->shift);
}

static size_t table_bytes(size_t places)
{
    return sizeof(vf_addresses) + places * sizeof(vf_batch *);
}

/* Where the search for a granule begins. */
static size_t home_of(const vf_addresses *table, uintptr_t granule)
{
    return (size_t)((uint64_t)granule * VF_HASH >> table->shift);
}

/* The batch that begins in this granule, if the address lies in it; or NULL. */
static vf_batch *find_in(const vf_batches *batches, const vf_addresses *table, uintptr_t granule,
                         uintptr_t address)
{
    size_t last = places_of(table) - 1;
    for (size_t i = home_of(table, granule);; i = (i + 1) & last) {
        /* acquire: pairs with the release in enter: the batch was written before */
        vf_batch *batch = vf_load_acquire(&table->places[i]);
        if (vf_batch_has(batch, batches->shape.bytes, address))
            return batch;
        if (batch == &vf_no_batch)
            return NULL;
    }
}

vf_batch *vf_batch_find(const vf_batches *batches, uintptr_t address)
{
    /* A slot that is live to the caller was entered before it was handed out, so it is found
       whatever others enter or remove meanwhile */
    const vf_addresses *table = vf_batch_addresses(batches);
    uintptr_t granule = address >> batches->shape.granule;
    vf_batch *batch = NULL;
    for (uintptr_t i = 0; table != NULL && batch == NULL && i < 3 && i <= granule; i++)
        batch = find_in(batches, table, granule - i, address);
    return batch;
}

/* Enters a batch in a table that has room and is not full of those that are gone. */
static void enter(const vf_batches *batches, vf_addresses *table, vf_batch *batch)
{
    size_t last = places_of(table) - 1;
    size_t i = home_of(table, (uintptr_t)batch->base >> batches->shape.granule);
    while (table->places[i] != &vf_no_batch && table->places[i] != &vf_batch_gone)
        i = (i + 1) & last;
    table->used += table->places[i] == &vf_no_batch;
    vf_store_release(&table->places[i], batch); /* pairs with the acquires of places */
}

/* A table for so many batches, with all that have memory; false: out of memory. It is twice as
   large as the one before, at least, so that all that were replaced are not larger than the last;
   and where batches come and go, the larger one is sparse enough for the places of those that went
   to become empty. */
static bool rehash(vf_pool *pool, size_t count)
{
    vf_batches *batches = &pool->batches;
    const vf_addresses *old = batches->addresses;
    unsigned log2 = old != NULL ? 65 - old->shift : FIRST_PLACES_LOG2;
    while (count + 1 > ((size_t)1 << log2) / 4 * 3)
        log2++;
    size_t bytes = table_bytes((size_t)1 << log2);
    vf_addresses *table = vf_memory_alloc(pool, bytes, _Alignof(vf_addresses));
    if (table == NULL)
        return false;
    table->older = batches->addresses;
    table->shift = 64 - log2;
    table->used = 0;
    for (size_t i = 0; i < places_of(table); i++)
        table->places[i] = &vf_no_batch;
    for (size_t number = 0; number < batches->count; number++) {
        vf_batch *batch = vf_batch_at(batches, number);
        if (vf_batch_base(batch) != NULL)
            enter(batches, table, batch);
    }
    vf_store_release(&batches->addresses, table); /* pairs with the acquire in vf_batch_find */
    return true;
}

/* Room for n more batches in the table; false: out of memory. */
static bool reserve_places(vf_pool *pool, size_t n)
{
    const vf_batches *batches = &pool->batches;
    const vf_addresses *table = batches->addresses;
    if (table != NULL && table->used + n <= places_of(table) / 4 * 3)
        return true;
    return rehash(pool, batches->held + batches->held / 2 + n);
}

static void remove_place(const vf_batches *batches, const vf_batch *batch)
{
    vf_addresses *table = batches->addresses;
    size_t last = places_of(table) - 1;
    size_t i = home_of(table, (uintptr_t)batch->base >> batches->shape.granule);
    while (table->places[i] != batch)
        i = (i + 1) & last;
    /* relaxed: nobody looks for a slot of it, and neither of the two that stand for no batch
       ever changes. Where an empty place comes next, a search that ends here would end there: so
       this place can be empty too, and those before it that were only passed over. */
    vf_store_release(&table->places[i], &vf_batch_gone); /* see vf_batch_close */
    if (table->places[(i + 1) & last] != &vf_no_batch)
        return;
    for (; table->places[i] == &vf_batch_gone; i = (i - 1) & last) {
        vf_store_relaxed(&table->places[i], &vf_no_batch);
        table->used--;
    }
}

/* ---- memory ---- */

static size_t slots_alignment(const vf_pool *pool)
{
    return pool->alignment > VF_CACHE_LINE ? pool->alignment : VF_CACHE_LINE;
}

/* A record with memory, which is not entered; NULL: out of memory. */
static vf_batch *prepare(vf_pool *pool, bool *is_new)
{
    vf_batch *batch = next_unused(pool);
    *is_new = batch == NULL;
    if (batch == NULL)
        batch = record_new(pool);
    if (batch == NULL)
        return NULL;
    char *base = vf_memory_alloc(pool, pool->batches.shape.bytes, slots_alignment(pool));
    if (base == NULL && *is_new)
        record_free(pool, batch);
    if (base == NULL)
        return NULL;
    vf_store_relaxed(&batch->begun, VF_NOT_ENTERED);
    /* relaxed: a thread that takes a slot has acquired its bit, which is set after this */
    vf_store_relaxed(&batch->base, base);
    return batch;
}

/* As if the chain had not been prepared; the last new_ones are new. */
static void undo(vf_pool *pool, vf_batch *chain, size_t n, size_t new_ones)
{
    for (vf_batch *next; chain != NULL; chain = next, n--) {
        next = chain->next;
        vf_batch_free_memory(pool, chain->base);
        vf_store_relaxed(&chain->base, (char *)NULL);
        if (n <= new_ones)
            record_free(pool, chain);
        else if (chain->number < pool->batches.unused)
            pool->batches.unused = chain->number;
    }
}

vf_batch *vf_batch_new(vf_pool *pool, size_t n)
{
    vf_batches *batches = &pool->batches;
    assert(n > 0);
    if (n > VF_POOL_SLOTS_MAX / pool->batch_objects - batches->held)
        return NULL;
    vf_batch *first = NULL, **last = &first;
    size_t made = 0, new_ones = 0;
    for (bool is_new; made < n && (*last = prepare(pool, &is_new)) != NULL; made++) {
        last = &(*last)->next;
        *last = NULL;
        new_ones += is_new;
    }
    if (made < n || !make_groups(pool, new_ones) || !reserve_places(pool, n)) {
        undo(pool, first, made, new_ones);
        return NULL;
    }
    for (vf_batch *batch = first; batch != NULL; batch = batch->next) {
        if (batch->group == NULL)
            add_record(pool, batch);
        enter(batches, batches->addresses, batch);
        vf_store_relaxed(&batch->begun, 0U);
    }
    vf_store_relaxed(&batches->held, batches->held + n); /* a number for reports */
    vf_tell_before(&pool->outstanding);
    return first;
}

char *vf_batch_close(vf_pool *pool, vf_batch *batch)
{
    vf_batches *batches = &pool->batches;
    char *base = batch->base;
    assert(base != NULL);
    /* In this order (hence release): the child of a fork in between takes the batch for one that
       was not entered, and lets it be. Nobody changes begun meanwhile: all slots are in hand. */
    vf_store_release(&batch->begun, VF_NOT_ENTERED);
    remove_place(batches, batch);
    vf_store_release(&batch->base, (char *)NULL);
    vf_store_relaxed(&batches->held, batches->held - 1);
    if (batch->number < batches->unused)
        batches->unused = batch->number;
    return base;
}

void vf_batch_free_memory(vf_pool *pool, char *base)
{
    vf_tell_after(&pool->outstanding);
    vf_memory_free(pool, base, pool->batches.shape.bytes, slots_alignment(pool));
}

/* ---- the end ---- */

static void free_groups(vf_pool *pool, vf_group *group)
{
    for (size_t i = 0; group->height > 0 && i < VF_WORD_BITS; i++) {
        if (group->members[i] != NULL)
            free_groups(pool, group->members[i]);
    }
    vf_memory_free(pool, group, sizeof *group, _Alignof(vf_group));
}

static void free_addresses(vf_pool *pool)
{
    vf_addresses *older;
    for (vf_addresses *table = pool->batches.addresses; table != NULL; table = older) {
        older = table->older;
        vf_memory_free(pool, table, table_bytes(places_of(table)), _Alignof(vf_addresses));
    }
}

void vf_batches_free(vf_pool *pool)
{
    vf_batches *batches = &pool->batches;
    for (size_t number = 0; number < batches->count; number++) {
        vf_batch *batch = vf_batch_at(batches, number);
        if (batch->base != NULL)
            vf_memory_free(pool, batch->base, batches->shape.bytes, slots_alignment(pool));
        record_free(pool, batch);
    }
    free_addresses(pool);
    if (batches->root != NULL)
        free_groups(pool, batches->root);
}
