/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf.c - the calls of a small buffer, one by one, from one thread.
 */
#include "test_common.h"

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

/* Another name, for another instance of the same type and size. */
#define VF_T    int
#define VF_N    4
#define VF_NAME numbers
#include <veryfast/smallbuf.h>

typedef const char *text;

/* Declared, and defined with the parameters that were kept. */
#define VF_T    text
#define VF_N    2
#define VF_NAME names
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME names
#define VF_DEFINE
#include <veryfast/smallbuf.h>

#define check_ints(buffer, from, count)                                                            \
    do {                                                                                           \
        int next_ = (from);                                                                        \
        const int *ints_;                                                                          \
        for (size_t i_ = 0, n_; (n_ = smallbuf_int_4_span(buffer, i_, &ints_)) > 0; i_ += n_) {    \
            for (size_t j_ = 0; j_ < n_; j_++)                                                     \
                cr_assert(ints_[j_] == next_++, "%d where %d is expected", ints_[j_], next_ - 1);  \
        }                                                                                          \
        check_equal((size_t)(next_ - (from)), count);                                              \
        check_equal(smallbuf_int_4_count(buffer), count);                                          \
    } while (0)

static test_allocator allocator;
static vf_smallbuf_options options;
static smallbuf_int_4 buffer;

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    smallbuf_int_4_init(&buffer, &options);
}

static void teardown(void)
{
    smallbuf_int_4_destroy(&buffer);
    check_all_back(&allocator);
}

Test(smallbuf, all_zero_bytes_are_an_empty_buffer)
{
    static smallbuf_int_4 zero;
    check_ints(&zero, 0, 0);
    check_equal(smallbuf_int_4_capacity(&zero), 4);
    check_equal(smallbuf_int_4_refused(&zero), 0);
    check_equal(smallbuf_int_4_trim(&zero, 0), 0);
    smallbuf_int_4_clear(&zero);
    smallbuf_int_4_destroy(&zero);
    for (int i = 0; i < 1000; i++) /* with memory of the C library */
        cr_assert(smallbuf_int_4_push(&zero, i));
    check_ints(&zero, 0, 1000);
    smallbuf_int_4_destroy(&zero);
    check_ints(&zero, 0, 0);
}

Test(smallbuf, init_allocates_nothing, .init = setup, .fini = teardown)
{
    check_equal(allocator.calls, 0);
    check_ints(&buffer, 0, 0);
    check_equal(smallbuf_int_4_capacity(&buffer), 4);
}

Test(smallbuf, init_without_options_means_the_defaults, .init = setup, .fini = teardown)
{
    options.max_elements = 2;
    smallbuf_int_4_init(&buffer, &options);
    smallbuf_int_4_init(&buffer, NULL);
    for (int i = 0; i < 100; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    check_ints(&buffer, 0, 100);
    check_equal(allocator.calls, 0);
}

Test(smallbuf, the_fifth_element_is_the_first_that_allocates, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 4; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    check_equal(allocator.calls, 0);
    cr_assert(smallbuf_int_4_push(&buffer, 4));
    check_equal(allocator.calls, 1);
    check_ints(&buffer, 0, 5);
}

/* Each with a buffer of its own; all share what the options say. */
Test(smallbuf, one_options_struct_serves_many_buffers, .init = setup, .fini = teardown)
{
    static smallbuf_int_4 many[50];
    options.max_elements = 200;
    for (int i = 0; i < 50; i++)
        smallbuf_int_4_init(&many[i], &options);
    for (int j = 0; j < 210; j++) {
        for (int i = 0; i < 50; i++)
            cr_assert(smallbuf_int_4_push(&many[i], i + j) == (j < 200));
    }
    for (int i = 0; i < 50; i++) {
        check_ints(&many[i], i, 200);
        check_equal(smallbuf_int_4_refused(&many[i]), 10);
    }
    cr_assert(allocator.blocks >= 50);
    for (int i = 0; i < 50; i++)
        smallbuf_int_4_destroy(&many[i]);
}

Test(smallbuf, first_chunk_is_as_long_as_the_options_say, .init = setup, .fini = teardown)
{
    static const size_t lengths[] = {1, 2, 31, 32, 33, 100, 1000, 1024, 1025, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        options.first_chunk = lengths[i];
        size_t calls = allocator.calls;
        for (int j = 0; j < 5; j++)
            cr_assert(smallbuf_int_4_push(&buffer, j));
        size_t capacity = smallbuf_int_4_capacity(&buffer);
        cr_assert(capacity >= 4 + lengths[i], "room for %zu", capacity);
        cr_assert(capacity < 4 + 2 * lengths[i], "room for %zu", capacity);
        while (smallbuf_int_4_count(&buffer) < capacity)
            cr_assert(smallbuf_int_4_push(&buffer, (int)smallbuf_int_4_count(&buffer)));
        check_equal(allocator.calls - calls, 1);
        check_ints(&buffer, 0, capacity);
        smallbuf_int_4_destroy(&buffer);
    }
    options.first_chunk = SIZE_MAX; /* more than there is */
    for (int i = 0; i < 4; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    allocator.refuse = true; /* lest it be found somewhere */
    check_refused(ENOMEM, !smallbuf_int_4_push(&buffer, 4));
    check_ints(&buffer, 0, 4);
}

Test(smallbuf, init_may_change_the_options_of_one_that_was_destroyed, .init = setup,
     .fini = teardown)
{
    test_allocator other = {0};
    vf_smallbuf_options others = {.allocator = test_allocator_hook(&other), .max_elements = 3};
    for (int i = 0; i < 100; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    smallbuf_int_4_destroy(&buffer);
    smallbuf_int_4_init(&buffer, &others);
    for (int i = 0; i < 5; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i) == (i < 3));
    check_ints(&buffer, 0, 3);
    smallbuf_int_4_clear(&buffer);
    others.max_elements = 50;
    smallbuf_int_4_init(&buffer, &others);
    for (int i = 0; i < 60; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i) == (i < 50));
    check_ints(&buffer, 0, 50);
    cr_assert(other.calls > 0);
    smallbuf_int_4_clear(&buffer);
    cr_assert(smallbuf_int_4_trim(&buffer, 0) > 0);
    check_all_back(&other);
    smallbuf_int_4_init(&buffer, &options);
    for (int i = 0; i < 100; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    check_ints(&buffer, 0, 100);
    check_all_back(&other);
}

Test(smallbuf, push_index_is_the_place_since_the_last_drain, .init = setup, .fini = teardown)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            size_t index = 12345;
            if (i % 3 == 1)
                cr_assert(smallbuf_int_4_push(&buffer, i));
            else if (i % 3 == 2)
                cr_assert(smallbuf_int_4_push_index(&buffer, i, NULL));
            else {
                cr_assert(smallbuf_int_4_push_index(&buffer, i, &index));
                check_equal(index, (size_t)i);
            }
        }
        check_ints(&buffer, 0, 500);
        smallbuf_int_4_clear(&buffer);
    }
}

Test(smallbuf, push_slot_is_filled_in_its_place, .init = setup, .fini = teardown)
{
    int *slots[500];
    for (int i = 0; i < 500; i++) {
        size_t index = 12345;
        slots[i] = smallbuf_int_4_push_slot(&buffer, i % 2 != 0 ? &index : NULL);
        cr_assert(slots[i] != NULL);
        check_equal(index, i % 2 != 0 ? (size_t)i : 12345);
    }
    check_equal(smallbuf_int_4_count(&buffer), 500);
    for (int i = 500; i-- > 0;)
        *slots[i] = i;
    check_ints(&buffer, 0, 500);
    cr_assert(all_apart(slots, 500, sizeof(int)));
}

Test(smallbuf, push_n_takes_any_number, .init = setup, .fini = teardown)
{
    static int values[2000];
    for (int i = 0; i < 2000; i++)
        values[i] = i;
    for (size_t n = 0; n <= 300; n++) {
        size_t count = 0;
        for (; count + n <= 1000 && count / 20 <= n; count += n) {
            errno = EXDEV;
            check_equal(smallbuf_int_4_push_n(&buffer, values + count, n), n);
            cr_assert(errno == EXDEV);
            if (n == 0)
                break;
        }
        check_ints(&buffer, 0, count);
        n % 3 != 0 ? smallbuf_int_4_clear(&buffer) : smallbuf_int_4_destroy(&buffer);
    }
    check_equal(smallbuf_int_4_push_n(&buffer, values, 2000), 2000);
    check_ints(&buffer, 0, 2000);
}

Test(smallbuf, push_n_of_none_is_no_push, .init = setup, .fini = teardown)
{
    size_t index;
    check_equal(smallbuf_int_4_push_n(&buffer, NULL, 0), 0);
    cr_assert(smallbuf_int_4_push_index(&buffer, 0, &index));
    check_equal(index, 0);
    check_ints(&buffer, 0, 1);
}

Test(smallbuf, push_exclusive_mixes_with_the_others, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 900; i++) {
        size_t index = (size_t)i;
        cr_assert(i % 2 != 0 ? smallbuf_int_4_push_exclusive(&buffer, i)
                             : smallbuf_int_4_push_index(&buffer, i, &index));
        check_equal(index, (size_t)i);
    }
    check_ints(&buffer, 0, 900);
}

Test(smallbuf, success_leaves_errno_alone, .init = setup, .fini = teardown)
{
    errno = EXDEV;
    for (int i = 0; i < 300; i++) {
        smallbuf_int_4_push(&buffer, i);
        smallbuf_int_4_push_exclusive(&buffer, i);
        *smallbuf_int_4_push_slot(&buffer, NULL) = i;
    }
    cr_assert(smallbuf_int_4_reserve(&buffer, 1000));
    smallbuf_int_4_drain drain = smallbuf_int_4_drain_begin(&buffer);
    smallbuf_int_4_drain_end(&drain);
    smallbuf_int_4_trim(&buffer, 10);
    smallbuf_int_4_destroy(&buffer);
    cr_assert(errno == EXDEV);
}

Test(smallbuf, clear_keeps_the_memory, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 1000; i++)
        smallbuf_int_4_push(&buffer, i);
    size_t calls = allocator.calls, bytes = allocator.bytes;
    size_t capacity = smallbuf_int_4_capacity(&buffer);
    cr_assert(capacity >= 1000);
    smallbuf_int_4_clear(&buffer);
    check_ints(&buffer, 0, 0);
    check_equal(smallbuf_int_4_capacity(&buffer), capacity);
    check_equal(allocator.bytes, bytes);
    for (size_t i = 0; i < capacity; i++)
        smallbuf_int_4_push(&buffer, (int)i);
    check_equal(allocator.calls, calls);
    check_ints(&buffer, 0, capacity);
}

Test(smallbuf, destroy_keeps_the_options, .init = setup, .fini = teardown)
{
    options.max_elements = 60;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            cr_assert(smallbuf_int_4_push(&buffer, i) == (i < 60));
        smallbuf_int_4_destroy(&buffer);
        check_all_back(&allocator);
        check_equal(allocator.calls, (size_t)round + 1);
        check_ints(&buffer, 0, 0);
        check_equal(smallbuf_int_4_refused(&buffer), 0);
    }
}

/* Doubling: so many elements, and few allocations. */
Test(smallbuf, it_grows_by_doubling, .init = setup, .fini = teardown)
{
    for (int i = 0; i < 1000000; i++)
        cr_assert(smallbuf_int_4_push(&buffer, i));
    check_ints(&buffer, 0, 1000000);
    cr_assert(allocator.calls <= 16, "%zu allocations", (size_t)allocator.calls);
    cr_assert(allocator.bytes <= 2 * 1000000 * sizeof(int) * 34 / 32 + 4096);
}

Test(smallbuf, may_be_inside_another_object, .init = setup, .fini = teardown)
{
    struct {
        char before;
        smallbuf_int_4 ints;
        numbers others;
        names texts;
        char behind;
    } object;
    memset(&object, 0, sizeof object);
    for (int i = 0; i < 100; i++) {
        cr_assert(smallbuf_int_4_push(&object.ints, i));
        cr_assert(numbers_push(&object.others, -i));
        cr_assert(names_push(&object.texts, i % 2 != 0 ? "odd" : "even"));
    }
    check_ints(&object.ints, 0, 100);
    check_equal(names_count(&object.texts), 100);
    names_drain drain = names_drain_begin(&object.texts);
    text word;
    for (int i = 0; i < 100; i++)
        cr_assert(names_drain_next(&drain, &word) && word[0] == (i % 2 != 0 ? 'o' : 'e'));
    cr_assert(!names_drain_next(&drain, &word));
    names_drain_end(&drain);
    const int *last;
    check_equal(numbers_span(&object.others, 99, &last), 1);
    cr_assert(*last == -99 && object.before == 0 && object.behind == 0);
    smallbuf_int_4_destroy(&object.ints);
    numbers_destroy(&object.others);
    names_destroy(&object.texts);
}

Test(smallbuf, bulk_pushes_tell_who_is_first, .init = setup, .fini = teardown)
{
    static const int values[200] = {0};
    size_t index = 99;
    check_equal(smallbuf_int_4_push_n_index(&buffer, values, 0, &index), 0);
    check_equal(index, 99);
    check_equal(smallbuf_int_4_push_n_index(&buffer, values, 3, &index), 3);
    check_equal(index, 0);
    check_equal(smallbuf_int_4_push_n_index(&buffer, values, 200, &index), 200);
    check_equal(index, 3);
    check_equal(smallbuf_int_4_push_n_index(&buffer, values, 1, NULL), 1);
    check_equal(smallbuf_int_4_count_about(&buffer), 204);
    smallbuf_int_4_clear(&buffer);
    check_equal(smallbuf_int_4_count_about(&buffer), 0);
    cr_assert(smallbuf_int_4_push_index(&buffer, 1, &index));
    check_equal(index, 0);
}

Test(smallbuf, writers_tell_who_is_first, .init = setup, .fini = teardown)
{
    smallbuf_int_4_writer writer;
    size_t index;
    for (int round = 0; round < 3; round++) {
        smallbuf_int_4_writer_open(&writer, &buffer);
        for (size_t i = 0; i < 300; i++) {
            cr_assert(smallbuf_int_4_writer_push_index(&writer, (int)i, &index));
            check_equal(index, i);
        }
        smallbuf_int_4_writer_close(&writer);
        smallbuf_int_4_clear(&buffer);
    }
    cr_assert(smallbuf_int_4_push(&buffer, 1));
    smallbuf_int_4_writer_open(&writer, &buffer);
    cr_assert(smallbuf_int_4_writer_push_index(&writer, 2, &index));
    check_equal(index, 1);
    smallbuf_int_4_writer_close(&writer);
}

Test(smallbuf, an_estimate_is_never_more_than_the_cap, .init = setup, .fini = teardown)
{
    static const size_t caps[] = {1, 3, 4, 5, 50};
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
        options.max_elements = caps[c];
        smallbuf_int_4_destroy(&buffer);
        smallbuf_int_4_init(&buffer, &options);
        for (size_t i = 0; i < 100; i++) {
            smallbuf_int_4_push(&buffer, 1);
            check_equal(smallbuf_int_4_count_about(&buffer), i < caps[c] ? i + 1 : caps[c]);
        }
    }
}
