/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_refusal.c - the allocator fails at its k-th call, for every k, in every kind of
 * push: what was accepted is a prefix, and the rest is refused until the next drain.
 */
#include "test_common.h"

/* A value that is refused is still the caller's: none may be dropped that was not accepted. */
static void drop(const int *value);

#define VF_T       int
#define VF_N       4
#define VF_DROP(p) drop(p)
#include <veryfast/smallbuf.h>

#define MOST 3000

static test_allocator allocator;
static vf_smallbuf_options options;
static smallbuf_int_4 buffer;
static size_t drops;

static void drop(const int *value)
{
    cr_assert((size_t)*value == drops, "%d is dropped, not %zu", *value, drops);
    drops++;
}

/* ---- ways to push n ints, from first on; how many were taken ---- */

static bool checked(bool pushed)
{
    cr_assert(errno == (pushed ? EXDEV : ENOMEM), "errno is %d", errno);
    errno = EXDEV;
    return pushed;
}

#define count_pushed(call)                                                                         \
    do {                                                                                           \
        size_t pushed_ = 0;                                                                        \
        errno = EXDEV;                                                                             \
        for (size_t i = 0; i < n; i++) {                                                           \
            int value = first + (int)i;                                                            \
            bool taken_ = checked(call);                                                           \
            cr_assert(!taken_ || pushed_ == i, "taken behind what was refused");                   \
            pushed_ += taken_;                                                                     \
        }                                                                                          \
        return pushed_;                                                                            \
    } while (0)

static size_t by_push(int first, size_t n)
{
    count_pushed(smallbuf_int_4_push(&buffer, value));
}

static size_t by_index(int first, size_t n)
{
    count_pushed(smallbuf_int_4_push_index(&buffer, value, NULL));
}

static size_t by_exclusive(int first, size_t n)
{
    count_pushed(smallbuf_int_4_push_exclusive(&buffer, value));
}

static bool fill_slot(int value)
{
    int *slot = smallbuf_int_4_push_slot(&buffer, NULL);
    if (slot != NULL)
        *slot = value;
    return slot != NULL;
}

static size_t by_slot(int first, size_t n)
{
    count_pushed(fill_slot(value));
}

static smallbuf_int_4_writer writer;

static size_t through_writer(int first, size_t n)
{
    count_pushed(smallbuf_int_4_writer_push(&writer, value));
}

static size_t by_writer(int first, size_t n)
{
    smallbuf_int_4_writer_open(&writer, &buffer);
    size_t pushed = through_writer(first, n);
    smallbuf_int_4_writer_close(&writer);
    return pushed;
}

static size_t by_n(int first, size_t n, size_t at_once)
{
    int values[1000];
    size_t pushed = 0;
    for (size_t i = 0; i < n; i += at_once) {
        size_t some = n - i < at_once ? n - i : at_once;
        for (size_t j = 0; j < some; j++)
            values[j] = first + (int)(i + j);
        errno = EXDEV;
        size_t taken = smallbuf_int_4_push_n(&buffer, values, some);
        checked(taken == some);
        cr_assert(taken == 0 || pushed == i, "taken behind what was refused");
        pushed += taken;
    }
    return pushed;
}

static size_t by_seven(int first, size_t n)
{
    return by_n(first, n, 7);
}

static size_t by_thousand(int first, size_t n)
{
    return by_n(first, n, 1000);
}

static size_t by_all(int first, size_t n)
{
    static size_t (*const ways[])(int first, size_t n) = {
        by_push, by_index, by_slot, by_exclusive, by_writer, by_seven,
    };
    size_t pushed = 0;
    for (size_t i = 0; i < n; i += 10) {
        size_t taken = ways[i / 10 % 6](first + (int)i, 10);
        cr_assert(taken == 0 || pushed == i);
        pushed += taken;
    }
    return pushed;
}

/* ---- what must hold ---- */

static void check_prefix(size_t count, size_t refused)
{
    check_equal(smallbuf_int_4_count(&buffer), count);
    check_equal(smallbuf_int_4_refused(&buffer), refused);
    const int *ints;
    size_t seen = 0;
    for (size_t n; (n = smallbuf_int_4_span(&buffer, seen, &ints)) > 0; seen += n) {
        for (size_t i = 0; i < n; i++)
            check_equal((size_t)ints[i], seen + i);
    }
    check_equal(seen, count);
}

static void clear_all(size_t count)
{
    drops = 0;
    smallbuf_int_4_clear(&buffer);
    check_equal(drops, count);
    check_prefix(0, 0);
}

typedef size_t (*push_many)(int first, size_t n);

/* Memory is there again, but the decision stands until the drain; and not beyond that. */
static void check_refusal_sticks(push_many push, size_t pushed)
{
    allocator.refuse = false;
    size_t calls = allocator.calls;
    check_equal(push((int)pushed, 50), 0);
    check_equal(by_push((int)pushed, 50), 0);
    check_equal(by_n((int)pushed, 50, 50), 0);
    check_equal(allocator.calls, calls);
    check_prefix(pushed, MOST - pushed + 150);
    clear_all(pushed);
    check_equal(push(0, MOST), MOST);
    check_prefix(MOST, 0);
}

/* S_reserve lifts it; what had been refused is counted further. */
static void check_reserve_lifts(push_many push, size_t pushed)
{
    allocator.refuse = true;
    size_t bytes = allocator.bytes, capacity = smallbuf_int_4_capacity(&buffer);
    check_refused(ENOMEM, !smallbuf_int_4_reserve(&buffer, 1));
    check_refused(ENOMEM, !smallbuf_int_4_reserve(&buffer, MOST));
    check_equal(allocator.bytes, bytes);
    check_equal(smallbuf_int_4_capacity(&buffer), capacity);
    check_prefix(pushed, MOST - pushed);
    check_equal(push((int)pushed, 10), 0); /* a reserve that fails lifts nothing */
    allocator.refuse = false;
    errno = EXDEV;
    cr_assert(smallbuf_int_4_reserve(&buffer, 100) && errno == EXDEV);
    check_prefix(pushed, MOST - pushed + 10);
    check_equal(push((int)pushed, 200), 200);
    check_prefix(pushed + 200, MOST - pushed + 10);
    size_t index;
    cr_assert(smallbuf_int_4_push_index(&buffer, (int)pushed + 200, &index));
    check_equal(index, pushed + 200);
    clear_all(pushed + 201);
}

/* True if a call of the allocator failed. */
static bool run(push_many push, size_t fail_at, bool from_then_on, bool reserve)
{
    allocator = (test_allocator){.fail_at = fail_at};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    size_t pushed = 0;
    bool failed = false;
    for (; pushed < MOST && !failed; pushed += failed ? 0 : 10) {
        size_t some = push((int)pushed, 10);
        failed = some < 10;
        pushed += failed ? some : 0;
        if (failed)
            check_prefix(pushed, 10 - some);
        allocator.refuse = from_then_on && failed;
    }
    size_t refused = smallbuf_int_4_refused(&buffer);
    check_equal(push((int)pushed, MOST - pushed - refused), 0);
    check_prefix(pushed, MOST - pushed);
    if (failed && reserve)
        check_reserve_lifts(push, pushed);
    else if (failed)
        check_refusal_sticks(push, pushed);
    drops = 0;
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
    return failed;
}

static void run_all(push_many push)
{
    static const size_t first_chunks[] = {0, 1, 500};
    for (size_t i = 0; i < 12; i++) {
        options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator),
                                        .first_chunk = first_chunks[i % 3]};
        size_t k = 1;
        while (run(push, k, i / 3 % 2 != 0, i / 6 != 0))
            k++;
        cr_assert(k > 3, "only %zu calls of the allocator", k - 1);
    }
}

Test(smallbuf_refusal, of_push)
{
    run_all(by_push);
}

Test(smallbuf_refusal, of_push_index)
{
    run_all(by_index);
}

Test(smallbuf_refusal, of_push_slot)
{
    run_all(by_slot);
}

Test(smallbuf_refusal, of_push_exclusive)
{
    run_all(by_exclusive);
}

Test(smallbuf_refusal, of_push_n)
{
    run_all(by_seven);
}

Test(smallbuf_refusal, of_push_n_of_many)
{
    run_all(by_thousand);
}

Test(smallbuf_refusal, of_a_writers_push)
{
    run_all(by_writer);
}

Test(smallbuf_refusal, of_a_writer_that_stays_open)
{
    smallbuf_int_4_writer_open(&writer, &buffer);
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    for (size_t k = 1; k < 6; k++) {
        allocator = (test_allocator){.fail_at = k};
        memset(&buffer, 0, sizeof buffer);
        smallbuf_int_4_init(&buffer, &options);
        smallbuf_int_4_writer_open(&writer, &buffer);
        size_t pushed = through_writer(0, MOST);
        cr_assert(pushed < MOST);
        check_equal(through_writer((int)pushed, 20), 0);
        smallbuf_int_4_writer_close(&writer);
        check_prefix(pushed, MOST - pushed + 20);
        cr_assert(smallbuf_int_4_reserve(&buffer, 1000));
        check_equal(by_writer((int)pushed, 1000), 1000);
        check_prefix(pushed + 1000, MOST - pushed + 20);
        drops = 0;
        smallbuf_int_4_destroy(&buffer);
        check_all_back(&allocator);
    }
}

Test(smallbuf_refusal, of_all_in_turn)
{
    run_all(by_all);
}

Test(smallbuf_refusal, leaves_the_options_in_place)
{
    options =
        (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator), .max_elements = 150};
    allocator = (test_allocator){.fail_at = 1};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    check_equal(by_push(0, 10), 4);
    clear_all(4);
    check_equal(by_push(0, 200), 150);
    check_prefix(150, 50);
    drops = 0;
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
}

/* ---- of two allocations for one chunk, which two pushes need at once, one fails ---- */

#ifndef VF_CHECKED /* where a push in the middle of another is misuse */

static void (*meanwhile)(void); /* what happens while the allocator is asked, once */

static void *alloc_meanwhile(void *none, size_t size, size_t alignment)
{
    (void)none;
    vf_allocator own = test_allocator_hook(&allocator);
    void *memory = own.alloc(own.context, size, alignment);
    void (*now)(void) = meanwhile;
    meanwhile = NULL;
    if (now != NULL)
        now();
    return memory;
}

static void dealloc_own(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none;
    vf_allocator own = test_allocator_hook(&allocator);
    own.dealloc(own.context, memory, size, alignment);
}

static void push_in_vain(void)
{
    allocator.refuse = true;
    check_refused(ENOMEM, !smallbuf_int_4_push(&buffer, -1));
    allocator.refuse = false;
}

static void push_two_in_vain(void)
{
    push_in_vain();
    push_in_vain();
}

static void push_many_in_vain(void)
{
    int values[200] = {0};
    allocator.refuse = true;
    check_equal(smallbuf_int_4_push_n(&buffer, values, 200), 0);
    allocator.refuse = false;
}

/* The buffer is full up to that chunk, with pushes before the failing one and behind. */
static void fill_with_one_chunk_that_fails(int count, void (*in_vain)(void), size_t refused)
{
    options = (vf_smallbuf_options){.allocator = {alloc_meanwhile, dealloc_own, NULL}};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    check_equal(by_push(0, (size_t)count), (size_t)count);
    check_equal(smallbuf_int_4_capacity(&buffer), (size_t)count);
    meanwhile = in_vain;
    cr_assert(smallbuf_int_4_push(&buffer, count), "refused, though its memory was there");
    check_prefix((size_t)count + 1, refused);
    check_equal(by_push(0, 20), 0); /* behind what was refused */
    check_equal(by_seven(0, 20), 0);
    check_equal(by_writer(0, 1), 0);
    check_prefix((size_t)count + 1, refused + 41);
}

static void check_one_chunk_that_fails(int count, void (*in_vain)(void), size_t refused)
{
    allocator = (test_allocator){0};
    fill_with_one_chunk_that_fails(count, in_vain, refused);
    size_t calls = allocator.calls;
    clear_all((size_t)count + 1);
    check_equal(by_push(0, (size_t)count + 20), (size_t)count + 20);
    check_equal(allocator.calls, calls); /* the chunk was kept, and has all its slots */
    check_prefix((size_t)count + 20, 0);
    drops = 0;
    smallbuf_int_4_destroy(&buffer);
    fill_with_one_chunk_that_fails(count, in_vain, refused);
    allocator.refuse = true;
    check_refused(ENOMEM, !smallbuf_int_4_reserve(&buffer, 5000));
    check_prefix((size_t)count + 1, refused + 41);
    check_equal(by_push(0, 1), 0); /* and nothing has changed */
    allocator.refuse = false;
    cr_assert(smallbuf_int_4_reserve(&buffer, 1000));
    check_equal(by_writer(count + 1, 3), 3); /* a run that begins in the middle of a block */
    smallbuf_int_4_writer_open(&writer, &buffer);
    check_equal(through_writer(count + 4, 2), 2);
    check_equal(by_push(count + 6, 400), 400); /* so that the writer leaves a gap */
    smallbuf_int_4_writer_close(&writer);
    check_equal(by_writer(count + 406, 595), 595);
    check_prefix((size_t)count + 1001, refused + 42);
    drops = 0;
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
}

Test(smallbuf_refusal, is_of_those_behind_the_one_whose_allocation_failed)
{
    static const int counts[] = {4, 68, 196}; /* the elements inside; with one chunk, and two */
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_one_chunk_that_fails(counts[i], push_in_vain, 1);
        check_one_chunk_that_fails(counts[i], push_two_in_vain, 2);
        check_one_chunk_that_fails(counts[i], push_many_in_vain, 200);
    }
}

static void push_with_memory(void)
{
    cr_assert(smallbuf_int_4_push(&buffer, 5));
}

/* The allocation of the earlier push fails, and the chunk is there when it decides. */
Test(smallbuf_refusal, is_none_where_another_has_the_chunk)
{
    allocator = (test_allocator){.fail_at = 1};
    options = (vf_smallbuf_options){.allocator = {alloc_meanwhile, dealloc_own, NULL}};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
    check_equal(by_push(0, 4), 4);
    meanwhile = push_with_memory;
    cr_assert(smallbuf_int_4_push(&buffer, 4));
    check_prefix(6, 0);
    drops = 0;
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
}
#endif
