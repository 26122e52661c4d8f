/* SPDX-License-Identifier: MIT */
/*
 * addresses.c - see addresses.h.
 *
 * Table by address. A batch is entered once, under the granule that its first slot lies in:
 *
 *     granules:  |       g       |      g+1      |      g+2      |
 *     batches:        [ first         ][ second         ]
 *     entered:     g: first           g+1: second
 *
 * A granule is not longer than a batch, so no two batches begin in the same one; and it is longer
 * than half a batch, so the batch of a slot begins in the slot's granule or in one of the two
 * before it. Open addressing with linear probing, at most three quarters full, and a small table
 * less: see most_used.
 *
 * A version of the table is replaced by a larger one, which is prepared a few cells at a time. All
 * that changes does so under the growth lock, in an order that leaves everything whole after each
 * store, for the child of a fork.
 */
#include "addresses.h"

#include <assert.h>

#define FIRST_CELLS_LOG2 4

/* Cells of the largest tables that are kept sparse: 1 KB, and 4 KB for batches of so many bytes,
   beside which 128 more for each are little. */
#define SPARSE_CELLS       64
#define SPARSE_CELLS_LARGE 256
#define LARGE_BATCH        16384

static size_t cells_of(const vf_addresses *table)
{
    return (size_t)1 << (64 - table->shift);
}

/* How many cells may be in use. A slot whose batch is in another cell costs a failed prediction and
   a search. The hashes of neighbouring granules lie so far apart (Knuth, 6.4, theorem S) that three
   eighths as many batches, side by side, have a cell each. But the C library has a place of its own
   for each thread that makes batches, and their hashes fall anywhere. So large batches have eight
   cells each. */
static size_t most_used(const vf_batches *batches, size_t cells)
{
    bool large = batches->shape.bytes >= LARGE_BATCH;
    if (cells > (large ? SPARSE_CELLS_LARGE : SPARSE_CELLS))
        return cells / 4 * 3;
    return large ? cells / 8 : cells / 8 * 3;
}

static size_t table_bytes(size_t cells)
{
    return sizeof(vf_addresses) + cells * sizeof(vf_cell);
}

/* Where the search for a granule begins. */
static size_t hashed_cell(const vf_addresses *table, uintptr_t granule)
{
    return (size_t)((uint64_t)granule * VF_HASH >> table->shift);
}

/* The batch that begins in this granule, if the address lies in it; or NULL. */
static vf_batch *find_in_table(const vf_batches *batches, const vf_addresses *table,
                               uintptr_t granule, uintptr_t address, uintptr_t *base)
{
    size_t last = cells_of(table) - 1;
    for (size_t i = hashed_cell(table, granule);; i = (i + 1) & last) {
        /* relaxed, twice: a batch of which the caller has a slot was entered before the slot was
           handed out, and of all others it is the base alone that is looked at */
        *base = vf_load_relaxed(&table->cells[i].base);
        if (vf_cell_has(*base, batches->shape.bytes, address))
            return vf_load_relaxed(&table->cells[i].batch);
        if (*base == VF_CELL_EMPTY)
            return NULL;
    }
}

vf_batch *vf_addresses_find(const vf_batches *batches, uintptr_t address, uintptr_t *base)
{
    /* A slot that is live to the caller was entered before it was handed out, so it is found
       whatever others enter or remove meanwhile */
    const vf_addresses *table = vf_addresses_now(batches);
    uintptr_t granule = address >> batches->shape.granule;
    vf_batch *batch = NULL;
    for (uintptr_t i = 0; table != NULL && batch == NULL && i < 3 && i <= granule; i++)
        batch = find_in_table(batches, table, granule - i, address, base);
    return batch;
}

/* Enters a batch in a table that has room and is not full of those that are gone; in which cell. */
static size_t enter_in_table(const vf_batches *batches, vf_addresses *table, vf_batch *batch)
{
    assert(vf_mutex_held(batches->growth));
    size_t last = cells_of(table) - 1;
    size_t i = hashed_cell(table, (uintptr_t)batch->base >> batches->shape.granule);
    while (table->cells[i].base > VF_CELL_GONE)
        i = (i + 1) & last;
    table->used += table->cells[i].base == VF_CELL_EMPTY;
    /* relaxed: nobody looks for an object of what was here before, and of this none is handed out
       yet. release: the child of a fork finds no base without its batch */
    vf_store_relaxed(&table->cells[i].batch, batch);
    vf_store_release(&table->cells[i].base, (uintptr_t)batch->base);
    return i;
}

static size_t cell_with(const vf_batches *batches, const vf_addresses *table, const vf_batch *batch)
{
    size_t i = hashed_cell(table, (uintptr_t)batch->base >> batches->shape.granule);
    while (table->cells[i].base != (uintptr_t)batch->base)
        i = (i + 1) & (cells_of(table) - 1);
    return i;
}

static void remove_cell(const vf_batches *batches, vf_addresses *table, const vf_batch *batch)
{
    assert(vf_mutex_held(batches->growth));
    size_t last = cells_of(table) - 1;
    size_t i = cell_with(batches, table, batch);
    /* relaxed: nobody looks for a slot of it. Where an empty cell comes next, a search that ends
       here would end there: so this cell can be empty too, and those before it that were only
       passed over. */
    vf_store_release(&table->cells[i].base, VF_CELL_GONE); /* see vf_batch_close */
    if (table->cells[(i + 1) & last].base != VF_CELL_EMPTY)
        return;
    for (; table->cells[i].base == VF_CELL_GONE; i = (i - 1) & last) {
        vf_store_relaxed(&table->cells[i].base, VF_CELL_EMPTY);
        table->used--;
    }
}

/* ---- the next version ---- */

/* Has the next table, if there is one, all that is in the present one up to cell i? */
static bool is_prepared(const vf_batches *batches, size_t i)
{
    return batches->next != NULL && batches->prepared > cells_of(batches->next) + i;
}

/* Begins a next table, for so many batches; false: out of memory. It is twice as large as the
   present one, at least, so that all that were replaced are not larger than the last; and where
   batches come and go, the larger one is sparse enough for the cells of those that went to become
   empty. */
static bool begin_next(vf_batches *batches, size_t count)
{
    assert(vf_mutex_held(batches->growth) && batches->next == NULL);
    const vf_addresses *old = batches->addresses;
    unsigned log2 = old != NULL ? 65 - old->shift : FIRST_CELLS_LOG2;
    while (count > most_used(batches, (size_t)1 << log2))
        log2++;
    size_t bytes = table_bytes((size_t)1 << log2);
    vf_addresses *table = vf_memory_alloc(batches->memory, bytes, _Alignof(vf_addresses));
    if (table == NULL)
        return false;
    table->older = batches->addresses;
    table->shift = 64 - log2;
    table->used = 0;
    batches->prepared = 0;
    vf_store_release(&batches->next, table); /* its order is for the child of a fork, as below */
    return true;
}

/* One cell of the next table becomes empty, or then, one of the present table is entered there. */
static void prepare_cell(const vf_batches *batches, size_t step)
{
    vf_addresses *next = batches->next;
    if (step < cells_of(next)) {
        next->cells[step].base = VF_CELL_EMPTY;
        return;
    }
    const vf_cell *cell = &batches->addresses->cells[step - cells_of(next)];
    if (cell->base > VF_CELL_GONE)
        enter_in_table(batches, next, cell->batch);
}

/* So many steps, after the last of which the next table is the present one. */
static void prepare_next(vf_batches *batches, size_t steps)
{
    assert(vf_mutex_held(batches->growth));
    vf_addresses *next = batches->next;
    size_t all = cells_of(next) + (next->older != NULL ? cells_of(next->older) : 0);
    for (; steps > 0 && batches->prepared < all; steps--, batches->prepared++)
        prepare_cell(batches, batches->prepared);
    if (batches->prepared < all)
        return;
    vf_store_release(&batches->next, (vf_addresses *)NULL);
    vf_store_release(&batches->addresses, next); /* pairs with the acquire in vf_addresses_find */
}

/* Steps for each batch. From a large table's being eleven sixteenths full to three quarters one in
   16 of its cells is entered, and there are three times its cells to be prepared: 48 would do.
   Earlier would be longer with four times the memory. */
#define STEPS 64

/* Where a large table will be full soon, some steps are made toward the next one, so that no call
   has to make them all. */
bool vf_addresses_reserve(vf_batches *batches, size_t n)
{
    const vf_addresses *table;
    while ((table = batches->addresses) == NULL ||
           table->used + n > most_used(batches, cells_of(table))) {
        if (batches->next == NULL && !begin_next(batches, batches->held + batches->held / 2 + n))
            return false;
        prepare_next(batches, SIZE_MAX);
    }
    if (batches->next != NULL ||
        (table->used > cells_of(table) * 11 / 16 && begin_next(batches, batches->held)))
        prepare_next(batches, n * STEPS);
    return true;
}

void vf_addresses_enter(vf_batches *batches, vf_batch *batch)
{
    size_t i = enter_in_table(batches, batches->addresses, batch);
    if (is_prepared(batches, i))
        enter_in_table(batches, batches->next, batch);
}

void vf_addresses_remove(vf_batches *batches, const vf_batch *batch)
{
    if (is_prepared(batches, cell_with(batches, batches->addresses, batch)))
        remove_cell(batches, batches->next, batch);
    remove_cell(batches, batches->addresses, batch);
}

void vf_addresses_after_fork(vf_batches *batches)
{
    if (batches->next != NULL) {
        batches->next->used = 0;
        batches->prepared = 0;
    }
}

void vf_addresses_free(vf_batches *batches)
{
    vf_addresses *older;
    vf_addresses *newest = batches->next != NULL ? batches->next : batches->addresses;
    for (vf_addresses *table = newest; table != NULL; table = older) {
        older = table->older;
        vf_memory_free(batches->memory, table, table_bytes(cells_of(table)),
                       _Alignof(vf_addresses));
    }
}
