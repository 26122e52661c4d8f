/* SPDX-License-Identifier: MIT */
/* words_in_c.c - uses the shared instance from C. */
#include "words.h"

struct word *push_in_c(pool_word_32 *pool, int number)
{
    return pool_word_32_push(pool, (struct word){number, NULL});
}

int take_in_c(pool_word_32 *pool, struct word *word)
{
    return pool_word_32_take(pool, word).number;
}

void free_in_c(pool_word_32 *pool, struct word *word)
{
    pool_word_32_free(pool, word);
}
