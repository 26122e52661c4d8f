/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_lane.h - what the template sees of the core with VF_LANES.
 *
 *   buffer                                             lane, this thread's for this buffer
 *   spill --------> window | heads | directory         at         stop
 *                              |                       |          |
 *   vf_thread_lane() ----------+---------------------> v          v
 *                                              [ x x x . . . . . . ]   its run
 *
 * A lane is a writer that the buffer keeps: a run of slots, found by the number of the thread that
 * fills it. The heads lie before the directory, each the first lane of a list of those threads that
 * share it. Only its thread writes to a lane, and a thread with exclusive access; with VF_FLIP
 * there is more to it (detail/smallbuf_lane_flip.h).
 *
 * The word spill leads to the heads, whatever chunk is being filled: before them is a window
 * without slots. A push that has no slot in its lane asks the core.
 */
#ifndef VF_DETAIL_SMALLBUF_LANE_H
#define VF_DETAIL_SMALLBUF_LANE_H

#include <veryfast/detail/smallbuf_core.h>
#include <veryfast/detail/thread.h>

/* So many threads find their lane at once. */
#ifndef VF_LANE_HEADS /* but for tests */
#    define VF_LANE_HEADS 32
#endif

VF_EXTERN_C_BEGIN

typedef struct vf_lane {
    char *at;   /* to stop: what is left of its run */
    char *stop; /* the same as at: nothing */
    vf_writer core;
    uint64_t thread;      /* constant: vf_thread_lane() of its thread */
    struct vf_lane *next; /* constant: of the same head */
    uint64_t first;       /* index at which the run begins */
    uint32_t marked;      /* readers', atomic: S_span has marked what is left of the run */
} vf_lane;

/*
 * The slot of a push that finds no lane with slots, beyond N: of the thread's next run, or a single
 * one. NULL and ENOMEM: refused. *index: as that of S_push_index. Any thread.
 */
VF_API void *vf_lane_next(uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                          uint64_t *index);

/* Takes what the calling thread's lane has left of its run, but no more than n slots; how many,
   which begin at *slots. *index: of the first. For pushes that go beyond N. */
VF_API size_t vf_lane_rest(void *const *spill, size_t n, void **slots, uint64_t *index);

VF_EXTERN_C_END

/* A program may call other things spill, word or lane. */
VF_NAMES_BEGIN

/* The heads of a directory. */
static inline vf_lane **vf_lane_heads(void *directory)
{
    return (vf_lane **)directory - VF_LANE_HEADS;
}

/* The calling thread's lane; NULL: none, or the core has to look for it. */
static inline vf_lane *vf_lane_own(void *const *spill)
{
    /* consume, both: pairs with the release of the first chunk (vf_expect), and with that of a new
       lane (src/smallbuf/lane.c). All is read through the pointers */
    char *word = (char *)vf_load_consume(spill);
    if (VF_UNLIKELY(((uintptr_t)word & VF_SPILLED) == 0))
        return NULL;
    vf_lane **heads = (vf_lane **)(void *)(word - VF_SPILLED);
    uint64_t thread = vf_thread_lane();
    vf_lane *lane = vf_load_consume(&heads[thread % VF_LANE_HEADS]);
    return lane != NULL && lane->thread == thread ? lane : NULL;
}

/* The index behind the last slot that the lane has given out of its run. */
static inline uint64_t vf_lane_index(const vf_lane *lane, size_t size)
{
    return lane->core.end - (uint64_t)(lane->stop - lane->at) / size;
}

VF_NAMES_END

#endif
