/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_types.c - small buffers of elements of all sizes and alignments.
 */
#include "test_common.h"
#include "test_elements.h"

#define ELEMENT(name, size, alignment)                                                             \
    typedef struct name {                                                                          \
        _Alignas(alignment) unsigned char bytes[size];                                             \
    } name

ELEMENT(byte, 1, 1);
ELEMENT(two_bytes, 2, 2);
ELEMENT(three_bytes, 3, 1);
ELEMENT(word, 8, 8);
ELEMENT(three_ints, 12, 4);
ELEMENT(three_words, 24, 8);
ELEMENT(hundred, 100, 4);
ELEMENT(page, 4096, 1);
ELEMENT(line, 64, 64);
ELEMENT(four_lines, 256, 256);

/* What stands before the elements: the counter and a pointer. */
#define HEAD (8 + sizeof(void *))

#define ROUND(size, alignment) (((size) + (alignment)-1) / (alignment) * (alignment))

#define TYPE byte
#define N    1
#define NAME byte_1
#define SIZE ROUND(HEAD + 1 * 1, 8)
#include "test_smallbuf_type.h"

#define TYPE byte
#define N    1000
#define NAME byte_1000
#define SIZE ROUND(HEAD + 1000 * 1, 8)
#include "test_smallbuf_type.h"

#define TYPE two_bytes
#define N    7
#define NAME two_bytes_7
#define SIZE ROUND(HEAD + 7 * 2, 8)
#include "test_smallbuf_type.h"

#define TYPE three_bytes
#define N    2
#define NAME three_bytes_2
#define SIZE ROUND(HEAD + 2 * 3, 8)
#include "test_smallbuf_type.h"

#define TYPE three_bytes
#define N    64
#define NAME three_bytes_64
#define SIZE ROUND(HEAD + 64 * 3, 8)
#include "test_smallbuf_type.h"

#define TYPE word
#define N    1
#define NAME word_1
#define SIZE ROUND(HEAD + 1 * 8, 8)
#include "test_smallbuf_type.h"

#define TYPE word
#define N    7
#define NAME word_7
#define SIZE ROUND(HEAD + 7 * 8, 8)
#include "test_smallbuf_type.h"

#define TYPE three_ints
#define N    1000
#define NAME three_ints_1000
#define SIZE ROUND(HEAD + 1000 * 12, 8)
#include "test_smallbuf_type.h"

#define TYPE three_words
#define N    2
#define NAME three_words_2
#define SIZE ROUND(HEAD + 2 * 24, 8)
#include "test_smallbuf_type.h"

#define TYPE hundred
#define N    64
#define NAME hundred_64
#define SIZE ROUND(HEAD + 64 * 100, 8)
#include "test_smallbuf_type.h"

#define TYPE page
#define N    1
#define NAME page_1
#define SIZE ROUND(HEAD + 1 * 4096, 8)
#include "test_smallbuf_type.h"

#define TYPE page
#define N    7
#define NAME page_7
#define SIZE ROUND(HEAD + 7 * 4096, 8)
#include "test_smallbuf_type.h"

#define TYPE line
#define N    2
#define NAME line_2
#define SIZE ROUND(HEAD + 2 * 64, 64)
#include "test_smallbuf_type.h"

#define TYPE four_lines
#define N    7
#define NAME four_lines_7
#define SIZE ROUND(HEAD + 7 * 256, 256)
#include "test_smallbuf_type.h"

#define TYPE word
#define N    64
#define NAME word_64_cache_aligned
#define SIZE ROUND(VF_CACHE_LINE + 8 + 64 * 8, VF_CACHE_LINE)
#define VF_CACHE_ALIGNED
#include "test_smallbuf_type.h"

#define TYPE byte
#define N    2
#define NAME byte_2_cache_aligned
#define SIZE ROUND(VF_CACHE_LINE + 8 + 2 * 1, VF_CACHE_LINE)
#define VF_CACHE_ALIGNED
#include "test_smallbuf_type.h"

#define TYPE four_lines
#define N    1
#define NAME four_lines_1_cache_aligned
#define SIZE ROUND(VF_CACHE_LINE + 8, 256) + 1 * 256
#define VF_CACHE_ALIGNED
#include "test_smallbuf_type.h"

#define TYPE byte
#define N    7
#define NAME byte_7_flip
#define SIZE (ROUND(8, 8) + 2 * ROUND(HEAD + 7 * 1, 8))
#define VF_FLIP
#include "test_smallbuf_type.h"

#define TYPE three_ints
#define N    2
#define NAME three_ints_2_flip
#define SIZE (ROUND(8, 8) + 2 * ROUND(HEAD + 2 * 12, 8))
#define VF_FLIP
#include "test_smallbuf_type.h"

#define TYPE hundred
#define N    1
#define NAME hundred_1_flip
#define SIZE (ROUND(8, 8) + 2 * ROUND(HEAD + 1 * 100, 8))
#define VF_FLIP
#include "test_smallbuf_type.h"

#define TYPE four_lines
#define N    2
#define NAME four_lines_2_flip
#define SIZE (ROUND(8, 256) + 2 * ROUND(HEAD + 2 * 256, 256))
#define VF_FLIP
#include "test_smallbuf_type.h"

#define TYPE word
#define N    64
#define NAME word_64_flip_cache_aligned
#define SIZE (VF_CACHE_LINE + 2 * ROUND(HEAD + 64 * 8, VF_CACHE_LINE))
#define VF_CACHE_ALIGNED
#define VF_FLIP
#include "test_smallbuf_type.h"

/* The counter's line is its own, by itself and in an array. */
Test(smallbuf_layout, cache_aligned_counter_is_alone_on_its_line)
{
    check_equal(_Alignof(word_64_cache_aligned), VF_CACHE_LINE);
    check_equal(offsetof(word_64_cache_aligned, spill), VF_CACHE_LINE);
    check_equal(_Alignof(word_64_flip_cache_aligned), VF_CACHE_LINE);
    check_equal(offsetof(word_64_flip_cache_aligned, banks), VF_CACHE_LINE);
    check_equal(_Alignof(byte_2_cache_aligned), VF_CACHE_LINE);
}

/* ---- pointers, whose star and const must bind to the element and nothing else ---- */

#define VF_T    char *
#define VF_N    4
#define VF_NAME names
#include <veryfast/smallbuf.h>

Test(smallbuf_types, pointers)
{
    enum { MANY = 200 };
    static char letters[MANY];
    names buffer = {0};
    names_writer writer;
    char *three[3] = {&letters[2], &letters[3], &letters[4]};
    cr_assert(names_push(&buffer, &letters[0]) && names_push_exclusive(&buffer, &letters[1]));
    cr_assert(names_push_n(&buffer, three, 3) == 3);
    *names_push_slot(&buffer, NULL) = &letters[5];
    names_writer_open(&writer, &buffer);
    for (size_t i = 6; i < MANY; i++)
        cr_assert(names_writer_push(&writer, &letters[i]));
    names_writer_close(&writer);

    char *const *span;
    size_t seen = 0;
    for (size_t n; (n = names_span(&buffer, seen, &span)) > 0; seen += n)
        cr_assert(span[0] == &letters[seen] && span[n - 1] == &letters[seen + n - 1]);
    cr_assert(seen == MANY);

    char *name, **taken;
    names_drain drain = names_drain_begin(&buffer);
    cr_assert(names_drain_next(&drain, &name) && name == &letters[0]);
    seen = 1;
    for (size_t n; (n = names_drain_span(&drain, &taken)) > 0; seen += n)
        cr_assert(taken[0] == &letters[seen] && taken[n - 1] == &letters[seen + n - 1]);
    cr_assert(seen == MANY);
    names_drain_end(&drain);
    names_destroy(&buffer);
}
