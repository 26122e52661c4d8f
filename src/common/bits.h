/* SPDX-License-Identifier: MIT */
/*
 * bits.h - words of bits.
 */
#ifndef VF_BITS_H
#define VF_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../platform/compiler.h"
#include "arith.h"

/* As wide as a pointer: every machine can change it in one atomic operation. */
typedef uintptr_t vf_word;
#define VF_WORD_BITS ((unsigned)(sizeof(vf_word) * 8))
#define VF_WORD_LOG2 (sizeof(vf_word) == 8 ? 6U : 5U)
#define VF_WORD_ALL  (~(vf_word)0)

/* The bit of this number; modulo the width of a word. */
static inline vf_word vf_bits_bit(size_t number)
{
    return (vf_word)1 << number % VF_WORD_BITS;
}

/* Words that n bits need. */
static inline size_t vf_bits_words(size_t n)
{
    return (n + VF_WORD_BITS - 1) / VF_WORD_BITS;
}

/* Of word w of n bits, those that count: all, but in the last word. */
static inline vf_word vf_bits_mask(size_t n, size_t w)
{
    size_t rest = n - w * VF_WORD_BITS;
    return rest >= VF_WORD_BITS ? VF_WORD_ALL : ((vf_word)1 << rest) - 1;
}

static inline size_t vf_bits_count(vf_word word)
{
    return vf_compiler_ones(word);
}

/* The number of the lowest bit that is set in word, which is not 0. */
static inline size_t vf_bits_first(vf_word word)
{
    return vf_lowest_bit(word);
}

/* The lowest n bits that are set in word, which has at least as many. */
static inline vf_word vf_bits_lowest(vf_word word, size_t n)
{
    vf_word rest = word;
    while (n-- > 0)
        rest &= rest - 1;
    return word & ~rest;
}

/* The number of the first bit from `from` on that is as `set` says, of the n bits in words; n:
   there is none. */
static inline size_t vf_bits_next(const vf_word *words, size_t n, size_t from, bool set)
{
    while (from < n) {
        vf_word word = words[from / VF_WORD_BITS];
        word = (set ? word : ~word) & VF_WORD_ALL << from % VF_WORD_BITS;
        if (word != 0) {
            size_t found = from / VF_WORD_BITS * VF_WORD_BITS + vf_bits_first(word);
            return vf_min(found, n);
        }
        from = (from / VF_WORD_BITS + 1) * VF_WORD_BITS;
    }
    return n;
}

#endif
