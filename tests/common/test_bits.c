/* SPDX-License-Identifier: MIT */
/*
 * test_bits.c - words of bits, beside the plain way to say the same.
 */
#include "support/threads.h"
#include "test_common.h"

#include "common/bits.h"

#define WORDS 4
#define BITS  (WORDS * VF_WORD_BITS)

static bool is_set(const vf_word *words, size_t i)
{
    return (words[i / VF_WORD_BITS] >> i % VF_WORD_BITS & 1) != 0;
}

Test(bits, mask_has_those_that_count)
{
    for (size_t n = 1; n <= BITS; n++) {
        check_equal(vf_bits_words(n), (n - 1) / VF_WORD_BITS + 1);
        for (size_t w = 0; w < vf_bits_words(n); w++) {
            vf_word mask = vf_bits_mask(n, w);
            for (size_t i = 0; i < VF_WORD_BITS; i++)
                cr_assert(((mask & vf_bits_bit(i)) != 0) == (w * VF_WORD_BITS + i < n));
        }
    }
}

Test(bits, lowest_are_the_n_that_come_first)
{
    uint64_t random = 1;
    for (int turn = 0; turn < 1000; turn++) {
        vf_word word = (vf_word)test_random(&random);
        size_t count = vf_bits_count(word);
        for (size_t n = 0; n <= count; n++) {
            vf_word lowest = vf_bits_lowest(word, n);
            check_equal(vf_bits_count(lowest), n);
            cr_assert((lowest & ~word) == 0);
            cr_assert(n == 0 || n == count ||
                      vf_bits_first(word & ~lowest) > vf_bits_first(lowest));
            cr_assert(n == 0 || (word & ~lowest) == 0 || lowest < (word & ~lowest));
        }
    }
}

/* Of each length, from each place, for bits that are set and for those that are not. */
Test(bits, next_is_found_or_there_is_none)
{
    uint64_t random = 1;
    for (int turn = 0; turn < 200; turn++) {
        vf_word words[WORDS];
        for (size_t w = 0; w < WORDS; w++) {
            vf_word some = (vf_word)test_random(&random);
            words[w] = turn % 3 == 0 ? some : turn % 3 == 1 ? some & some >> 7 & some >> 19 : ~some;
        }
        size_t n = 1 + test_random_below(&random, BITS);
        for (size_t from = 0; from <= n; from++) {
            for (int set = 0; set < 2; set++) {
                size_t plain = from;
                while (plain < n && is_set(words, plain) != set)
                    plain++;
                check_equal(vf_bits_next(words, n, from, set), plain);
            }
        }
    }
}
