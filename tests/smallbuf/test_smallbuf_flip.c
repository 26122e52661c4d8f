/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_flip.c - draining while others may push, on one thread: which bank gets what.
 */
#include "test_common.h"

static size_t dropped;

#define VF_T int
#define VF_N 4
#define VF_FLIP
#define VF_NAME    flips
#define VF_DROP(p) (dropped += *(p) >= 0)
#include <veryfast/smallbuf.h>

static test_allocator allocator;
static vf_smallbuf_options options;
static flips buffer;

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    flips_init(&buffer, &options);
    dropped = 0;
}

static void teardown(void)
{
    flips_destroy(&buffer);
    check_all_back(&allocator);
}

static void push_ints(int first, int n)
{
    for (int i = first; i < first + n; i++)
        cr_assert(flips_push(&buffer, i));
}

/* The drain has these, in this order, and nothing else. */
static void check_drain(flips_drain *drain, int first, int n)
{
    int value = -1;
    for (int i = first; i < first + n; i++) {
        cr_assert(flips_drain_next(drain, &value));
        check_equal((size_t)value, (size_t)i);
    }
    cr_assert(!flips_drain_next(drain, &value));
    flips_drain_end(drain);
}

Test(smallbuf_flip, takes_what_was_pushed, .init = setup, .fini = teardown)
{
    for (int n = 0; n < 300; n = n * 3 / 2 + 1) {
        flips_drain drain;
        push_ints(0, n);
        check_equal(flips_count(&buffer), (size_t)n);
        if (n % 2 == 0)
            drain = flips_flip(&buffer);
        else
            cr_assert(flips_flip_try(&buffer, &drain));
        check_equal(flips_count(&buffer), 0);
        check_drain(&drain, 0, n);
    }
}

Test(smallbuf_flip, pushes_during_a_drain_are_in_the_next, .init = setup, .fini = teardown)
{
    push_ints(0, 20);
    for (int round = 1; round < 50; round++) {
        flips_drain drain = flips_flip(&buffer);
        int value = -1, n = 0;
        while (flips_drain_next(&drain, &value)) {
            cr_assert(flips_push(&buffer, value + 1)); /* one for each, as a handler would */
            n++;
        }
        flips_drain_end(&drain);
        check_equal((size_t)n, 20);
        check_equal((size_t)value, (size_t)(19 + round - 1));
        check_equal(flips_count(&buffer), 20);
    }
    size_t calls = atomic_load(&allocator.calls);
    check_equal(calls, 2); /* a chunk for each bank, and kept */
}

#ifndef VF_CHECKED /* where pushes expect nothing */
/* Where a flip comes between, the index that a push takes is none of the bank that it expected. */
Test(smallbuf_flip, a_push_expects_slots_of_one_bank, .init = setup, .fini = teardown)
{
    for (int round = 0; round < 6; round++) {
        push_ints(0, 20);
        vf_expected expected = vf_expect_of_flips(&buffer);
        cr_assert(vf_expected_of_flips(&expected, buffer.tail - expected.first));
        flips_drain drain = flips_flip(&buffer);
        push_ints(20, 20);
        cr_assert(!vf_expected_of_flips(&expected, buffer.tail - expected.first));
        check_drain(&drain, 0, 20);
        if (round % 2 == 0) /* so that each bank has its turn */
            drain = flips_flip(&buffer);
        else
            drain = flips_drain_begin(&buffer);
        check_drain(&drain, 20, 20);
    }
}
#endif

Test(smallbuf_flip, a_drain_left_half_way_drops_the_rest, .init = setup, .fini = teardown)
{
    int value = -1;
    push_ints(0, 100);
    flips_drain drain = flips_flip(&buffer);
    for (int i = 0; i < 30; i++)
        cr_assert(flips_drain_next(&drain, &value));
    flips_drain_end(&drain);
    check_equal(dropped, 70);
    check_equal(flips_count(&buffer), 0);
}

Test(smallbuf_flip, exclusive_drain_takes_both_banks, .init = setup, .fini = teardown)
{
    int values[50];
    for (int i = 0; i < 50; i++)
        values[i] = i;
    for (int rounds = 0; rounds < 5; rounds++) {
        check_equal(flips_push_n(&buffer, values, 50), 50);
        cr_assert(flips_push_exclusive(&buffer, 50));
        flips_drain drain = flips_drain_begin(&buffer);
        check_drain(&drain, 0, 51);
        drain = flips_flip(&buffer); /* so that the other bank has its turn */
        check_drain(&drain, 0, 0);
    }
}

/* Ten pushes into the next bank, of which so many are accepted. */
static void check_round(size_t accepted)
{
    size_t index;
    for (size_t i = 0; i < 10; i++) {
        cr_assert(flips_push_index(&buffer, (int)i, &index) == (i < accepted));
        check_equal(index, i);
    }
    check_equal(flips_refused(&buffer), 10 - accepted);
    flips_drain drain = flips_flip(&buffer);
    check_equal(flips_drain_refused(&drain), 10 - accepted);
    check_drain(&drain, 0, (int)accepted);
}

Test(smallbuf_flip, what_is_refused_counts_as_done, .init = setup, .fini = teardown)
{
    static const struct {
        bool refuse;
        size_t accepted;
    } rounds[] = {{true, 4},   {true, 4},  {true, 4}, {false, 10},
                  {false, 10}, {true, 10}, {true, 10}};
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        atomic_store(&allocator.refuse, rounds[i].refuse);
        check_round(rounds[i].accepted);
    }
}

Test(smallbuf_flip, room_is_for_each_bank, .init = setup, .fini = teardown)
{
    cr_assert(flips_reserve(&buffer, 1000));
    atomic_store(&allocator.refuse, true);
    for (int round = 0; round < 4; round++) {
        push_ints(0, 1000);
        flips_drain drain = flips_flip(&buffer);
        check_drain(&drain, 0, 1000);
    }
    check_refused(ENOMEM, !flips_reserve(&buffer, 100000));
    size_t bytes = atomic_load(&allocator.bytes);
    check_equal(flips_trim(&buffer, 0), bytes);
    check_equal(atomic_load(&allocator.bytes), 0);
    push_ints(0, 4);
    check_refused(ENOMEM, !flips_push(&buffer, 4));
}

/* Whichever of the chunks for the two banks is refused, neither bank has more than before. */
Test(smallbuf_flip, a_refused_reserve_changes_nothing, .init = setup, .fini = teardown)
{
    push_ints(0, 3);
    size_t refused = 0;
    for (size_t k = 1; refused < k; k++) {
        size_t bytes = atomic_load(&allocator.bytes);
        atomic_store(&allocator.fail_at, atomic_load(&allocator.calls) + k);
        errno = 0;
        if (flips_reserve(&buffer, 100)) {
            cr_assert(refused > 1, "%zu calls of the allocator", refused);
            return;
        }
        cr_assert(errno == ENOMEM);
        check_equal(atomic_load(&allocator.bytes), bytes);
        check_equal(flips_count(&buffer), 3);
        check_equal(flips_capacity(&buffer), 4);
        refused++;
    }
}

Test(smallbuf_flip, a_cap_is_for_each_bank, .init = setup, .fini = teardown)
{
    static const size_t caps[] = {1, 3, 4, 5, 100};
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
        options.max_elements = caps[c];
        flips_destroy(&buffer);
        flips_init(&buffer, &options);
        for (int round = 0; round < 3; round++) {
            push_ints(0, (int)caps[c]);
            check_refused(ENOMEM, !flips_push(&buffer, 0));
            flips_drain drain = flips_flip(&buffer);
            check_equal(flips_drain_refused(&drain), 1);
            check_drain(&drain, 0, (int)caps[c]);
        }
        flips_destroy(&buffer);
        memset(&buffer, 0, sizeof buffer);
    }
}

Test(smallbuf_flip, an_idle_one_can_be_moved, .init = setup, .fini = teardown)
{
    static flips other;
    flips_drain drain;
    push_ints(0, 60);
    drain = flips_flip(&buffer);
    check_drain(&drain, 0, 60);
    push_ints(0, 70); /* in the other bank */
    memcpy(&other, &buffer, sizeof other);
    memset(&buffer, 0xA5, sizeof buffer);
    cr_assert(flips_flip_try(&other, &drain));
    check_drain(&drain, 0, 70);
    memcpy(&buffer, &other, sizeof buffer);
    push_ints(0, 5);
    check_equal(flips_count(&buffer), 5);
}

/* ---- flips that are begun ---- */

Test(smallbuf_flip, one_that_is_begun_goes_on_to_its_end, .init = setup, .fini = teardown)
{
    flips_drain drain;
    cr_assert(!flips_flip_done(&buffer, &drain)); /* none is */
    for (int n = 0; n < 300; n = n * 3 / 2 + 1) {
        push_ints(0, n);
        flips_flip_begin(&buffer);
        push_ints(1000, 3); /* into the other bank, and counted there */
        flips_flip_begin(&buffer);
        check_equal(flips_count(&buffer), 3);
        check_equal(flips_count_about(&buffer), 3);
        if (n % 3 == 0) {
            cr_assert(flips_flip_done(&buffer, &drain));
        } else if (n % 3 == 1) {
            cr_assert(flips_flip_try(&buffer, &drain));
        } else {
            drain = flips_flip(&buffer);
        }
        check_drain(&drain, 0, n);
        cr_assert(!flips_flip_done(&buffer, &drain));
        drain = flips_flip(&buffer);
        check_drain(&drain, 1000, 3);
    }
}

/* The older bank first; what is refused is of both. */
Test(smallbuf_flip, exclusive_access_takes_what_is_begun, .init = setup, .fini = teardown)
{
    for (int n = 0; n < 300; n = n * 3 / 2 + 1) {
        push_ints(0, n);
        flips_flip_begin(&buffer);
        push_ints(n, 2 * n);
        flips_drain drain = flips_drain_begin(&buffer);
        check_equal(flips_count(&buffer), 0);
        check_drain(&drain, 0, 3 * n);
    }
    flips_trim(&buffer, 0);
    atomic_store(&allocator.refuse, true);
    for (int bank = 0; bank < 2; bank++) {
        for (int i = 0; i < 10; i++)
            cr_assert(flips_push(&buffer, 4 * bank + i) == (i < 4));
        if (bank == 0)
            flips_flip_begin(&buffer);
    }
    flips_drain drain = flips_drain_begin(&buffer);
    check_equal(flips_drain_refused(&drain), 12);
    check_drain(&drain, 0, 8);
    atomic_store(&allocator.refuse, false);
}

Test(smallbuf_flip, clear_and_destroy_drop_what_is_begun, .init = setup, .fini = teardown)
{
    for (int round = 0; round < 4; round++) {
        dropped = 0;
        push_ints(0, 100);
        flips_flip_begin(&buffer);
        push_ints(0, 50);
        if (round % 2 == 0)
            flips_clear(&buffer);
        else
            flips_destroy(&buffer);
        check_equal(dropped, 150);
        check_equal(flips_count(&buffer), 0);
        cr_assert(round % 2 == 0 || allocator.blocks == 0);
    }
}

/* Neither adds to the bank that is begun, nor takes what is in it away. */
Test(smallbuf_flip, reserve_and_trim_leave_alone_what_is_begun, .init = setup, .fini = teardown)
{
    atomic_store(&allocator.refuse, true);
    for (int i = 0; i < 10; i++)
        cr_assert(flips_push(&buffer, i) == (i < 4));
    flips_flip_begin(&buffer);
    atomic_store(&allocator.refuse, false);
    cr_assert(flips_reserve(&buffer, 100));
    flips_drain drain;
    cr_assert(flips_flip_done(&buffer, &drain));
    check_equal(flips_drain_refused(&drain), 6);
    check_drain(&drain, 0, 4);
    push_ints(0, 100);
    flips_flip_begin(&buffer);
    flips_trim(&buffer, 0);
    drain = flips_flip(&buffer);
    check_drain(&drain, 0, 100);
}

Test(smallbuf_flip, the_drainer_gives_memory_of_its_bank_back, .init = setup, .fini = teardown)
{
    flips_drain drain;
    size_t least = 0;
    for (int round = 0; round < 4; round++) {
        push_ints(0, round < 2 ? 5 : 100000);
        drain = flips_flip(&buffer);
        push_ints(0, 3); /* beside it */
        size_t before = allocator.bytes;
        size_t back = flips_drain_end_trim(&drain, 0);
        check_equal(before - allocator.bytes, back);
        cr_assert((back > 0) == (round >= 2));
        if (round == 1)
            least = allocator.bytes; /* a first chunk for each bank */
        cr_assert(round < 1 || allocator.bytes == least);
        flips_clear(&buffer);
    }
    push_ints(0, 100000);
    drain = flips_flip(&buffer);
    flips_drain_end_trim(&drain, 1000);
    drain = flips_flip(&buffer);
    flips_drain_end(&drain);
    atomic_store(&allocator.refuse, true);
    push_ints(0, 1000); /* for which room was kept */
    cr_assert(!flips_reserve(&buffer, 10000));
    drain = flips_flip(&buffer);
    check_drain(&drain, 0, 1000);
}

Test(smallbuf_flip, what_was_not_taken_is_dropped_before_its_memory_goes, .init = setup,
     .fini = teardown)
{
    int value;
    push_ints(0, 1000);
    flips_drain drain = flips_flip(&buffer);
    cr_assert(flips_drain_next(&drain, &value) && value == 0);
    size_t before = allocator.bytes;
    size_t back = flips_drain_end_trim(&drain, 0);
    check_equal(before - allocator.bytes, back);
    check_equal(dropped, 999);
}

/* ---- sleep ---- */

Test(smallbuf_flip, a_wait_ends_by_what_is_there, .init = setup, .fini = teardown)
{
    flips_drain drain;
    cr_assert(!flips_wait(&buffer, 0));
    cr_assert(!flips_wait(&buffer, 1000000));
    push_ints(0, 1);
    cr_assert(flips_wait(&buffer, -1));
    flips_flip_begin(&buffer);
    cr_assert(flips_wait(&buffer, -1)); /* what is begun is there too */
    cr_assert(flips_flip_done(&buffer, &drain));
    check_drain(&drain, 0, 1);
    cr_assert(!flips_wait(&buffer, 0));
    for (int i = 0; i < 3; i++)
        flips_wake(&buffer);
    push_ints(0, 70); /* while the wake is pending */
    drain = flips_flip(&buffer);
    check_drain(&drain, 0, 70);
    cr_assert(flips_wait(&buffer, -1));
    cr_assert(!flips_wait(&buffer, 0)); /* they were one */
    flips_wake(&buffer);
    push_ints(0, 5);
    cr_assert(flips_push_exclusive(&buffer, 5));
    check_equal(flips_count(&buffer), 6);
    flips_clear(&buffer);
    cr_assert(flips_wait(&buffer, -1)); /* also after exclusive access */
    cr_assert(!flips_wait(&buffer, 0));
}

#ifndef VF_CHECKED /* which has its own way to the core */
/* As where S_wake comes between a flip's two looks at the counter. */
Test(smallbuf_flip, a_wake_that_a_flip_has_overwritten_is_made_up_for, .init = setup,
     .fini = teardown)
{
    vf_flip_missed(&buffer.tail, VF_ASLEEP);
    cr_assert(!flips_wait(&buffer, 0));
    vf_flip_missed(&buffer.tail, VF_WOKEN);
    cr_assert(flips_wait(&buffer, 0));
    cr_assert(!flips_wait(&buffer, 0));
}
#endif

/* ---- VF_DROP that pushes: an inner node drops its two children into the buffer ---- */

static size_t nodes_dropped[64];
static void drop_node(const int *node);

#define VF_T       int
#define VF_N       16
#define VF_NAME    nodes
#define VF_DROP(p) drop_node(p)
#define VF_FLIP
#include <veryfast/smallbuf.h>

static nodes tree;

static void drop_node(const int *node)
{
    int number = *node;
    nodes_dropped[number]++;
    for (int i = 0; number < 31 && i < 2; i++)
        cr_assert(nodes_push(&tree, 2 * number + 1 + i));
}

Test(smallbuf_flip, what_a_drop_pushes_is_dropped_once)
{
    for (size_t round = 1; round < 5; round++) {
        cr_assert(nodes_push(&tree, 0));
        if (round % 2 != 0)
            nodes_clear(&tree);
        else
            nodes_destroy(&tree);
        check_equal(nodes_count(&tree), 0);
        for (size_t i = 0; i < 63; i++)
            check_equal(nodes_dropped[i], round);
    }
}
