/* SPDX-License-Identifier: MIT */
/*
 * test_depot.c - the depot: slots go home and come back, each once; batches with free slots are
 * found.
 */
#include "depot_pool.h"

#define VF_T short
#define VF_N 96
#include <veryfast/pool.h>

#define MOST 20000

static void *slots[MOST];

/* n slots from the depot, as many at a time as a cache would ask for. */
static void take(vf_home *home, void **to, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t part = n - i < 64 ? n - i : 64;
        size_t got = vf_depot_refill(depot, home, to + i, part);
        cr_assert(got > 0 && got <= part);
        i += got;
    }
}

static void take_and_leave(void **to, size_t n)
{
    vf_home home = {0};
    take(&home, to, n);
    vf_home_leave(&depot->batches, &home);
}

static char *base_of(size_t number)
{
    return vf_batch_base(vf_batch_at(&depot->batches, number));
}

static void shuffle(void **array, size_t n, uint64_t *random)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = test_random_below(random, i + 1);
        void *other = array[i];
        array[i] = array[j];
        array[j] = other;
    }
}

/* ---- taking ---- */

Test(depot, gives_the_slots_of_a_batch_from_the_lowest_on, .init = setup, .fini = teardown)
{
    vf_home home = {0};
    check_equal(vf_depot_get(depot, &home, slots, 64), 0); /* there is no batch */
    check_equal(vf_depot_refill(depot, &home, slots, 64), 64);
    for (size_t i = 0; i < 64; i++) /* the last one is the first to be handed out */
        cr_assert((char *)slots[63 - i] == base_of(0) + 2 * i);
    check_equal(vf_depot_get(depot, &home, slots, 10), 10);
    for (size_t i = 0; i < 10; i++)
        cr_assert((char *)slots[9 - i] == base_of(0) + 2 * (64 + i));
    check_equal(vf_depot_get(depot, &home, slots, 64), 26);
    cr_assert((char *)slots[25] == base_of(0) + 2 * 74 && (char *)slots[0] == base_of(0) + 2 * 99);
    check_equal(vf_depot_get(depot, &home, slots, 64), 0);
    check_equal(depot->batches.count, 1);
    check_equal(vf_depot_refill(depot, &home, slots, 64), 64);
    check_equal(depot->batches.count, 2);
    check_equal(depot->taken, 164);
    vf_home_leave(&depot->batches, &home);
}

Test(depot, touches_no_slot, .init = setup, .fini = teardown)
{
    take_and_leave(slots, MOST);
    for (size_t i = 0; i < MOST; i++)
        cr_assert(memcmp(slots[i], "\xA5\xA5", 2) == 0);
    cr_assert(all_apart(slots, MOST, 2));
}

/* In any order, in parts of any size: what goes in comes out, once. */
Test(depot, gives_back_what_it_was_given_once, .init = setup, .fini = teardown)
{
    static void *back[MOST + 400], *all[MOST]; /* a call writes to all that it is offered */
    uint64_t random = 1;
    take_and_leave(slots, MOST);
    memcpy(all, slots, sizeof all);
    cr_assert(all_apart(all, MOST, 2));
    vf_home home = {0};
    for (int turn = 0; turn < 10; turn++) {
        shuffle(slots, MOST, &random);
        size_t in = 0, out = 0;
        while (out < MOST) {
            size_t n = test_random_below(&random, 500);
            n = n < MOST - in ? n : MOST - in;
            vf_depot_put(depot, slots + in, n);
            in += n;
            out += vf_depot_get(depot, &home, back + out, 1 + test_random_below(&random, 400));
            check_equal(depot->taken, MOST - in + out);
        }
        check_equal(vf_depot_get(depot, &home, back, 1), 0);
        memcpy(slots, back, sizeof slots);
        cr_assert(all_apart(back, MOST, 2) && memcmp(back, all, sizeof all) == 0);
    }
    check_equal(depot->batches.count, MOST / 100);
    vf_home_leave(&depot->batches, &home);
}

/* Three lines a batch, one behind the other; all else from the tests' allocator. */
#define LINES (96 * sizeof(short))
static _Alignas(64) char neighbours[2 * LINES];
static size_t made;

static void *alloc_neighbour(void *context, size_t size, size_t alignment)
{
    vf_allocator *rest = context;
    return size == LINES ? neighbours + LINES * made++
                         : rest->alloc(rest->context, size, alignment);
}

static void free_neighbour(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator *rest = context;
    if (size != LINES)
        rest->dealloc(rest->context, memory, size, alignment);
}

/* The last word of a batch has 32 slots, and the batch behind it begins where more would be. */
Test(depot, takes_no_slot_for_one_of_the_batch_before)
{
    vf_allocator rest = options_now().allocator;
    vf_pool_options options = {.allocator = {alloc_neighbour, free_neighbour, &rest}};
    pool_short_96 *pool = pool_short_96_new(&options);
    size_t last = 95 / VF_WORD_BITS;
    depot = &vf_pool_whole((vf_pool_core *)pool)->depot;
    take_and_leave(slots, 192);
    for (size_t i = 0; i < 192; i++)
        slots[i] = neighbours + i * sizeof(short);
    vf_depot_put(depot, slots + 95, 2);
    slots[95] = vf_depot_alloc(depot);
    slots[96] = vf_depot_alloc(depot);
    cr_assert((char *)slots[95] == neighbours + 190 && (char *)slots[96] == neighbours + 192);
    vf_depot_put(depot, slots + 64, 64); /* the last 32 of one batch, and the first of the other */
    check_equal(vf_batch_at(&depot->batches, 0)->free[last], 0xFFFFFFFF);
    check_equal(vf_batch_at(&depot->batches, 1)->free[0], 0xFFFFFFFF);
    vf_depot_put(depot, slots + 128, 64); /* all in order, over the end of a word */
    check_equal(vf_batch_at(&depot->batches, 1)->free[0], VF_WORD_ALL);
    check_equal(vf_batch_at(&depot->batches, 1)->free[last], 0xFFFFFFFF);
    pool_short_96_release(pool);
    check_all_back(&allocator);
}

Test(depot, gives_and_takes_single_slots, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 250; i++)
        cr_assert((slots[i] = vf_depot_alloc(depot)) == base_of(i / 100) + 2 * (i % 100));
    check_equal(depot->batches.count, 3);
    for (size_t i = 0; i < 250; i++)
        vf_depot_free(depot, slots[i]);
    check_equal(depot->taken, 0);
    for (size_t i = 0; i < 250; i++)
        cr_assert(vf_depot_alloc(depot) == slots[i]);
    allocator.refuse = true;
    for (size_t i = 250; i < 300; i++)
        cr_assert(vf_depot_alloc(depot) != NULL);
    cr_assert(vf_depot_alloc(depot) == NULL);
    vf_depot_free(depot, slots[7]);
    cr_assert(vf_depot_alloc(depot) == slots[7] && vf_depot_alloc(depot) == NULL);
}

/* One that has found little looks at 16 batches, and one that has found a quarter at no other. */
Test(depot, a_search_ends, .init = setup, .fini = teardown)
{
    void *found[100];
    vf_home home = {0};
    take_and_leave(slots, MOST);
    for (size_t i = 0; i < 30; i++)
        vf_depot_put(depot, slots + 100 * i, 1);
    check_equal(vf_depot_get(depot, &home, found, 100), 16);
    vf_home_leave(&depot->batches, &home);
    check_equal(vf_depot_get(depot, &home, found, 100), 14);
    vf_home_leave(&depot->batches, &home);
    vf_depot_put(depot, slots, 25);
    vf_depot_put(depot, slots + 100, 1);
    check_equal(vf_depot_get(depot, &home, found, 100), 25);
    vf_home_leave(&depot->batches, &home);
}

/* ---- lists ---- */

/* So many batches that groups of them lie in groups: each that gets a slot back is found, and what
   is empty is looked at no more. */
Test(depot, finds_the_one_batch_that_has_a_free_slot, .init = setup_single, .fini = teardown_single)
{
    take_and_leave(slots, MOST);
    cr_assert(depot->batches.count == MOST && depot->batches.root->height >= 2);
    allocator.refuse = true;
    cr_assert(vf_depot_alloc(depot) == NULL);
    /* nor are groups looked at, but the first, which a new root lists in any case */
    check_equal(depot->batches.root->listed & ~(vf_word)1, 0);
    for (size_t i = 0; i < MOST; i += 37) {
        size_t number = batch_of(slots[i])->number;
        cr_assert(!is_listed(number));
        vf_depot_free(depot, slots[i]);
        cr_assert(is_listed(number));
        cr_assert(vf_depot_alloc(depot) == slots[i]);
        cr_assert(!is_listed(number) && vf_depot_alloc(depot) == NULL);
    }
}

/* A thread that stopped between its bit and the list leaves slots that nobody finds by the list. */
Test(depot, finds_slots_that_nobody_listed, .init = setup, .fini = teardown)
{
    take_and_leave(slots, MOST);
    allocator.refuse = true;
    for (size_t i = 0; i < MOST; i += 97) {
        vf_batch *batch = batch_of(slots[i]);
        size_t number = (size_t)((char *)slots[i] - batch->base) / 2;
        batch->free[number / VF_WORD_BITS] |= (vf_word)1 << number % VF_WORD_BITS;
    }
    cr_assert(vf_depot_alloc(depot) == NULL);
    size_t found = 0;
    for (void *slot; vf_depot_get_any(depot, &slot, 1) != 0; found++) {
    }
    check_equal(found, (MOST + 96) / 97);
}

/* ---- forks ---- */

/* A thread that does not come along over a fork may have freed a slot and not listed its batch. */
Test(depot, a_child_lists_what_has_free_slots, .init = setup, .fini = teardown)
{
    take_and_leave(slots, MOST);
    vf_batch *batch = batch_of(slots[7000]);
    cr_assert(batch->number % VF_WORD_BITS != batch->group->in_parent);
    vf_depot_put(depot, slots + 7000, 1);
    for (vf_group *group = batch->group; group != NULL; group = group->parent)
        group->listed = 0;
    cr_assert(!is_listed(batch->number));
    vf_depot_after_fork(depot);
    cr_assert(is_listed(batch->number));
}

/* ---- reservations ---- */

Test(depot, reserves_what_is_missing_and_no_more, .init = setup, .fini = teardown)
{
    cr_assert(vf_depot_reserve(depot, 1));
    check_equal(depot->batches.held, 1);
    cr_assert(vf_depot_reserve(depot, 100));
    check_equal(depot->batches.held, 1);
    cr_assert(vf_depot_reserve(depot, 101));
    check_equal(depot->batches.held, 2);
    take_and_leave(slots, 150);
    cr_assert(vf_depot_reserve(depot, 50));
    check_equal(depot->batches.held, 2);
    cr_assert(vf_depot_reserve(depot, 251));
    check_equal(depot->batches.held, 5);
    allocator.refuse = true;
    take_and_leave(slots, 350);
    cr_assert(!vf_depot_reserve(depot, 1) && vf_depot_reserve(depot, 0));
    check_equal(depot->batches.held, 5);
    vf_depot_put(depot, slots, 3);
    cr_assert(vf_depot_reserve(depot, 3) && !vf_depot_reserve(depot, 4));
}
