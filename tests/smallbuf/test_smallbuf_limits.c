/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_limits.c - sizes and numbers of a small buffer at the edge of what can be counted,
 * as test_limits.c has them of a pool.
 */
#include "test_common.h"

#define VF_T char
#define VF_N 8
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    1
#define VF_NAME longs
#include <veryfast/smallbuf.h>

/* The elements inside, and behind them chunks of 2^8 (256 bytes) to 2^40 slots. */
#define MOST (8 + ((uint64_t)1 << 41) - ((uint64_t)1 << 8))

#define BLOCK  ((size_t)1 << 16)
#define POWERS (3 * (sizeof(size_t) * 8))

static test_allocator allocator;

/* Has only small blocks. */
static void *small_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    return size <= BLOCK ? real.alloc(real.context, size, alignment) : NULL;
}

/* Has blocks of any size, which are not to be used beyond BLOCK. */
static void *lend(void *context, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    return real.alloc(real.context, size <= BLOCK ? size : BLOCK, alignment);
}

static void take_back(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size <= BLOCK ? size : BLOCK, alignment);
}

static const vf_smallbuf_options lending = {.allocator = {lend, take_back, &allocator}};

/* 2^k - 1, 2^k and 2^k + 1 for each k. */
static size_t near_power(size_t i)
{
    return ((size_t)1 << i / 3) + i % 3 - 1;
}

static vf_smallbuf_type type_of(size_t inside, size_t size, bool writers)
{
    return (vf_smallbuf_type){.interface_kind = &vf_interface_1,
                              .inside = inside,
                              .size = size,
                              .alignment = 1,
                              .inline_offset = sizeof(void *),
                              .writers = writers,
                              .options_size = sizeof(vf_smallbuf_options)};
}

static void check_first_chunk(size_t size, size_t first_chunk, bool writers)
{
    vf_smallbuf_type type = type_of(1, size, writers);
    vf_smallbuf_options options = {{small_alloc, take_back, &allocator},
                                   .first_chunk = first_chunk};
    void *spill = NULL;
    uint64_t run = 0;
    vf_spill_init(&spill, &options, &type);
    errno = 0;
    void *slot = vf_spill_find(&spill, 1, &type, &run);
    if (slot != NULL) {
        cr_assert(size <= BLOCK && run <= BLOCK / size, "%zu slots of %zu bytes in one block",
                  (size_t)run, size);
        cr_assert(run >= first_chunk && (first_chunk == 0 || run < 2 * first_chunk));
    } else {
        cr_assert(errno == ENOMEM);
        cr_assert(size > BLOCK / 1024 || first_chunk > BLOCK / 4 / size);
    }
    vf_spill_trim(&spill, 0, 0, &type);
    check_all_back(&allocator);
}

/* By way of the core, because compilers have limits of their own. */
Test(smallbuf_limits, a_chunk_is_as_large_as_its_elements_or_refused)
{
    for (size_t i = 1; i <= POWERS; i++) {
        for (size_t j = 1; j <= POWERS; j++) {
            size_t size = i < POWERS ? near_power(i) : SIZE_MAX;
            size_t first_chunk = j < POWERS ? near_power(j) : SIZE_MAX;
            check_first_chunk(size, first_chunk, false);
            check_first_chunk(size, first_chunk, true);
        }
    }
}

/* A first run has two cache lines, or 8 elements, and those later 8 times as much, rounded up to a
   power of two; but no run has more than 8 KiB, or one element. */
static void check_runs(size_t size)
{
    vf_smallbuf_type type = type_of(1, size, true);
    uint64_t least = 8, tail = 1, before = 0;
    while (least * size < 2 * VF_CACHE_LINE)
        least *= 2;
    vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator),
                                   .first_chunk = 1024};
    vf_writer writer = {0, 0};
    void *spill = NULL, *slots;
    vf_spill_init(&spill, &options, &type);
    check_equal(vf_writer_more(&writer, &tail, &spill, &type, &slots), 1); /* makes the chunk */
    for (int i = 0; i < 8; i++, tail++) { /* another's push between two runs */
        size_t n = vf_writer_more(&writer, &tail, &spill, &type, &slots);
        cr_assert(n == 1 || n * size <= 8192, "%zu elements of %zu bytes in a run", n, size);
        cr_assert(n <= (least << (i < 3 ? i : 3)));
        before = n > before ? n : before;
    }
    cr_assert(before > 4 * least || (before + least) * size > 4096);
    vf_spill_trim(&spill, 0, 0, &type);
}

Test(smallbuf_limits, a_run_is_no_longer_than_it_says)
{
    for (size_t size = 1; size < 3000; size++)
        check_runs(size);
    check_runs(4096);
    check_runs(8191);
    check_runs(8193);
    check_runs(65535);
    check_all_back(&allocator);
}

/* With no allocator and with one: where the last chunk would be, something else is. */
Test(smallbuf_limits, an_index_beyond_all_chunks_is_refused)
{
    const vf_smallbuf_options *options[] = {NULL, &lending};
    vf_smallbuf_type type = type_of(8, 1, false);
    for (size_t i = 0; i < 2; i++) {
        void *spill = NULL;
        uint64_t run;
        vf_spill_init(&spill, options[i], &type);
        for (uint64_t index = MOST; index < (uint64_t)1 << 62; index += index / 2) {
            check_refused(ENOMEM, vf_spill_find(&spill, index, &type, &run) == NULL);
            cr_assert(vf_spill_find(&spill, 8, &type, &run) != NULL && run == 256);
        }
        check_equal(vf_spill_capacity(&spill, &type), 264);
        vf_spill_trim(&spill, 0, 0, &type);
    }
    check_all_back(&allocator);
}

static void check_contents(smallbuf_char_8 *buffer)
{
    size_t count = 0;
    smallbuf_char_8_drain drain = smallbuf_char_8_drain_begin(buffer);
    for (char c; smallbuf_char_8_drain_next(&drain, &c); count++)
        cr_assert(c == (char)(count % 100));
    smallbuf_char_8_drain_end(&drain);
    check_equal(count, 250);
}

Test(smallbuf_limits, most_can_be_reserved_and_no_more)
{
    if (SIZE_MAX < MOST)
        return; /* a machine's memory ends before */
    smallbuf_char_8 buffer = {0};
    smallbuf_char_8_init(&buffer, &lending);
    for (int i = 0; i < 250; i++)
        cr_assert(smallbuf_char_8_push(&buffer, (char)(i % 100)));
    for (int turn = 0; turn < 2; turn++) {
        size_t left = (size_t)(turn == 0 ? MOST - 250 : MOST);
        cr_assert(smallbuf_char_8_reserve(&buffer, (size_t)MOST - 250));
        size_t bytes = allocator.bytes;
        for (size_t j = 1; j < POWERS; j++) {
            size_t n = left + near_power(j);
            check_refused(ENOMEM, !smallbuf_char_8_reserve(&buffer, n));
            check_equal(smallbuf_char_8_capacity(&buffer), MOST);
            check_equal(allocator.bytes, bytes);
        }
        if (turn == 0)
            check_contents(&buffer);
    }
    smallbuf_char_8_destroy(&buffer);
    check_all_back(&allocator);
}

/* The first chunk has a quarter of the address space, or says so. */
Test(smallbuf_limits, a_chunk_of_half_the_address_space_is_refused)
{
    const size_t size = (size_t)1 << 30, slots = (SIZE_MAX / 4 + 1) / size;
    vf_smallbuf_type type = type_of(1, size, false);
    vf_smallbuf_options options = {.allocator = lending.allocator, .first_chunk = slots};
    void *spill = NULL;
    uint64_t run;
    vf_spill_init(&spill, &options, &type);
    cr_assert(vf_spill_find(&spill, 1, &type, &run) != NULL && run == slots);
    check_refused(ENOMEM, vf_spill_find(&spill, 1 + slots, &type, &run) == NULL);
    vf_spill_trim(&spill, 0, 0, &type);
    check_all_back(&allocator);
}

Test(smallbuf_limits, a_cap_may_be_as_large_as_it_likes)
{
    for (size_t i = 3 * 20; i <= POWERS; i++) {
        smallbuf_char_8 buffer = {0};
        vf_smallbuf_options options = {{small_alloc, take_back, &allocator},
                                       .max_elements = i < POWERS ? near_power(i) : SIZE_MAX};
        smallbuf_char_8_init(&buffer, &options);
        for (int j = 0; j < 250; j++)
            cr_assert(smallbuf_char_8_push(&buffer, (char)(j % 100)));
        check_refused(ENOMEM, !smallbuf_char_8_reserve(&buffer, options.max_elements));
        check_refused(ENOMEM, !smallbuf_char_8_reserve(&buffer, SIZE_MAX));
        check_equal(smallbuf_char_8_capacity(&buffer), 264);
        check_contents(&buffer);
        smallbuf_char_8_destroy(&buffer);
        check_all_back(&allocator);
    }
}

/* Marks of gaps have the number of their fill, of which there are 30. Of each fill but one the gap
   is behind 200 elements; the old mark of that one is not to be taken for a new one's. */
Test(smallbuf_limits, a_mark_of_one_fill_is_none_of_another)
{
    for (int odd = 1; odd <= 35; odd++) {
        longs buffer = {0};
        for (int fill = 1; fill <= odd + 65; fill++) {
            longs_writer one, other;
            long value, pushed = 0, seen = 0;
            for (int i = 0; i < (fill == odd ? 1 : 200); i++)
                pushed += longs_push_exclusive(&buffer, i);
            longs_writer_open(&one, &buffer);
            longs_writer_open(&other, &buffer);
            pushed += longs_writer_push(&one, 1);
            pushed += longs_writer_push(&other, 2);
            longs_writer_close(&one);
            longs_writer_close(&other);
            longs_drain drain = longs_drain_begin(&buffer);
            while (longs_drain_next(&drain, &value))
                seen++;
            longs_drain_end(&drain);
            cr_assert(seen == pushed, "fill %d, odd one %d: %ld of %ld", fill, odd, seen, pushed);
        }
        longs_destroy(&buffer);
    }
}
