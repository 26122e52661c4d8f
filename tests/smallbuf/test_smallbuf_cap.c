/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_cap.c - caps: exactly so many elements, below N, at N, above it; and S_reserve,
 * after which nothing is refused.
 */
#include "test_common.h"

#define VF_T int
#define VF_N 8
#include <veryfast/smallbuf.h>

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

static void check_ints(size_t count, size_t refused)
{
    check_equal(smallbuf_int_8_count(&buffer), count);
    check_equal(smallbuf_int_8_refused(&buffer), refused);
    const int *ints;
    size_t seen = 0;
    for (size_t n; (n = smallbuf_int_8_span(&buffer, seen, &ints)) > 0; seen += n) {
        for (size_t i = 0; i < n; i++)
            check_equal((size_t)ints[i], seen + i);
    }
    check_equal(seen, count);
}

static void drain_ints(size_t count)
{
    smallbuf_int_8_drain drain = smallbuf_int_8_drain_begin(&buffer);
    int value;
    for (size_t i = 0; i < count; i++)
        cr_assert(smallbuf_int_8_drain_next(&drain, &value) && value == (int)i);
    cr_assert(!smallbuf_int_8_drain_next(&drain, &value));
    smallbuf_int_8_drain_end(&drain);
    check_ints(0, 0);
}

/* ---- ways to push an int ---- */

static bool by_push(int value)
{
    return smallbuf_int_8_push(&buffer, value);
}

static bool by_index(int value)
{
    size_t index;
    bool pushed = smallbuf_int_8_push_index(&buffer, value, &index);
    cr_assert(!pushed || index == (size_t)value);
    return pushed;
}

static bool by_slot(int value)
{
    size_t index;
    int *slot = smallbuf_int_8_push_slot(&buffer, &index);
    if (slot == NULL)
        return false;
    *slot = value;
    return index == (size_t)value;
}

static bool by_one(int value)
{
    return smallbuf_int_8_push_n(&buffer, &value, 1) == 1;
}

static bool by_exclusive(int value)
{
    return smallbuf_int_8_push_exclusive(&buffer, value);
}

static bool by_writer(int value)
{
    smallbuf_int_8_writer writer;
    smallbuf_int_8_writer_open(&writer, &buffer);
    bool pushed = smallbuf_int_8_writer_push(&writer, value);
    smallbuf_int_8_writer_close(&writer);
    return pushed;
}

static bool (*const ways[])(int value) = {by_push, by_index,     by_slot,
                                          by_one,  by_exclusive, by_writer};
#define WAYS (sizeof ways / sizeof *ways)

/* So many, and not one more, also after a drain. */
static void check_cap(size_t cap, bool (*push)(int value))
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < cap + 5; i++) {
            errno = EXDEV;
            cr_assert(push((int)i) == (i < cap), "element %zu of %zu", i, cap);
            cr_assert(errno == (i < cap ? EXDEV : ENOMEM));
        }
        check_ints(cap, 5);
        cr_assert(smallbuf_int_8_capacity(&buffer) == cap);
        drain_ints(cap);
    }
}

static const size_t caps[] = {1, 2, 7, 8, 9, 10, 39, 40, 41, 71, 72, 73, 100, 1000, 1234};
#define CAPS (sizeof caps / sizeof *caps)

Test(smallbuf_cap, is_exact_for_all_ways_to_push, .init = setup, .fini = teardown)
{
    static const size_t first_chunks[] = {0, 1, 200};
    for (size_t i = 0; i < 3 * CAPS * WAYS; i++) {
        smallbuf_int_8_destroy(&buffer);
        options.max_elements = caps[i / 3 % CAPS];
        options.first_chunk = first_chunks[i % 3];
        smallbuf_int_8_init(&buffer, &options);
        check_cap(options.max_elements, ways[i / 3 / CAPS]);
    }
}

Test(smallbuf_cap, up_to_n_never_allocates, .init = setup, .fini = teardown)
{
    for (options.max_elements = 1; options.max_elements <= 8; options.max_elements++) {
        smallbuf_int_8_init(&buffer, &options);
        check_equal(smallbuf_int_8_capacity(&buffer), options.max_elements);
        for (size_t i = 0; i < WAYS; i++)
            check_cap(options.max_elements, ways[i]);
    }
    check_equal(allocator.calls, 0);
}

Test(smallbuf_cap, push_n_takes_what_is_below, .init = setup, .fini = teardown)
{
    static int values[2000];
    for (int i = 0; i < 2000; i++)
        values[i] = i;
    for (size_t i = 0; i < CAPS; i++) {
        size_t cap = caps[i];
        smallbuf_int_8_destroy(&buffer);
        options.max_elements = cap;
        smallbuf_int_8_init(&buffer, &options);
        for (size_t before = 0; before <= cap; before += 1 + before / 9) {
            check_equal(smallbuf_int_8_push_n(&buffer, values, before), before);
            errno = EXDEV;
            check_equal(smallbuf_int_8_push_n(&buffer, values + before, cap - before),
                        cap - before);
            cr_assert(errno == EXDEV);
            drain_ints(cap);
            check_equal(smallbuf_int_8_push_n(&buffer, values, before), before);
            size_t taken = 0;
            check_refused(ENOMEM, (taken = smallbuf_int_8_push_n(&buffer, values + before,
                                                                 cap - before + 3)) < 2000);
            check_equal(taken, cap - before);
            check_refused(ENOMEM, smallbuf_int_8_push_n(&buffer, values, 10) == 0);
            check_ints(cap, 13);
            drain_ints(cap);
        }
    }
}

Test(smallbuf_cap, is_not_lifted_by_reserve, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < CAPS; i++) {
        smallbuf_int_8_destroy(&buffer);
        options.max_elements = caps[i];
        smallbuf_int_8_init(&buffer, &options);
        size_t calls = allocator.calls;
        check_refused(ENOMEM, !smallbuf_int_8_reserve(&buffer, caps[i] + 1));
        check_refused(ENOMEM, !smallbuf_int_8_reserve(&buffer, SIZE_MAX));
        check_equal(allocator.calls, calls);
        for (size_t j = 0; j < caps[i] + 5; j++)
            by_push((int)j);
        check_refused(ENOMEM, !smallbuf_int_8_reserve(&buffer, 1));
        cr_assert(smallbuf_int_8_reserve(&buffer, 0));
        check_ints(caps[i], 5);
        drain_ints(caps[i]);
        cr_assert(smallbuf_int_8_reserve(&buffer, caps[i]));
    }
}

/* ---- S_reserve ---- */

Test(smallbuf_reserve, lets_n_pushes_do_without_the_allocator, .init = setup, .fini = teardown)
{
    static const size_t numbers[] = {1, 7, 8, 9, 72, 73, 500, 10000};
    for (size_t i = 0; i < 8 * 8 * WAYS; i++) {
        size_t before = numbers[i % 8] - 1, n = numbers[i / 8 % 8];
        smallbuf_int_8_destroy(&buffer);
        for (size_t j = 0; j < before; j++)
            cr_assert(by_push((int)j));
        errno = EXDEV;
        cr_assert(smallbuf_int_8_reserve(&buffer, n) && errno == EXDEV);
        cr_assert(smallbuf_int_8_capacity(&buffer) >= before + n);
        allocator.refuse = true;
        for (size_t j = before; j < before + n; j++)
            cr_assert(ways[i / 64](((int)j)), "number %zu of %zu", j - before, n);
        allocator.refuse = false;
        check_ints(before + n, 0);
    }
}

Test(smallbuf_reserve, of_none_is_nothing, .init = setup, .fini = teardown)
{
    errno = EXDEV;
    for (int i = 0; i < 200; i++) {
        cr_assert(smallbuf_int_8_reserve(&buffer, 0));
        by_push(i);
    }
    size_t calls = allocator.calls;
    cr_assert(smallbuf_int_8_reserve(&buffer, 0) && errno == EXDEV);
    check_equal(allocator.calls, calls);
    check_ints(200, 0);
}

Test(smallbuf_reserve, of_what_is_there_allocates_nothing, .init = setup, .fini = teardown)
{
    cr_assert(smallbuf_int_8_reserve(&buffer, 8));
    check_equal(allocator.calls, 0);
    cr_assert(smallbuf_int_8_reserve(&buffer, 9));
    size_t calls = allocator.calls;
    cr_assert(calls > 0);
    cr_assert(smallbuf_int_8_reserve(&buffer, smallbuf_int_8_capacity(&buffer)));
    check_equal(allocator.calls, calls);
    check_equal(smallbuf_int_8_count(&buffer), 0);
}

/* More than can be: with no memory behind large numbers, lest a machine lend it. */
Test(smallbuf_reserve, of_too_many_changes_nothing, .init = setup, .fini = teardown)
{
    static const size_t numbers[] = {SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2, SIZE_MAX / 4};
    for (size_t before = 0; before < 200; before += 13) {
        while (smallbuf_int_8_count(&buffer) < before)
            by_push((int)smallbuf_int_8_count(&buffer));
        size_t capacity = smallbuf_int_8_capacity(&buffer);
        size_t bytes = allocator.bytes;
        for (size_t i = 0; i < 4; i++) {
            allocator.fail_at = allocator.calls + 5;
            check_refused(ENOMEM, !smallbuf_int_8_reserve(&buffer, numbers[i]));
            check_equal(smallbuf_int_8_capacity(&buffer), capacity);
            check_equal(allocator.bytes, bytes);
            check_ints(before, 0);
        }
        allocator.fail_at = 0;
    }
}

Test(smallbuf_reserve, that_fails_at_any_call_changes_nothing, .init = setup, .fini = teardown)
{
    for (size_t before = 0; before < 100; before += 9) {
        bool done = false;
        for (size_t k = 1; !done; k++) {
            smallbuf_int_8_destroy(&buffer);
            for (size_t i = 0; i < before; i++)
                by_push((int)i);
            size_t capacity = smallbuf_int_8_capacity(&buffer), bytes = allocator.bytes;
            allocator.fail_at = allocator.calls + k;
            errno = EXDEV;
            done = smallbuf_int_8_reserve(&buffer, 3000);
            cr_assert(errno == (done ? EXDEV : ENOMEM));
            if (!done) {
                check_equal(smallbuf_int_8_capacity(&buffer), capacity);
                check_equal(allocator.bytes, bytes);
                check_ints(before, 0);
                cr_assert(by_push((int)before)); /* it was not a push that failed */
            }
        }
        allocator.fail_at = 0;
    }
}
