/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_drain.c - drains: whole, left half way, abandoned; and what is dropped.
 */
#include <setjmp.h>

#include "support/threads.h"
#include "test_common.h"

static void drop(const int *value);

#define VF_T       int
#define VF_N       4
#define VF_DROP(p) drop(p)
#include <veryfast/smallbuf.h>

/* The same without it. */
#define VF_T    int
#define VF_N    4
#define VF_NAME plain
#include <veryfast/smallbuf.h>

#define MOST 5000

static test_allocator allocator;
static vf_smallbuf_options options;
static smallbuf_int_4 buffer;
static int next;                 /* number of the next element pushed */
static unsigned gone[MOST * 20]; /* how often each was dropped or handed out */

static void drop(const int *value)
{
    gone[*value]++;
}

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    next = 0;
    memset(gone, 0, sizeof gone);
}

static void push(size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(smallbuf_int_4_push(&buffer, next++));
}

/* Elements from first on, so many, are gone as often as that. */
static void check_gone(int first, size_t n, unsigned times)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(gone[(size_t)first + i] == times, "%zu has gone %u times, not %u",
                  (size_t)first + i, gone[(size_t)first + i], times);
}

static void teardown(void)
{
    int before = next;
    push(10);
    check_equal(smallbuf_int_4_count(&buffer), 10);
    smallbuf_int_4_destroy(&buffer);
    check_gone(before, 10, 1);
    check_all_back(&allocator);
}

/* Takes n elements, by spans where they fit in, otherwise one by one. */
static void take(smallbuf_int_4_drain *drain, int first, size_t n, bool spans)
{
    int value = 0, *span;
    for (size_t i = 0; i < n; i++) {
        size_t run = spans ? smallbuf_int_4_drain_span(drain, &span) : 0;
        cr_assert(i + run <= n, "a span of %zu is too long", run);
        for (size_t j = 0; j < run; j++, i++) {
            check_equal((size_t)span[j], (size_t)first + i);
            gone[span[j]]++;
        }
        if (i >= n)
            break;
        cr_assert(smallbuf_int_4_drain_next(drain, &value), "%zu are missing", n - i);
        check_equal((size_t)value, (size_t)first + i);
        gone[value]++;
    }
}

static void check_end(smallbuf_int_4_drain *drain)
{
    int value = 7, *span;
    for (int i = 0; i < 2; i++) {
        check_equal(smallbuf_int_4_drain_span(drain, &span), 0);
        cr_assert(!smallbuf_int_4_drain_next(drain, &value) && value == 7);
    }
    smallbuf_int_4_drain_end(drain);
}

static const size_t counts[] = {0, 1, 3, 4, 5, 6, 35, 36, 37, 67, 68, 69, 70, 195, 196, 197, 4444};
#define COUNTS (sizeof counts / sizeof *counts)

Test(smallbuf_drain, hands_out_all, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 4 * COUNTS; i++) {
        int first = next;
        size_t count = counts[i % COUNTS];
        push(count);
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        check_equal(smallbuf_int_4_count(&buffer), 0);
        take(&drain, first, count, i / COUNTS % 2 != 0);
        check_end(&drain);
        check_gone(first, count, 1);
        if (i / COUNTS == 1)
            smallbuf_int_4_trim(&buffer, 0);
    }
}

/* drain_next leaves the rest of its span to drain_span, wherever that is. */
Test(smallbuf_drain, next_and_span_mix_at_every_place, .init = setup, .fini = teardown)
{
    for (size_t k = 0; k < 200; k++) {
        int first = next, *span;
        push(200);
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        take(&drain, first, k, false);
        size_t seen = k;
        for (size_t n; (n = smallbuf_int_4_drain_span(&drain, &span)) > 0; seen += n) {
            for (size_t i = 0; i < n; i++) {
                check_equal((size_t)span[i], (size_t)first + seen + i);
                gone[span[i]]++;
            }
        }
        check_equal(seen, 200);
        check_end(&drain);
        check_gone(first, 200, 1);
    }
}

Test(smallbuf_drain, left_half_way_drops_the_rest_once, .init = setup, .fini = teardown)
{
    for (size_t k = 0; k <= 200; k++) {
        int first = next;
        push(200);
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        take(&drain, first, k, false);
        check_gone(first, k, 1);
        check_gone(first + (int)k, 200 - k, 0);
        smallbuf_int_4_drain_end(&drain);
        check_gone(first, 200, 1);
        smallbuf_int_4_drain_end(&drain); /* there is nothing left */
        check_gone(first, 200, 1);
        check_equal(smallbuf_int_4_count(&buffer), 0);
    }
}

/* Elements that a span has handed out are the caller's, whatever he has looked at. */
Test(smallbuf_drain, a_span_is_taken_whole, .init = setup, .fini = teardown)
{
    push(300);
    int *span;
    smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
    check_equal(smallbuf_int_4_drain_span(&drain, &span), 4);
    size_t n = smallbuf_int_4_drain_span(&drain, &span);
    cr_assert(n > 0);
    smallbuf_int_4_drain_end(&drain);
    check_gone(0, 4 + n, 0);
    check_gone(4 + (int)n, 296 - n, 1);
}

Test(smallbuf_drain, abandoned_loses_the_rest_and_repeats_nothing, .init = setup, .fini = teardown)
{
    for (size_t k = 0; k <= 200; k += 1 + k % 3) {
        int lost = next;
        push(200);
        smallbuf_int_4_drain abandoned = smallbuf_int_4_drain_begin(&buffer);
        take(&abandoned, lost, k, false);
        check_equal(smallbuf_int_4_count(&buffer), 0);
        int first = next;
        push(150);
        check_equal(smallbuf_int_4_count(&buffer), 150);
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        take(&drain, first, 150, true);
        check_end(&drain);
        check_gone(lost, k, 1);
        check_gone(lost + (int)k, 200 - k, 0);
    }
}

static jmp_buf leave;

static void handle(int value, int last)
{
    gone[value]++;
    if (value == last)
        longjmp(leave, 1);
}

static void drain_until(int last)
{
    smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
    int value;
    while (smallbuf_int_4_drain_next(&drain, &value))
        handle(value, last);
}

Test(smallbuf_drain, left_by_longjmp, .init = setup, .fini = teardown)
{
    for (volatile int k = 0; k < 100; k++) {
        int first = next;
        push(100);
        if (setjmp(leave) == 0) {
            drain_until(first + k);
            cr_assert(false, "it was not left");
        }
        check_equal(smallbuf_int_4_count(&buffer), 0);
        check_gone(next - 100, (size_t)k + 1, 1);
        check_gone(next - 99 + k, 99 - (size_t)k, 0);
    }
}

Test(smallbuf_drain, of_an_empty_buffer, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 3; i++) {
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        check_end(&drain);
        drain = smallbuf_int_4_drain_begin(&buffer);
        check_end(&drain);
        smallbuf_int_4_clear(&buffer);
        push(i == 0 ? 4 : 400);
        smallbuf_int_4_clear(&buffer);
    }
}

/* What is behind the last element of one fill is of an earlier one. */
Test(smallbuf_drain, of_less_than_before, .init = setup, .fini = teardown)
{
    push(1000);
    smallbuf_int_4_clear(&buffer);
    for (size_t count = 300; count-- > 0;) {
        int first = next;
        push(count);
        smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
        take(&drain, first, count, count % 2 != 0);
        check_end(&drain);
    }
    check_gone(0, (size_t)next, 1);
}

/* Each element that was accepted goes once, by one way or another. */
Test(smallbuf_drain, all_go_once_whatever_is_called, .init = setup, .fini = teardown)
{
    uint64_t chance = test_setting("VF_SEED", 11);
    while (next < MOST * 19) {
        push(test_random_below(&chance, 400));
        size_t count = smallbuf_int_4_count(&buffer);
        int first = next - (int)count;
        switch (test_random(&chance) % 5) {
        case 0:
            smallbuf_int_4_clear(&buffer);
            break;
        case 1:
            smallbuf_int_4_destroy(&buffer);
            break;
        case 2:
            continue; /* and more to them */
        default: {
            smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
            take(&drain, first, test_random_below(&chance, count + 1), false);
            smallbuf_int_4_drain_end(&drain);
        }
        }
        check_gone(first, count, 1);
    }
    smallbuf_int_4_clear(&buffer);
    check_gone(0, (size_t)next, 1);
}

Test(smallbuf_drain, without_drop_costs_no_call_and_loses_nothing, .init = setup, .fini = teardown)
{
    static plain ints;
    plain_init(&ints, &options);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 500; i++)
            cr_assert(plain_push(&ints, i));
        plain_drain drain = plain_drain_begin(&ints);
        int value;
        for (int i = 0; i < round * 50; i++)
            cr_assert(plain_drain_next(&drain, &value) && value == i);
        plain_drain_end(&drain);
        check_equal(plain_count(&ints), 0);
    }
    plain_destroy(&ints);
}

/* Rounds of one size, then of any: once it is grown, never a call of the allocator. */
Test(smallbuf_drain, steady_state_allocates_nothing, .init = setup, .fini = teardown)
{
    push(3000);
    smallbuf_int_4_clear(&buffer);
    size_t calls = allocator.calls, blocks = allocator.blocks;
    uint64_t chance = 5;
    for (int round = 0; round < 2000; round++) {
        next = 0;
        push(round < 20 ? 3000 : test_random_below(&chance, 300));
        smallbuf_int_4_clear(&buffer);
    }
    check_equal(allocator.calls, calls);
    check_equal(allocator.blocks, blocks);
    next = 0;
    memset(gone, 0, sizeof gone);
}
