/* SPDX-License-Identifier: MIT */
/*
 * words.h - one instance for several files in C and C++, as a program would keep it: in one
 * guarded header. Static inline, or extern with WORDS_DECLARED.
 */
#ifndef WORDS_H
#define WORDS_H

struct word {
    int number;
    void *writer;
};

#ifdef __cplusplus
extern "C" {
#endif
void word_dropped(const struct word *word);
#ifdef __cplusplus
}
#endif

#ifdef WORDS_DECLARED
#    define VF_DECLARE
#endif
#define VF_T       struct word
#define VF_N       32
#define VF_DROP(p) word_dropped(p)
#include <veryfast/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The same in each file. */
struct word *push_here(pool_word_32 *pool, int number);
int take_here(pool_word_32 *pool, struct word *word);
void free_here(pool_word_32 *pool, struct word *word);

struct word *push_in_c(pool_word_32 *pool, int number);
int take_in_c(pool_word_32 *pool, struct word *word);
void free_in_c(pool_word_32 *pool, struct word *word);

struct word *push_in_cpp(pool_word_32 *pool, int number);
int take_in_cpp(pool_word_32 *pool, struct word *word);
void free_in_cpp(pool_word_32 *pool, struct word *word);

#ifdef __cplusplus
}
#endif

#endif
