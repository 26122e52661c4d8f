/* SPDX-License-Identifier: MIT */
// words_in_cpp.cpp - uses the shared instance from C++.
#include "words.h"

struct word *push_in_cpp(pool_word_32 *pool, int number)
{
    return pool_word_32_push(pool, word{number, nullptr});
}

int take_in_cpp(pool_word_32 *pool, struct word *word)
{
    return pool_word_32_take(pool, word).number;
}

void free_in_cpp(pool_word_32 *pool, struct word *word)
{
    pool_word_32_free(pool, word);
}
