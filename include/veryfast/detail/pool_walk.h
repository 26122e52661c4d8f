/* SPDX-License-Identifier: MIT */
/*
 * pool_walk.h - walks over live objects: the part that the template sees.
 *
 *     batch 0             batch 1             batch 2
 *     [ word | word ]     [ word | word ]     [ word | word ]
 *                           ^ live: a bit for each of its objects that is still to come
 *
 * The core finds the live objects of 64 slots at a time (32 where a pointer has 32 bits).
 */
#ifndef VF_DETAIL_POOL_WALK_H
#define VF_DETAIL_POOL_WALK_H

#include <veryfast/detail/atomic.h>
#include <veryfast/detail/config.h>
#include <veryfast/veryfast.h>

VF_EXTERN_C_BEGIN

struct vf_pool_core;

/* A walk over a part of a pool. */
typedef struct vf_walk {
    char *first;   /* the first slot of the word that was looked at last */
    size_t live;   /* of its slots, those whose objects are to come */
    size_t stride; /* constant, as the next two */
    const struct vf_pool_core *pool;
    size_t batches;      /* that are walked */
    size_t number, word; /* the next word: its batch, and its place there */
    size_t run, skip;    /* constant: words that this part has together; those of other parts */
    size_t left;         /* of the run */
    bool published;      /* a pool with handles is walked, by what is published: */
    const struct vf_generations *of; /* the word's batch */
    size_t slot;                     /* the number of first there */
    uint64_t given;                  /* the handle of the object that was given last */
} vf_walk;

/* Begins one of so many parts. */
VF_API void vf_pool_core_walk_begin(const struct vf_pool_core *pool, vf_walk *walk, size_t part,
                                    size_t parts);

/* Goes on to the next word with a live object; false: there is none. */
VF_API bool vf_pool_core_walk_more(vf_walk *walk);

VF_EXTERN_C_END

/* A program may call other things walk or slot. */
VF_NAMES_BEGIN

static inline void *vf_pool_core_walk_next(vf_walk *walk)
{
    if (walk->live == 0 && !vf_pool_core_walk_more(walk))
        return NULL;
    size_t slot = vf_lowest_bit(walk->live);
    walk->live &= walk->live - 1;
    return walk->first + slot * walk->stride;
}

/* Nothing more comes. */
static inline void vf_pool_core_walk_end(vf_walk *walk)
{
    walk->live = 0;
    walk->number = walk->batches;
}

VF_NAMES_END

#endif
