/* SPDX-License-Identifier: MIT */
/*
 * words_main.c - one pool, used from three files: what one pushes, another takes, and all share
 * the thread's cache.
 */
#include "support/threads.h"

#include "words.h"

static int drops;

void word_dropped(const struct word *word)
{
    drops += word->number;
}

struct word *push_here(pool_word_32 *pool, int number)
{
    return pool_word_32_push(pool, (struct word){number, NULL});
}

int take_here(pool_word_32 *pool, struct word *word)
{
    return pool_word_32_take(pool, word).number;
}

void free_here(pool_word_32 *pool, struct word *word)
{
    pool_word_32_free(pool, word);
}

static const struct file {
    struct word *(*push)(pool_word_32 *pool, int number);
    int (*take)(pool_word_32 *pool, struct word *word);
    void (*free)(pool_word_32 *pool, struct word *word);
} files[] = {
    {push_here, take_here, free_here},
    {push_in_c, take_in_c, free_in_c},
#ifdef WITH_CPP
    {push_in_cpp, take_in_cpp, free_in_cpp},
#endif
};

static void exchange(pool_word_32 *pool, const struct file *one, const struct file *other)
{
    struct word *words[100];
    for (int i = 0; i < 100; i++) {
        words[i] = one->push(pool, i);
        CHECK(words[i] != NULL);
    }
    CHECK(pool_word_32_stats(pool).live == 100);
    for (int i = 0; i < 99; i++)
        CHECK(other->take(pool, words[i]) == i);
    drops = 0;
    other->free(pool, words[99]);
    CHECK(drops == 99);
    CHECK(one->push(pool, 1) == words[99]); /* the slot freed last, by whichever file */
    one->free(pool, words[99]);
    CHECK(pool_word_32_stats(pool).live == 0);
}

int main(void)
{
    pool_word_32 *pool = pool_word_32_new(NULL);
    CHECK(pool != NULL);
    size_t count = sizeof files / sizeof *files;
    for (size_t i = 0; i < count * count; i++)
        exchange(pool, &files[i / count], &files[i % count]);
    pool_word_32_release(pool);
    return 0;
}
