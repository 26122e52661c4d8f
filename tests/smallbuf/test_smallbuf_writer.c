/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_writer.c - writers: what they push, the gaps they leave, and what they give back.
 */
#include "support/threads.h"
#include "test_common.h"

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

static test_allocator allocator;
static vf_smallbuf_options options;
static smallbuf_int_4 buffer;
static smallbuf_int_4_writer writers[4];

/* A reference: the elements that must be there, in this order. */
static int expected[20000];
static size_t expected_count;

static void open_all(void)
{
    for (size_t i = 0; i < 4; i++)
        smallbuf_int_4_writer_open(&writers[i], &buffer);
}

static void close_all(void)
{
    for (size_t i = 0; i < 4; i++)
        smallbuf_int_4_writer_close(&writers[i]);
}

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    expected_count = 0;
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    open_all();
}

static void teardown(void)
{
    close_all();
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
}

static void write_ints(size_t writer, int first, int n)
{
    for (int i = first; i < first + n; i++)
        cr_assert(smallbuf_int_4_writer_push(&writers[writer], i));
}

static void expect(int first, int n)
{
    for (int i = first; i < first + n; i++)
        expected[expected_count++] = i;
}

/* By spans that are followed, then at every place in ascending and in descending order. */
static void check_spans(void)
{
    const int *ints;
    size_t n;
    check_equal(smallbuf_int_4_count(&buffer), expected_count);
    for (size_t i = 0; i < expected_count; i += n) {
        n = smallbuf_int_4_span(&buffer, i, &ints);
        cr_assert(n > 0 && i + n <= expected_count);
        cr_assert(memcmp(ints, expected + i, n * sizeof(int)) == 0);
    }
    for (size_t i = 0; i < 2 * expected_count; i++) {
        size_t from = i < expected_count ? i : 2 * expected_count - i - 1;
        cr_assert(smallbuf_int_4_span(&buffer, from, &ints) > 0);
        check_equal((size_t)*ints, (size_t)expected[from]);
    }
    check_equal(smallbuf_int_4_span(&buffer, expected_count, &ints), 0);
    check_equal(smallbuf_int_4_span(&buffer, expected_count + 1, &ints), 0);
}

static void check_drain(bool spans)
{
    smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
    int *ints, value;
    size_t seen = 0;
    for (size_t n; spans && (n = smallbuf_int_4_drain_span(&drain, &ints)) > 0; seen += n) {
        cr_assert(seen + n <= expected_count);
        cr_assert(memcmp(ints, expected + seen, n * sizeof(int)) == 0);
    }
    for (; smallbuf_int_4_drain_next(&drain, &value); seen++)
        cr_assert(seen < expected_count && value == expected[seen]);
    check_equal(seen, expected_count);
    smallbuf_int_4_drain_end(&drain);
    expected_count = 0;
    check_spans();
}

Test(smallbuf_writer, pushes_in_order, .init = setup, .fini = teardown)
{
    for (int n = 0; n < 2000; n = n * 3 / 2 + 1) {
        write_ints(0, 0, n);
        close_all();
        expect(0, n);
        check_spans();
        size_t index;
        cr_assert(smallbuf_int_4_push_index(&buffer, n, &index));
        check_equal(index, (size_t)n); /* all that was unused is back */
        expect(n, 1);
        check_spans();
        check_drain(n % 2 != 0);
    }
}

Test(smallbuf_writer, below_n_takes_no_more_than_it_uses, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 4; i++) {
        write_ints((size_t)i % 2, i, 1);
        expect(i, 1);
    }
    check_equal(allocator.calls, 0);
    close_all();
    check_spans();
}

Test(smallbuf_writer, that_is_unused_changes_nothing, .init = setup, .fini = teardown)
{
    close_all();
    close_all();
    check_spans();
    smallbuf_int_4_push(&buffer, 1);
    expect(1, 1);
    for (int i = 0; i < 3; i++)
        smallbuf_int_4_writer_open(&writers[0], &buffer);
    close_all();
    check_spans();
    check_equal(allocator.calls, 0);
}

Test(smallbuf_writer, closed_twice_or_reopened, .init = setup, .fini = teardown)
{
    close_all();
    for (int i = 0; i < 50; i++) {
        write_ints(0, i * 10, 7);
        smallbuf_int_4_writer_close(&writers[0]);
        if (i % 2 != 0)
            smallbuf_int_4_writer_close(&writers[0]);
        expect(i * 10, 7);
        check_spans();
        if (i % 3 != 0)
            smallbuf_int_4_writer_open(&writers[0], &buffer);
    }
    close_all();
    check_drain(true);
}

Test(smallbuf_writer, reopened_on_another_buffer, .init = setup, .fini = teardown)
{
    static smallbuf_int_4 other;
    smallbuf_int_4_init(&other, &options);
    for (int i = 0; i < 20; i++) {
        smallbuf_int_4_writer_open(&writers[0], i % 2 != 0 ? &other : &buffer);
        write_ints(0, i, 10);
        smallbuf_int_4_writer_close(&writers[0]);
        if (i % 2 == 0)
            expect(i, 10);
    }
    close_all();
    check_spans();
    check_equal(smallbuf_int_4_count(&other), 100);
    smallbuf_int_4_destroy(&other);
}

/* Two writers, the second of which keeps the first from giving back. */
Test(smallbuf_writer, gaps_are_neither_read_nor_counted, .init = setup, .fini = teardown)
{
    for (int a = 1; a < 90; a += 4) {
        for (int b = 1; b < 90; b += 7) {
            for (int i = 0; i < 4; i++)
                smallbuf_int_4_push(&buffer, i);
            close_all();
            cr_assert(smallbuf_int_4_reserve(&buffer, 1000));
            open_all();
            write_ints(0, 1000, a);
            write_ints(1, 2000, b);
            smallbuf_int_4_push(&buffer, 3000);
            close_all();
            check_equal(smallbuf_int_4_count(&buffer), (size_t)(4 + a + b + 1));
            check_equal(smallbuf_int_4_refused(&buffer), 0);
            size_t seen[4] = {0};
            const int *ints;
            for (size_t from = 0, n; (n = smallbuf_int_4_span(&buffer, from, &ints)); from += n) {
                for (size_t i = 0; i < n; i++) {
                    size_t who = (size_t)ints[i] / 1000;
                    check_equal((size_t)ints[i], who * 1000 + seen[who]);
                    seen[who]++;
                    expected[expected_count++] = ints[i];
                }
            }
            check_equal(seen[1], (size_t)a);
            check_equal(seen[2], (size_t)b);
            check_spans();
            check_drain(a % 2 != 0);
        }
    }
}

/* Slots in a gap were never written to: with another pattern in them, that would be seen. */
Test(smallbuf_writer, gaps_have_a_length_that_slots_show, .init = setup, .fini = teardown)
{
    close_all();
    cr_assert(smallbuf_int_4_reserve(&buffer, 500));
    open_all();
    for (int i = 0; i < 4; i++)
        smallbuf_int_4_push(&buffer, i);
    write_ints(0, 4, 1);
    size_t index;
    cr_assert(smallbuf_int_4_push_index(&buffer, 5, &index));
    cr_assert(index > 5, "the writer took no run");
    close_all();
    expect(0, 6);
    check_spans();
    size_t calls = allocator.calls;
    for (size_t i = index + 1; i < 504; i++) { /* gaps count as reserved */
        cr_assert(smallbuf_int_4_push(&buffer, (int)i));
        expect((int)i, 1);
    }
    check_equal(allocator.calls, calls);
    check_spans();
    check_drain(true);
}

/* A span that was read leaves a note where to go on; a gap that comes later makes it wrong. */
Test(smallbuf_writer, gaps_that_come_between_reads_are_seen, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 4; i++)
        smallbuf_int_4_push(&buffer, i);
    expect(0, 4);
    for (int round = 0; round < 60; round++) {
        int first = round * 100 + 10;
        write_ints(0, first, 3);
        smallbuf_int_4_push(&buffer, first + 3);
        close_all();
        expect(first, 4);
        check_spans();
        const int *ints;
        cr_assert(smallbuf_int_4_span(&buffer, expected_count / 2, &ints) > 0);
    }
    check_drain(false);
}

/* ---- many fills: marks carry the number of their fill modulo 30 ---- */

/* Gaps at the same places in some fills and not in others, longer and shorter ones. */
static void fill(uint64_t *chance, int kind)
{
    int value = 0, runs = 1 + (int)(test_random(chance) % 6);
    for (int i = 0; i < 4; i++, value++)
        cr_assert(smallbuf_int_4_push(&buffer, value));
    for (int i = 0; i < runs; i++) {
        int n = kind == 0 ? 1 : 1 + (int)(test_random(chance) % 70);
        if (kind == 2) {
            for (int j = 0; j < n; j++)
                cr_assert(smallbuf_int_4_push(&buffer, value++));
            continue;
        }
        write_ints(0, value, n);
        value += n;
        cr_assert(smallbuf_int_4_push(&buffer, value++));
        smallbuf_int_4_writer_close(&writers[0]);
        if (kind == 3)
            cr_assert(smallbuf_int_4_push(&buffer, value++));
    }
    close_all();
    expected_count = 0;
}

/* As the elements are numbered in the order of time, sorting tells what must be there: the order
   is that of time but for a push that comes between the runs of a writer. */
static void check_fill(void)
{
    static char seen[2000];
    memset(seen, 0, sizeof seen);
    size_t count = smallbuf_int_4_count(&buffer);
    const int *ints;
    for (size_t from = 0, n; (n = smallbuf_int_4_span(&buffer, from, &ints)) > 0; from += n) {
        for (size_t i = 0; i < n; i++) {
            cr_assert(ints[i] >= 0 && ints[i] < (int)count && !seen[ints[i]], "%d", ints[i]);
            seen[ints[i]] = 1;
            expected[expected_count++] = ints[i];
        }
    }
    check_equal(expected_count, count);
}

static void many_fills(int kinds, int fills, bool trim)
{
    uint64_t chance = test_setting("VF_SEED", 3);
    for (int i = 0; i < fills; i++) {
        fill(&chance, kinds == 0 ? 0 : (int)(test_random(&chance) % (uint64_t)kinds));
        check_fill();
        if (i % 8 == 0)
            check_spans();
        if (trim && i % 5 == 0)
            smallbuf_int_4_trim(&buffer, test_random_below(&chance, 500));
        check_drain(i % 2 != 0);
    }
}

Test(smallbuf_writer, many_fills_with_the_same_gaps, .init = setup, .fini = teardown)
{
    many_fills(0, 400, false);
}

Test(smallbuf_writer, many_fills_with_other_gaps, .init = setup, .fini = teardown)
{
    many_fills(4, 2000, false);
}

Test(smallbuf_writer, many_fills_and_trims, .init = setup, .fini = teardown)
{
    many_fills(4, 1000, true);
}

/* A fill of direct pushes up to a gap. */
static void fill_to_gap(int gap, bool spans)
{
    for (int i = 0; i < gap; i++)
        smallbuf_int_4_push(&buffer, i);
    write_ints(0, gap, 1);
    smallbuf_int_4_push(&buffer, gap + 1);
    close_all();
    expect(0, gap + 2);
    check_equal(smallbuf_int_4_count(&buffer), expected_count);
    if (spans)
        check_spans();
    check_drain(true);
}

/* One gap, then exactly so many fills with gaps elsewhere, then a fill over the old gap: for every
   number of fills, so that one has the same number as the first. */
Test(smallbuf_writer, an_old_gap_is_never_taken_for_a_new_one, .init = setup, .fini = teardown)
{
    for (int fills = 0; fills < 3 * 30 + 5; fills++) {
        for (int i = 0; i <= fills + 1; i++)
            fill_to_gap(i == 0 ? 100 : 300, i == 0 || i >= fills);
        smallbuf_int_4_destroy(&buffer);
    }
}

/* The old gap may be in a fill of any number. */
Test(smallbuf_writer, nor_is_one_of_a_fill_of_any_number, .init = setup, .fini = teardown)
{
    for (int old = 0; old < 2 * 30; old++) {
        for (int i = 0; i < old + 2 * 30 + 5; i++)
            fill_to_gap(i == old ? 100 : 300, i % 30 == old % 30);
        smallbuf_int_4_destroy(&buffer);
    }
}

/* ---- a chunk that is so large that its blocks are longer ---- */

#define LARGE_BLOCK 512 /* slots: 2^14 blocks in a chunk */

static void make_large(void)
{
    close_all();
    options.first_chunk = (size_t)LARGE_BLOCK << 14;
    smallbuf_int_4_init(&buffer, &options);
    open_all();
}

Test(smallbuf_writer, large_chunk_has_few_marks, .init = setup, .fini = teardown)
{
    make_large();
    write_ints(0, 0, 5);
    close_all();
    size_t slots = smallbuf_int_4_capacity(&buffer) * sizeof(int);
    cr_assert(slots > options.first_chunk * sizeof(int) && allocator.peak > slots);
    cr_assert(allocator.peak - slots < (size_t)68 << 10, "%zu", (size_t)allocator.peak);
}

/* A run is a block at least, so that no two writers have one's mark. */
Test(smallbuf_writer, large_chunk_has_long_gaps, .init = setup, .fini = teardown)
{
    make_large();
    for (int i = 0; i < 5; i++)
        smallbuf_int_4_push(&buffer, i);
    size_t last = 4;
    for (int round = 0; round < 20; round++) {
        int first = 100 * round + 5;
        size_t index;
        write_ints(0, first, 1);
        cr_assert(smallbuf_int_4_push_index(&buffer, first + 1, &index));
        cr_assert(index - last > LARGE_BLOCK / 2, "%zu behind %zu", index, last);
        last = index;
        smallbuf_int_4_writer_close(&writers[0]);
    }
    close_all();
    expect(0, 5);
    for (int round = 0; round < 20; round++)
        expect(100 * round + 5, 2);
    check_spans();
    check_drain(true);
}

Test(smallbuf_writer, large_chunk_many_fills, .init = setup, .fini = teardown)
{
    make_large();
    many_fills(4, 200, false);
}

/* ---- caps ---- */

/* A run ends at the cap; what was not used of it counts there, but is not in the buffer. */
Test(smallbuf_writer, under_a_cap, .init = setup, .fini = teardown)
{
    for (size_t cap = 1; cap < 300; cap += 1 + cap / 20) {
        close_all();
        smallbuf_int_4_destroy(&buffer);
        options.max_elements = cap;
        smallbuf_int_4_init(&buffer, &options);
        open_all();
        size_t taken = 0, refused = 0;
        for (int i = 0; i < 400; i++) {
            errno = EXDEV;
            bool pushed = smallbuf_int_4_writer_push(&writers[i % 3], i);
            cr_assert(errno == (pushed ? EXDEV : ENOMEM));
            pushed ? taken++ : refused++;
        }
        close_all();
        cr_assert(taken <= cap && (cap > 4 || taken == cap), "%zu of %zu", taken, cap);
        check_equal(smallbuf_int_4_count(&buffer), taken);
        check_equal(smallbuf_int_4_refused(&buffer), refused);
        expected_count = 0;
        const int *ints;
        for (size_t n; (n = smallbuf_int_4_span(&buffer, expected_count, &ints)) > 0;) {
            memcpy(expected + expected_count, ints, n * sizeof(int));
            expected_count += n;
        }
        check_spans();
        check_drain(cap % 2 != 0);
    }
}
