/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_split.c - drains that are divided among several threads: beside gaps, refusals,
 * flips, trims and drops.
 */
#include "support/threads.h"
#include "test_common.h"

static void drop(const int *value);

#define VF_T       int
#define VF_N       4
#define VF_NAME    plain
#define VF_DROP(p) drop(p)
#include <veryfast/smallbuf.h>

#define VF_T       int
#define VF_N       4
#define VF_NAME    flips
#define VF_DROP(p) drop(p)
#define VF_FLIP
#include <veryfast/smallbuf.h>

/* Nothing spills below a thousand; and nothing is dropped. */
#define VF_T    int
#define VF_N    1000
#define VF_NAME roomy
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define MOST  5000
#define PARTS 100

static test_allocator allocator;
static vf_smallbuf_options options;
static plain buffer;
static flips banks;
static unsigned gone[MOST]; /* atomic: how often each was dropped or handed out */

static void drop(const int *value)
{
    __atomic_fetch_add(&gone[*value], 1, __ATOMIC_RELAXED);
}

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    memset(&banks, 0, sizeof banks);
    memset(gone, 0, sizeof gone);
    plain_init(&buffer, &options);
    flips_init(&banks, &options);
}

static void teardown(void)
{
    plain_destroy(&buffer);
    flips_destroy(&banks);
    check_all_back(&allocator);
}

/* Elements below n are gone once, and no others. */
static void check_gone(size_t n)
{
    for (size_t i = 0; i < MOST; i++) {
        cr_assert(gone[i] == (i < n), "%zu of %zu has gone %u times", i, n, gone[i]);
        gone[i] = 0;
    }
}

static const size_t counts[] = {0, 1, 2, 3, 4, 5, 6, 35, 36, 37, 67, 68, 69, 195, 196, 2222};
#define COUNTS (sizeof counts / sizeof *counts)
static const size_t among[] = {1, 2, 3, 7, 64, PARTS};
#define AMONG (sizeof among / sizeof *among)

/* Takes the elements of a part, which are those from first on; how many. */
#define DEFINE_TAKE_PART(type)                                                                     \
    static size_t type##_take_part(type##_drain *part, size_t first)                               \
    {                                                                                              \
        int value, *span;                                                                          \
        size_t seen = 0;                                                                           \
        for (; seen < 3 && type##_drain_next(part, &value); seen++) {                              \
            check_equal((size_t)value, first + seen);                                              \
            drop(&value);                                                                          \
        }                                                                                          \
        for (size_t n; (n = type##_drain_span(part, &span)) > 0; seen += n) {                      \
            for (size_t i = 0; i < n; i++) {                                                       \
                check_equal((size_t)span[i], first + seen + i);                                    \
                drop(&span[i]);                                                                    \
            }                                                                                      \
        }                                                                                          \
        type##_drain_end(part);                                                                    \
        return seen;                                                                               \
    }

DEFINE_TAKE_PART(plain)
DEFINE_TAKE_PART(flips)
DEFINE_TAKE_PART(roomy)

static void push_ints(size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(plain_push(&buffer, (int)i));
}

/* Parts that are in order have the elements from first to end, none is empty, and no two differ by
   more than one element. */
static void take_parts(plain_drain *parts, size_t n, size_t first, size_t end)
{
    size_t left = end - first;
    for (size_t i = 0; i < n; i++) {
        size_t wanted = (left + n - i - 1) / (n - i);
        cr_assert(wanted > 0);
        check_equal(plain_take_part(&parts[i], first), wanted);
        first += wanted;
        left -= wanted;
    }
    check_equal(first, end);
}

Test(smallbuf_split, parts_have_each_element_once, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNTS * AMONG; i++) {
        size_t count = counts[i / AMONG], n = among[i % AMONG];
        plain_drain parts[PARTS];
        push_ints(count);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t made = plain_drain_split(&drain, parts, n);
        check_equal(made, count < n ? count : n);
        check_equal(plain_drain_split(&drain, parts + made, PARTS - made), 0);
        take_parts(parts, made, 0, count);
        plain_drain_end(&drain);
        check_gone(count);
    }
}

/* By single elements and by spans, which may leave it in the middle of either. */
Test(smallbuf_split, what_is_taken_before_is_in_no_part, .init = setup, .fini = teardown)
{
    for (size_t k = 0; k < 150; k++) {
        plain_drain parts[3];
        int value, *span;
        push_ints(150);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t taken = 0;
        for (; taken < k; taken++)
            cr_assert(plain_drain_next(&drain, &value));
        if (k % 2 != 0)
            taken += plain_drain_span(&drain, &span);
        for (int i = 0; i < (int)taken; i++)
            drop(&i);
        size_t left = 150 - taken;
        check_equal(plain_drain_split(&drain, parts, 0), 0); /* takes nothing away */
        size_t made = plain_drain_split(&drain, parts, 3);
        check_equal(made, left < 3 ? left : 3);
        take_parts(parts, made, taken, 150);
        check_gone(150);
    }
}

Test(smallbuf_split, a_part_is_split_again, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNTS; i++) {
        plain_drain halves[2], quarters[2];
        push_ints(counts[i]);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t first = 0;
        size_t made = plain_drain_split(&drain, halves, 2);
        for (size_t j = 0; j < made; j++) {
            size_t of = plain_drain_split(&halves[j], quarters, 2);
            cr_assert(of >= 1);
            for (size_t l = 0; l < of; l++)
                first += plain_take_part(&quarters[l], first);
            plain_drain_end(&halves[j]);
        }
        check_gone(counts[i]);
    }
}

/* x drop */
Test(smallbuf_split, the_rest_of_each_part_is_dropped, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNTS * AMONG; i++) {
        size_t count = counts[i / AMONG];
        plain_drain parts[PARTS];
        push_ints(count);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t made = plain_drain_split(&drain, parts, among[i % AMONG]);
        plain_drain_end(&drain); /* which drops nothing */
        for (size_t j = 0; j < made; j++) {
            if (j % 2 != 0)
                plain_drain_end(&parts[j]);
            int value;
            if (j % 2 == 0 && plain_drain_next(&parts[j], &value))
                drop(&value);
            plain_drain_end(&parts[j]);
        }
        check_gone(count);
    }
}

/* x gaps: writers that come between one another leave some in each run. */
static size_t push_with_gaps(size_t rounds, size_t each)
{
    plain_writer writers[3];
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        plain_writer_open(&writers[i], &buffer);
    for (size_t i = 0; i < rounds; i++) {
        for (size_t j = 0; j < each; j++)
            cr_assert(plain_writer_push(&writers[i % 3], (int)count++));
        if (i % 4 == 0)
            plain_writer_close(&writers[i % 3]);
        if (i % 5 == 0)
            cr_assert(plain_push(&buffer, (int)count++));
    }
    for (size_t i = 0; i < 3; i++)
        plain_writer_close(&writers[i]);
    return count;
}

Test(smallbuf_split, gaps_are_in_no_part, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 12 * AMONG; i++) {
        plain_drain parts[PARTS];
        size_t each = 1 + i / AMONG * 5, n = among[i % AMONG], seen = 0;
        size_t count = push_with_gaps(30, each);
        check_equal(plain_count(&buffer), count);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t made = plain_drain_split(&drain, parts, n);
        cr_assert(made > 0 && made <= n && made <= count);
        for (size_t j = 0; j < made; j++) {
            int *span;
            size_t before = seen;
            for (size_t run; (run = plain_drain_span(&parts[j], &span)) > 0; seen += run) {
                for (size_t l = 0; l < run; l++)
                    drop(&span[l]);
            }
            cr_assert(seen > before, "part %zu of %zu is empty", j, made);
            plain_drain_end(&parts[j]);
        }
        check_gone(count);
    }
}

/* x refusal, by the allocator and by a cap */
Test(smallbuf_split, of_what_was_not_refused, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNTS * AMONG; i++) {
        size_t count = counts[i / AMONG], accepted = 0;
        plain_drain parts[PARTS];
        plain_destroy(&buffer);
        options.max_elements = i % 4 == 0 ? 50 : 0;
        plain_init(&buffer, &options);
        allocator.fail_at = i % 4 == 1 ? 0 : allocator.calls + i % 3;
        for (size_t j = 0; j < count; j++)
            accepted += plain_push(&buffer, (int)j);
        check_equal(plain_count(&buffer), accepted);
        check_equal(plain_refused(&buffer), count - accepted);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t calls = allocator.calls, n = among[i % AMONG];
        size_t made = plain_drain_split(&drain, parts, n);
        check_equal(made, accepted < n ? accepted : n);
        take_parts(parts, made, 0, accepted);
        check_equal(allocator.calls, calls);
        check_gone(accepted);
        allocator.fail_at = 0;
    }
}

/* x trim, and the next fill */
Test(smallbuf_split, memory_is_kept_and_can_be_trimmed, .init = setup, .fini = teardown)
{
    for (int round = 0; round < 5; round++) {
        plain_drain parts[5];
        push_ints(2000);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t calls = allocator.calls;
        check_equal(plain_drain_split(&drain, parts, 5), 5);
        take_parts(parts, 5, 0, 2000);
        check_gone(2000);
        push_ints(2000);
        check_equal(allocator.calls, calls);
        plain_clear(&buffer);
        check_gone(2000);
        if (round % 2 == 0)
            cr_assert(plain_trim(&buffer, 0) > 0);
    }
}

/* ---- with VF_FLIP ---- */

/* Pushes count elements to the bank, none, some or all of which are begun to be taken. */
static void fill_banks(size_t older, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == older)
            flips_flip_begin(&banks);
        cr_assert(flips_push(&banks, (int)i));
    }
}

static size_t take_parts_of_banks(flips_drain *parts, size_t made)
{
    size_t first = 0;
    for (size_t i = 0; i < made; i++)
        first += flips_take_part(&parts[i], first);
    return first;
}

Test(smallbuf_split, of_two_banks, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNTS * COUNTS * AMONG; i++) {
        size_t older = counts[i / COUNTS % COUNTS], n = among[i / COUNTS / COUNTS];
        size_t count = older + counts[i % COUNTS];
        flips_drain parts[PARTS];
        fill_banks(older, count);
        flips_drain drain = flips_drain_begin(&banks);
        size_t made = flips_drain_split(&drain, parts, n);
        check_equal(made, count < n ? count : n);
        check_equal(take_parts_of_banks(parts, made), count);
        check_gone(count);
    }
}

Test(smallbuf_split, the_rest_of_each_part_of_two_banks_is_dropped, .init = setup, .fini = teardown)
{
    for (size_t older = 0; older < 120; older += 5) {
        flips_drain parts[10];
        fill_banks(older, 120);
        flips_drain drain = flips_drain_begin(&banks);
        size_t made = flips_drain_split(&drain, parts, 1 + older % 10);
        for (size_t i = 0; i < made; i++) {
            int value;
            if (i % 3 != 0 && flips_drain_next(&parts[i], &value))
                drop(&value);
            flips_drain_end(&parts[i]);
        }
        check_gone(120);
    }
}

Test(smallbuf_split, refusals_are_told_by_each_part, .init = setup, .fini = teardown)
{
    flips_drain parts[4];
    atomic_store(&allocator.refuse, true);
    for (int i = 0; i < 10; i++)
        cr_assert(flips_push(&banks, i) == (i < 4));
    atomic_store(&allocator.refuse, false);
    flips_drain drain = flips_flip(&banks);
    check_equal(flips_drain_split(&drain, parts, 4), 4);
    for (int i = 0; i < 4; i++)
        check_equal(flips_drain_refused(&parts[i]), 6);
    check_equal(flips_drain_refused(&drain), 6);
    check_equal(take_parts_of_banks(parts, 4), 4);
    check_gone(4);
}

/* x S_drain_end_trim, of the drain when its parts have ended */
Test(smallbuf_split, the_drain_gives_memory_back, .init = setup, .fini = teardown)
{
    for (int round = 0; round < 3; round++) {
        flips_drain parts[7];
        fill_banks(round == 0 ? 0 : 2000, 4000);
        flips_drain drain = flips_drain_begin(&banks);
        check_equal(flips_drain_split(&drain, parts, 7), 7);
        check_equal(take_parts_of_banks(parts, 7), 4000);
        size_t before = allocator.bytes;
        size_t back = flips_drain_end_trim(&drain, 0);
        cr_assert(back > 0);
        check_equal(allocator.bytes, before - back);
        check_gone(4000);
    }
    for (int i = 0; i < 100; i++)
        cr_assert(flips_push(&banks, i));
    flips_clear(&banks);
    check_gone(100);
}

/* Where there are no chunks. */
Test(smallbuf_split, inside_the_buffer, .init = setup, .fini = teardown)
{
    static roomy inside;
    roomy_drain parts[3];
    for (int i = 0; i < 900; i++) {
        if (i == 500)
            roomy_flip_begin(&inside);
        cr_assert(roomy_push(&inside, i));
    }
    roomy_drain drain = roomy_drain_begin(&inside);
    check_equal(roomy_drain_split(&drain, parts, 3), 3);
    for (size_t i = 0; i < 3; i++)
        check_equal(roomy_take_part(&parts[i], 300 * i), 300);
    check_gone(900);
    roomy_destroy(&inside);
}

/* ---- threads ---- */

#define WORKERS 4

static plain_drain plain_parts[WORKERS];
static flips_drain flips_parts[WORKERS];

static void *end_part(void *part)
{
    int value;
    for (int i = 0; i < 100 && plain_drain_next(part, &value); i++)
        drop(&value);
    plain_drain_end(part);
    return NULL;
}

Test(smallbuf_split, each_part_by_a_thread, .init = setup, .fini = teardown)
{
    for (size_t round = 0; round < 20; round++) {
        void *contexts[WORKERS];
        size_t count = round % 2 == 0 ? round * 200 : push_with_gaps(round * 5, 9);
        if (round % 2 == 0)
            push_ints(count);
        plain_drain drain = plain_drain_begin(&buffer);
        size_t made = plain_drain_split(&drain, plain_parts, WORKERS);
        for (size_t i = 0; i < made; i++)
            contexts[i] = &plain_parts[i];
        test_run_threads(made, end_part, contexts);
        check_gone(count);
    }
}

/* The first is the thread that pushes meanwhile, the others end parts of a flip. */
static void *push_or_end(void *part)
{
    int value;
    if (part == NULL) {
        for (int i = 0; i < 1000; i++)
            CHECK(flips_push(&banks, i));
        return NULL;
    }
    for (int i = 0; i < 100 && flips_drain_next(part, &value); i++)
        drop(&value);
    flips_drain_end(part);
    return NULL;
}

Test(smallbuf_split, of_a_flip_beside_pushes, .init = setup, .fini = teardown)
{
    void *contexts[WORKERS + 1] = {NULL};
    test_run_threads(1, push_or_end, contexts);
    for (size_t round = 0; round < 20; round++) {
        flips_drain drain = flips_flip(&banks);
        check_equal(flips_drain_split(&drain, flips_parts, WORKERS), WORKERS);
        for (size_t i = 0; i < WORKERS; i++)
            contexts[i + 1] = &flips_parts[i];
        test_run_threads(WORKERS + 1, push_or_end, contexts);
        check_gone(1000);
        if (round % 3 == 0)
            flips_drain_end_trim(&drain, 0);
    }
    flips_clear(&banks);
    check_gone(1000);
}
