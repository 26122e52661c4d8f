/* SPDX-License-Identifier: MIT */
/*
 * test_batch.c - batches: which one an address is of, which one has which number, and what a
 * failure to make some leaves behind.
 */
#include "support/threads.h"
#include "test_common.h"

#include "pool/pool.h"

#define VF_T char
#define VF_N 1
#include <veryfast/pool.h>

/* Pools of any stride and batch, by way of the core; the type is never looked at. */
static pool_char_1 *owner;
static vf_batches *batches;

/* ---- an allocator that says where slots lie ---- */

#define ARENA ((size_t)1 << 26)

static test_allocator allocator;
static struct {
    char *memory;      /* ARENA bytes, at a multiple of 4096 */
    size_t from, step; /* the next batch's memory; how far the one after it is, 0: anywhere */
    size_t batch_bytes;
} arena;

static void *placing_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    if (arena.step == 0 || size != arena.batch_bytes)
        return real.alloc(real.context, size, alignment);
    cr_assert(arena.from + size <= ARENA);
    char *memory = arena.memory + arena.from;
    arena.from += arena.step;
    cr_assert((uintptr_t)memory % alignment == 0);
    return memory;
}

static void placing_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    if (arena.step == 0 || size != arena.batch_bytes)
        real.dealloc(real.context, memory, size, alignment);
}

static void open_pool(size_t object_size, size_t alignment, size_t objects)
{
    allocator = (test_allocator){0};
    vf_pool_type type = {&vf_interface_1, "any", object_size, alignment, objects, NULL, false};
    vf_pool_options options = {.allocator = {placing_alloc, placing_dealloc, &allocator},
                               .cache_objects = VF_CACHE_NONE};
    owner = (pool_char_1 *)vf_pool_core_new(&type, &options, sizeof options);
    cr_assert(owner != NULL);
    batches = &vf_pool_whole((vf_pool_core *)owner)->depot.batches;
    arena.batch_bytes = batches->shape.bytes;
}

static void close_pool(void)
{
    pool_char_1_release(owner);
    check_all_back(&allocator);
    arena.step = 0;
}

/* Batches of which no slot is free, as many in one step; NULL: out of memory. */
static vf_batch *make(size_t n)
{
    vf_mutex_lock(batches->growth);
    vf_batch *batch = vf_batch_new(batches, n);
    vf_mutex_unlock(batches->growth);
    return batch;
}

static vf_batch *at(size_t number)
{
    return vf_batch_at(batches, number);
}

/* Gives the memory of a batch back. */
static void give_up(vf_batch *batch)
{
    vf_mutex_lock(batches->growth);
    char *base = vf_batch_close(batches, batch);
    vf_mutex_unlock(batches->growth);
    vf_batch_free_memory(batches, base);
}

static vf_batch *find(const char *address)
{
    uintptr_t base;
    vf_batch *batch = vf_addresses_find(batches, (uintptr_t)address, &base);
    cr_assert(batch == NULL || base == (uintptr_t)vf_batch_base(batch));
    return batch;
}

/* A slot, by both ways. */
static void check_slot(const char *slot, const vf_batch *batch, size_t number)
{
    const vf_addresses *table = vf_addresses_now(batches);
    cr_assert(find(slot) == batch);
    uintptr_t base;
    cr_assert(vf_batch_of(batches, table, batches->shape, (uintptr_t)slot, &base) == batch);
    check_equal(base, (uintptr_t)vf_batch_base(batch));
    check_equal(vf_batch_slot_number(batches->shape, (size_t)(slot - vf_batch_base(batch))),
                number);
}

/* Each of its slots leads to it, and what is beside it does not. */
static void check_batch(const vf_batch *batch)
{
    size_t slots = batches->shape.objects;
    char *base = vf_batch_base(batch);
    for (size_t i = 0; i < slots; i += i < 70 || i + 70 > slots ? 1 : slots / 50) {
        check_slot(base + i * batches->shape.stride, batch, i);
        cr_assert(find(base + (i + 1) * batches->shape.stride - 1) == batch);
    }
    cr_assert(find(base - 1) != batch);
    cr_assert(find(base + slots * batches->shape.stride) != batch);
}

static void check_all_batches(void)
{
    size_t held = 0;
    for (size_t number = 0; number < batches->count; number++) {
        check_equal(at(number)->number, number);
        if (vf_batch_base(at(number)) == NULL)
            continue;
        check_batch(at(number));
        held++;
    }
    check_equal(batches->held, held);
    cr_assert(find(NULL) == NULL && find((char *)&held) == NULL && find((char *)owner) == NULL);
    cr_assert(find((char *)UINTPTR_MAX) == NULL);
}

/* ---- by number, by address ---- */

/* The tree of groups grows by a level behind 64 and 4096 records (32 and 1024, where words are
   that wide), and the table by address many times. */
Test(batch, is_found_by_number_and_address_however_many_there_are)
{
    open_pool(8, 8, 2);
    cr_assert(find((char *)&allocator) == NULL); /* there is none yet */
    for (size_t n = 1; batches->count < 4500; n = n % 7 + 1) {
        vf_batch *batch = make(n);
        for (size_t i = 0; i < n; i++, batch = batch->next)
            cr_assert(batch != NULL);
        cr_assert(batch == NULL);
    }
    cr_assert(batches->root->height == 2);
    check_all_batches();
    close_pool();
}

/* One between any two small batches would keep their memory from going back. */
Test(batch, has_its_record_in_a_block_of_others)
{
    open_pool(24, 8, 7);
    size_t before = allocator.blocks;
    for (size_t n = 0; n < 2048; n++)
        cr_assert(make(1) != NULL);
    cr_assert(allocator.blocks < before + 2048 + 300); /* blocks, groups, tables */
    check_all_batches();
    close_pool();
    open_pool(1024, 8, 1024); /* large ones have eight in the first block, too */
    cr_assert(make(9) != NULL);
    size_t record = sizeof(vf_batch) + 1024 / VF_WORD_BITS * sizeof(vf_word);
    check_equal((size_t)((char *)at(7) - (char *)at(0)), 7 * record);
    close_pool();
}

static void check_strides(size_t object_size, size_t alignment, size_t objects)
{
    open_pool(object_size, alignment, objects);
    cr_assert(make(3) != NULL && make(1) != NULL);
    check_all_batches();
    close_pool();
}

Test(batch, is_found_with_any_stride_and_any_number_of_slots)
{
    static const size_t sizes[] = {1,  2,  3,  5,   7,   8,   12,   24,   31,    40,
                                   64, 96, 99, 127, 320, 999, 4096, 4097, 65536, 100001};
    static const size_t objects[] = {1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof objects / sizeof *objects; j++)
            check_strides(sizes[i], 1, objects[j]);
        check_strides(sizes[i], 64, 20);
        check_strides(sizes[i], 4096, 3);
    }
    check_strides(1, 1, 4096);
    check_strides(3, 1, 5000);
    check_strides(7, 1, 1000003);
    check_strides((size_t)1 << 22, 1, 2);
}

/* Batches side by side, at pairs of cache lines, at pages, and at a power of two: as the customary
   allocators place them, and such that many would begin at the same place in the table. */
Test(batch, is_found_wherever_the_allocator_places_it)
{
    static const size_t alignments[] = {VF_CACHE_LINE, 2 * VF_CACHE_LINE, 4096, 65536};
    arena.memory = test_memory(1, ARENA + 4096);
    char *begin = arena.memory;
    arena.memory += (0 - (uintptr_t)begin) % 4096;
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        for (size_t objects = 1; objects <= 1000; objects = objects * 3 + 1) {
            open_pool(24, 8, objects);
            arena.from = 0;
            arena.step = (batches->shape.bytes + alignments[i] - 1) / alignments[i] * alignments[i];
            while (batches->count < 300)
                cr_assert(make(1 + batches->count % 3) != NULL);
            check_all_batches();
            close_pool();
        }
    }
    free(begin);
}

/* ---- memory that comes and goes ---- */

/* A record without memory is used again, the one with the lowest number first, with whatever
   memory there is then; what it had is nobody's. */
Test(batch, keeps_its_number_when_its_memory_is_another)
{
    enum { BATCHES = 200 };
    open_pool(16, 8, 10);
    uint64_t random = 1;
    for (int turn = 0; turn < 50; turn++) {
        while (batches->held < BATCHES)
            cr_assert(make(1) != NULL);
        check_equal(batches->count, BATCHES);
        size_t lowest = BATCHES;
        char *gone[BATCHES / 2];
        for (size_t i = 0; i < BATCHES / 2; i++) {
            size_t number = test_random_below(&random, BATCHES);
            gone[i] = vf_batch_base(at(number));
            if (gone[i] == NULL)
                continue;
            give_up(at(number));
            lowest = number < lowest ? number : lowest;
            cr_assert(find(gone[i]) == NULL && vf_batch_base(at(number)) == NULL);
        }
        check_all_batches();
        for (size_t i = 0; i < BATCHES / 2; i++)
            cr_assert(gone[i] == NULL || find(gone[i]) == NULL);
        cr_assert(make(1) == at(lowest));
    }
    check_all_batches();
    close_pool();
}

/* Batches that are given back and made anew, each at an address of its own, leave nothing behind:
   what the table by address needs is bounded by what there is at once. */
Test(batch, that_comes_and_goes_leaves_nothing_behind)
{
    arena.memory = test_memory(1, ARENA + 4096);
    char *begin = arena.memory;
    arena.memory += (0 - (uintptr_t)begin) % 4096;
    open_pool(16, 8, 10);
    arena.from = 0;
    arena.step = 3 * VF_CACHE_LINE;
    cr_assert(make(5) != NULL);
    size_t before = 0;
    for (size_t i = 0; i < 10000; i++) {
        give_up(at(i % 5));
        cr_assert(make(1) == at(i % 5));
        if (i == 100)
            before = allocator.bytes;
    }
    check_all_batches();
    cr_assert(allocator.bytes <= before + 4096, "%zu bytes, then %zu", before, allocator.bytes);
    close_pool();
    free(begin);
}

/* The table by address counts the places that a search may have to pass. */
Test(batch, that_has_gone_leaves_its_place_empty)
{
    open_pool(24, 8, 7);
    for (size_t n = 1; n <= 300; n++) {
        cr_assert(make(1) != NULL);
        check_equal(batches->addresses->used, n);
    }
    for (size_t i = 0; i < 300; i++)
        give_up(at(i * 7 % 300));
    check_equal(batches->addresses->used, 0);
    close_pool();
}

/* ---- the next table by address ---- */

static size_t cells_of(const vf_addresses *table)
{
    return (size_t)1 << (64 - table->shift);
}

/* One more batch, and perhaps one less. Where that replaces a large table, few steps were left; a
   small one stays sparse. */
static void make_and_give_up(uint64_t *random)
{
    const vf_addresses *table = batches->addresses;
    size_t prepared = batches->prepared;
    cr_assert(make(1) != NULL);
    if (table != batches->addresses) {
        check_all_batches();
        cr_assert(table == NULL || cells_of(table) <= 256 || 3 * cells_of(table) - prepared <= 64);
    }
    size_t cells = cells_of(batches->addresses);
    cr_assert(batches->addresses->used <= (cells <= 64 ? cells / 8 * 3 : cells / 4 * 3));
    size_t number = test_random_below(random, 4 * batches->count);
    if (number < batches->count && vf_batch_base(at(number)) != NULL)
        give_up(at(number));
}

static void give_all_up(void)
{
    for (size_t number = 0; number < batches->count; number++) {
        if (vf_batch_base(at(number)) != NULL)
            give_up(at(number));
    }
    check_equal(batches->addresses->used, 0);
}

Test(batch, is_found_however_far_the_next_table_is)
{
    open_pool(16, 8, 10);
    uint64_t random = 1;
    size_t between = 0;
    while (batches->held < 1600) {
        make_and_give_up(&random);
        between += batches->next != NULL;
    }
    cr_assert(between > 100);
    while (batches->next == NULL)
        make_and_give_up(&random);
    check_all_batches();
    cr_assert(make(300) != NULL); /* more than the table has room for, or the next one */
    check_all_batches();
    give_all_up();
    close_pool();
}

/* In the child of a fork nobody knows what another thread has done to the next table. */
Test(batch, is_found_where_the_next_table_is_begun_again)
{
    open_pool(16, 8, 10);
    uint64_t random = 1;
    while (batches->next == NULL || batches->held < 100)
        make_and_give_up(&random);
    make_and_give_up(&random);
    for (size_t i = 0; i < cells_of(batches->next); i++)
        batches->next->cells[i].base = (uintptr_t)at(0)->base;
    batches->next->used = 1000;
    vf_addresses_after_fork(batches);
    while (batches->held < 200)
        make_and_give_up(&random);
    check_all_batches();
    give_all_up();
    while (batches->next == NULL)
        make_and_give_up(&random);
    close_pool(); /* with a table that nobody has used */
}

/* What the README says, at each moment: blocks of records and tables have room to spare. */
Test(batch, costs_a_bit_a_slot_and_some_bytes_and_no_more)
{
    open_pool(1, 1, 4096);
    size_t slots = 0;
    while (batches->held < 1600) {
        cr_assert(make(1) != NULL);
        slots += batches->shape.bytes;
        size_t most = slots / 50 + slots / 8 + 64 * batches->held + 4096;
        cr_assert(allocator.bytes - slots <= most, "%zu bytes of %zu with %zu batches",
                  allocator.bytes - slots, most, batches->held);
    }
    close_pool();
}

/* ---- failures ---- */

/* All that a failure must leave as it was. */
typedef struct state {
    size_t count, held, bytes;
    char *bases[300];
} state;

static state state_now(void)
{
    state now = {batches->count, batches->held, 0, {NULL}};
    for (size_t i = 0; i < now.count; i++)
        now.bases[i] = vf_batch_base(at(i));
    return now;
}

/* Of n batches the k-th call of the allocator fails, for each k: none is added, also where some are
   records that had memory once. Then all are. */
static void check_failures(size_t objects, size_t before, size_t given_back, size_t n)
{
    open_pool(24, 8, objects);
    if (before > 0)
        cr_assert(make(before) != NULL);
    for (size_t i = 0; i < given_back; i++)
        give_up(at(i * before / given_back));
    size_t slots_alone = allocator.blocks;
    state then = state_now();
    size_t refused = 0;
    vf_batch *batch;
    for (;; refused++) {
        allocator.fail_at = allocator.calls + 1 + refused;
        if ((batch = make(n)) != NULL)
            break;
        state now = state_now();
        cr_assert(memcmp(&then, &now, sizeof now) == 0, "refusal %zu", refused);
        check_all_batches();
    }
    cr_assert(refused >= n);
    cr_assert(allocator.blocks >= slots_alone + n);
    for (size_t i = 0; i < n; i++, batch = batch->next)
        check_batch(batch);
    check_equal(batches->held, before - given_back + n);
    size_t new_ones = n > given_back ? n - given_back : 0; /* the others are used again */
    check_equal(batches->count, before + new_ones);
    check_all_batches();
    close_pool();
}

Test(batch, n_are_made_or_none_whichever_allocation_fails)
{
    check_failures(7, 0, 0, 1);
    check_failures(7, 0, 0, 70);
    check_failures(7, 10, 3, 1);
    check_failures(7, 10, 3, 3);
    check_failures(7, 10, 3, 5);
    check_failures(7, 60, 30, 100);
    check_failures(7, VF_WORD_BITS, 0, 1);
    check_failures(2048, 0, 0, 10); /* with four records in a block */
    check_failures(2048, 10, 3, 5);
    check_failures(2048, 12, 0, 9);
}

Test(batch, most_slots_are_not_exceeded)
{
    open_pool(1, 1, 1000);
    cr_assert(make(2) != NULL);
    size_t calls = allocator.calls;
    cr_assert(make(VF_POOL_SLOTS_MAX / 1000 - 1) == NULL && make(SIZE_MAX) == NULL);
    check_equal(allocator.calls, calls);
    close_pool();
}
