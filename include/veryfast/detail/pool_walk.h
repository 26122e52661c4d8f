/* SPDX-License-Identifier: MIT */
/*
 * pool_walk.h - walks over live objects: the part that the template sees.
 *
 *     batch 0             batch 1             batch 2
 *     [ word | word ]     [ word | word ]     [ word | word ]
 *                           ^ live: a bit for each of its objects that is still to come
 *
 * A word is 64 slots (32 where a pointer has 32 bits). The core finds some words at a time: between
 * them a loop over the objects has so little to do that the processor is busy with the next word's
 * cache misses while it waits for this one's.
 */
#ifndef VF_DETAIL_POOL_WALK_H
#define VF_DETAIL_POOL_WALK_H

#include <veryfast/detail/atomic.h>
#include <veryfast/detail/config.h>
#include <veryfast/veryfast.h>

VF_EXTERN_C_BEGIN

struct vf_pool_core;

/* A word of slots that a walk has come to. */
typedef struct vf_walk_word {
    char *first; /* its first slot; or anything, where live is 0 */
    size_t live; /* of its slots, those whose objects are to come */
} vf_walk_word;

/* Words with live objects, which the core finds at a time. */
#define VF_WALK_WORDS 8

typedef struct vf_walk_words {
    size_t n; /* 0: there is no other */
    vf_walk_word words[VF_WALK_WORDS];
} vf_walk_words;

/* From where the core goes on. */
typedef struct vf_walk_position {
    const struct vf_pool_core *pool;
    size_t batches;      /* that are walked */
    size_t number, word; /* the next word: its batch, and which one of it */
    void *order;         /* of P_each: the batches by address, the core's; NULL: by number */
    size_t part, parts;  /* constant: which one of how many it is */
    size_t run;          /* constant: words of a run in the first turn */
    size_t turn, left;   /* how many runs are behind it; words that are left of this one */
    const struct vf_generations *of; /* with handles: the batch of the word that was found last, */
    size_t slot;                     /* and the number of its first slot there */
} vf_walk_position;

/* A walk over a part of a pool. Only copies of its position and of the words go out to the core, so
   that a loop has the rest in registers. */
typedef struct vf_walk {
    char *dense; /* of a word all of whose objects live, the next one; and how many are to come */
    size_t left;
    vf_walk_word now; /* any other */
    size_t next;      /* of the words found, the one that comes then */
    vf_walk_words found;
    size_t stride;    /* constant */
    size_t published; /* with handles, instead of words: slots of one, whose objects are to come; */
    uint64_t given;   /* and the handle of the object that was given last */
    vf_walk_position position;
} vf_walk;

/* Begins one of so many parts. */
VF_API void vf_pool_core_walk_begin(const struct vf_pool_core *pool, vf_walk *walk, size_t part,
                                    size_t parts);

/* Begins a walk over all, by address; false and ENOMEM: none has begun. And ends it. */
VF_API bool vf_pool_core_each_begin(struct vf_pool_core *pool, vf_walk *walk);
VF_API void vf_pool_core_each_end(const vf_walk *walk);

/* Finds the next words with a live object. */
VF_API void vf_pool_core_walk_more(vf_walk_position *position, vf_walk_words *found);

/* With handles: goes on to the next word with a published object; the slots of all of it that have
   one. 0: there is no other word. */
VF_API size_t vf_pool_core_walk_word(vf_walk_position *position);

VF_EXTERN_C_END

/* A program may call other things walk or slot. */
VF_NAMES_BEGIN

/* The next object of a word that has one. */
static inline void *vf_walk_word_next(vf_walk_word *word, size_t stride)
{
    size_t slot = vf_lowest_bit(word->live);
    word->live &= word->live - 1;
    return word->first + slot * stride;
}

/* Goes on to the next word; false: that was the last. */
static inline bool vf_walk_next_word(vf_walk *walk)
{
    if (walk->next == walk->found.n) {
        vf_walk_position position = walk->position;
        vf_walk_words found;
        vf_pool_core_walk_more(&position, &found);
        walk->position = position;
        walk->found = found;
        walk->next = 0;
        if (found.n == 0)
            return false;
    }
    walk->now = walk->found.words[walk->next++];
    if (walk->now.live == (size_t)-1) { /* without a search for bits */
        walk->dense = walk->now.first;
        walk->left = sizeof walk->now.live * 8;
        walk->now.live = 0;
    }
    return true;
}

static inline void *vf_pool_core_walk_next(vf_walk *walk)
{
    if (walk->now.live != 0)
        return vf_walk_word_next(&walk->now, walk->stride);
    if (walk->left == 0) {
        if (!vf_walk_next_word(walk))
            return NULL;
        if (walk->now.live != 0)
            return vf_walk_word_next(&walk->now, walk->stride);
    }
    walk->left--;
    void *object = walk->dense;
    walk->dense += walk->stride;
    return object;
}

/* The same of a walk by address. */
static inline void *vf_pool_core_each_next(vf_walk *walk)
{
    return vf_pool_core_walk_next(walk);
}

/* Nothing more comes. */
static inline void vf_pool_core_walk_end(vf_walk *walk)
{
    walk->now.live = 0;
    walk->left = 0;
    walk->published = 0;
    walk->next = walk->found.n;
    walk->position.number = walk->position.batches;
}

VF_NAMES_END

#endif
