/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_memory.c - S_span at every place, and what S_trim gives back.
 */
#include "test_common.h"

#define VF_T int
#define VF_N 8
#include <veryfast/smallbuf.h>

/* Slots of the first chunk: 256 bytes, whatever a cache line is. */
#define FIRST (256 / sizeof(int))

static test_allocator allocator;
static vf_smallbuf_options options;
static smallbuf_int_8 buffer;

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_8_init(&buffer, &options);
}

static void teardown(void)
{
    smallbuf_int_8_destroy(&buffer);
    check_all_back(&allocator);
}

static void push(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        cr_assert(smallbuf_int_8_push(&buffer, (int)i));
}

static void check_ints(size_t count)
{
    const int *ints;
    check_equal(smallbuf_int_8_count(&buffer), count);
    for (size_t i = 0; i < count; i++) {
        cr_assert(smallbuf_int_8_span(&buffer, i, &ints) > 0);
        check_equal((size_t)*ints, i);
    }
}

/* ---- S_span ---- */

/* From any place on it leads to the same end of a run. */
Test(smallbuf_span, at_every_place, .init = setup, .fini = teardown)
{
    static const size_t counts[] = {0, 1, 7, 8, 9, 71, 72, 73, 74, 200, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t count = counts[i], end = 0, runs = 0;
        smallbuf_int_8_clear(&buffer);
        push(0, count);
        for (size_t from = 0; from < count; from++) {
            const int *ints;
            size_t n = smallbuf_int_8_span(&buffer, from, &ints);
            cr_assert(n > 0 && from + n <= count);
            runs += from + n != end;
            cr_assert(from + n == end || from == end, "a run ends at %zu and %zu", from + n, end);
            end = from + n;
            for (size_t j = 0; j < n; j++)
                check_equal((size_t)ints[j], from + j);
        }
        check_equal(end, count);
        cr_assert(runs <= 6, "%zu runs", runs);
    }
}

Test(smallbuf_span, behind_the_last_is_none, .init = setup, .fini = teardown)
{
    static const size_t beyond[] = {0, 1, 7, 8, 9, 100, 1000, UINT32_MAX, SIZE_MAX - 8, SIZE_MAX};
    for (size_t count = 0; count < 300; count++) {
        for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
            const int *ints;
            size_t from = SIZE_MAX - count < beyond[i] ? SIZE_MAX : count + beyond[i];
            check_equal(smallbuf_int_8_span(&buffer, from, &ints), 0);
        }
        push(count, count + 1);
    }
}

Test(smallbuf_span, of_a_refused_push_shows_nothing, .init = setup, .fini = teardown)
{
    for (size_t cap = 1; cap < 90; cap++) {
        smallbuf_int_8_destroy(&buffer);
        options.max_elements = cap;
        smallbuf_int_8_init(&buffer, &options);
        push(0, cap);
        for (int i = 0; i < 20; i++)
            cr_assert(!smallbuf_int_8_push(&buffer, -1));
        check_ints(cap);
        const int *ints;
        for (size_t i = cap; i < cap + 25; i++)
            check_equal(smallbuf_int_8_span(&buffer, i, &ints), 0);
    }
}

Test(smallbuf_span, reads_and_leaves_all_in_place, .init = setup, .fini = teardown)
{
    push(0, 500);
    check_ints(500);
    check_ints(500);
    push(500, 600);
    check_ints(600);
    smallbuf_int_8_drain drain = smallbuf_int_8_drain_begin(&buffer);
    int value;
    for (int i = 0; i < 600; i++)
        cr_assert(smallbuf_int_8_drain_next(&drain, &value) && value == i);
    smallbuf_int_8_drain_end(&drain);
}

/* ---- S_trim ---- */

static void check_trim(size_t keep)
{
    size_t count = smallbuf_int_8_count(&buffer);
    size_t before = allocator.bytes, calls = allocator.calls;
    size_t capacity = smallbuf_int_8_capacity(&buffer);
    errno = EXDEV;
    check_equal(smallbuf_int_8_trim(&buffer, keep), before - allocator.bytes);
    cr_assert(errno == EXDEV);
    check_equal(allocator.calls, calls);
    size_t kept = keep > count ? keep : count;
    size_t room = smallbuf_int_8_capacity(&buffer);
    cr_assert(room <= capacity);
    cr_assert(room >= (kept < capacity ? kept : capacity), "room for %zu, not %zu", room, kept);
    cr_assert(room <= 8 || room / 2 - FIRST / 2 <= kept, "room for %zu still", room);
    check_equal(smallbuf_int_8_trim(&buffer, keep), 0);
    check_ints(count);
}

/* What is left is room indeed, and what is not can be had again. */
static void check_room(size_t count)
{
    size_t room = smallbuf_int_8_capacity(&buffer), calls = allocator.calls;
    push(count, room);
    check_equal(allocator.calls, calls);
    push(room, room + 1);
    check_equal(allocator.calls, calls + 1);
    check_ints(room + 1);
}

Test(smallbuf_trim, keeps_room_for_those_that_are_there, .init = setup, .fini = teardown)
{
    static const size_t counts[] = {0, 1, 8, 9, 72, 73, 200, 201, 1000, 4000};
    static const size_t keeps[] = {0, 1, 8, 9, 71, 72, 73, 200, 201, 999, 4000, 100000, SIZE_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t j = 0; j < sizeof keeps / sizeof *keeps; j++) {
            smallbuf_int_8_clear(&buffer);
            push(0, 4000);
            smallbuf_int_8_clear(&buffer);
            push(0, counts[i]);
            check_trim(keeps[j]);
            check_room(counts[i]);
        }
    }
}

Test(smallbuf_trim, to_nothing_gives_all_back, .init = setup, .fini = teardown)
{
    for (size_t count = 0; count <= 8; count++) {
        push(0, 5000);
        smallbuf_int_8_clear(&buffer);
        push(0, count);
        size_t bytes = allocator.bytes;
        check_equal(smallbuf_int_8_trim(&buffer, 0), bytes);
        check_all_back(&allocator);
        check_equal(smallbuf_int_8_capacity(&buffer), 8);
        check_ints(count);
        smallbuf_int_8_clear(&buffer);
    }
}

/* As much as a buffer has that grew to hold so many. */
Test(smallbuf_trim, keeps_no_chunk_behind_the_last_element, .init = setup, .fini = teardown)
{
    for (size_t count = 1; count < 600; count++) {
        push(0, count);
        size_t capacity = smallbuf_int_8_capacity(&buffer);
        push(count, 5000);
        smallbuf_int_8_clear(&buffer);
        push(0, count);
        smallbuf_int_8_trim(&buffer, 0);
        check_equal(smallbuf_int_8_capacity(&buffer), capacity);
        smallbuf_int_8_destroy(&buffer);
        smallbuf_int_8_init(&buffer, &options);
    }
}

Test(smallbuf_trim, by_halves, .init = setup, .fini = teardown)
{
    for (size_t count = 0; count < 10; count += 9) {
        push(0, 100000);
        smallbuf_int_8_clear(&buffer);
        push(0, count);
        for (size_t keep = 100000; keep > 0; keep /= 2)
            check_trim(keep);
        smallbuf_int_8_clear(&buffer);
    }
}

Test(smallbuf_trim, keeps_the_options, .init = setup, .fini = teardown)
{
    options.max_elements = 100;
    push(0, 100);
    smallbuf_int_8_clear(&buffer);
    cr_assert(smallbuf_int_8_trim(&buffer, 0) > 0);
    push(0, 100);
    cr_assert(!smallbuf_int_8_push(&buffer, 100));
    cr_assert(allocator.bytes > 0);
    check_ints(100);
}

/* Neither what was refused nor that it was is forgotten. */
Test(smallbuf_trim, forgets_no_refusal, .init = setup, .fini = teardown)
{
    for (size_t k = 1; k < 7; k++) {
        smallbuf_int_8_destroy(&buffer);
        allocator.fail_at = allocator.calls + k;
        size_t count = 0;
        while (smallbuf_int_8_push(&buffer, (int)count))
            count++;
        check_equal(smallbuf_int_8_trim(&buffer, 0), 0);
        cr_assert(!smallbuf_int_8_push(&buffer, 0));
        check_equal(smallbuf_int_8_refused(&buffer), 2);
        cr_assert(smallbuf_int_8_reserve(&buffer, 5000));
        check_trim(0);
        check_equal(smallbuf_int_8_refused(&buffer), 2);
        check_trim(300);
        push(count, count + 300);
        check_ints(count + 300);
        check_equal(smallbuf_int_8_refused(&buffer), 2);
        smallbuf_int_8_clear(&buffer);
        check_equal(smallbuf_int_8_refused(&buffer), 0);
        cr_assert(smallbuf_int_8_trim(&buffer, 0) > 0);
        check_all_back(&allocator);
    }
}

/* With refusals that were lifted at exactly N elements, too: they end with the drain. */
Test(smallbuf_trim, refusals_end_with_the_fill, .init = setup, .fini = teardown)
{
    allocator.fail_at = 1;
    push(0, 8);
    cr_assert(!smallbuf_int_8_push(&buffer, 8));
    cr_assert(smallbuf_int_8_reserve(&buffer, 1));
    check_equal(smallbuf_int_8_count(&buffer), 8);
    check_equal(smallbuf_int_8_refused(&buffer), 1);
    smallbuf_int_8_clear(&buffer);
    check_equal(smallbuf_int_8_refused(&buffer), 0);
    push(0, 8);
    check_equal(smallbuf_int_8_refused(&buffer), 0);
    cr_assert(smallbuf_int_8_trim(&buffer, 0) > 0);
    check_ints(8);
}

Test(smallbuf_memory, destroy_gives_all_back_in_any_state, .init = setup, .fini = teardown)
{
    for (size_t count = 0; count < 3000; count += 1 + count / 7) {
        push(0, count);
        if (count % 3 == 0)
            smallbuf_int_8_clear(&buffer);
        if (count % 3 == 1)
            cr_assert(smallbuf_int_8_reserve(&buffer, count));
        smallbuf_int_8_destroy(&buffer);
        check_all_back(&allocator);
        check_equal(smallbuf_int_8_capacity(&buffer), 8);
        check_ints(0);
        smallbuf_int_8_destroy(&buffer);
    }
}

/* What is counted as room is there: bytes held are not much more than the elements'. */
Test(smallbuf_memory, bytes_held_are_those_of_the_room, .init = setup, .fini = teardown)
{
    for (size_t count = 0; count < 100000; count = count * 2 + 1) {
        push(0, count);
        size_t room = (smallbuf_int_8_capacity(&buffer) - 8) * sizeof(int);
        cr_assert(allocator.bytes >= room);
        cr_assert(allocator.bytes <= room + room / 32 + 32 * VF_CACHE_LINE);
        smallbuf_int_8_clear(&buffer);
    }
}

/* ---- the first chunk ---- */

typedef struct page {
    char bytes[300];
} page;

#define VF_T page
#define VF_N 1
#define VF_FLIP
#include <veryfast/smallbuf.h>

/* There are no writers with VF_FLIP, which would need more. */
Test(smallbuf_chunk, of_large_elements_begins_with_one, .init = setup, .fini = teardown)
{
    static smallbuf_page_1 pages;
    static page one;
    smallbuf_page_1_init(&pages, &options);
    for (size_t count = 1; count <= 16; count *= 2) {
        while (smallbuf_page_1_count(&pages) < count)
            cr_assert(smallbuf_page_1_push(&pages, one));
        check_equal(smallbuf_page_1_capacity(&pages), count);
    }
    smallbuf_page_1_destroy(&pages);
}
