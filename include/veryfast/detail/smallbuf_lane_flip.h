/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_lane_flip.h - what the template sees of the core with VF_LANES and VF_FLIP.
 *
 * A flip ends the runs of the bank that it takes, whose threads may push at the time. So a push
 * claims its slot by an atomic operation, on a line that is its thread's own:
 *
 *     push                             flip, when all slots of the bank are counted as done
 *     left: n -> n - 1, if not ended   left: ended
 *     stores the element               waits while filled is not what is left
 *     filled: n - 1
 *
 * Either the push comes first at the word `left`: then the drain has its slot, and waits for the
 * element. Or it finds that the run has ended, and goes to the other bank. A thread that takes a
 * run counts its slots as done when the lane has it; so no run begins in a bank behind the flip's
 * look at its lanes, and one that has ended stays so until the thread takes another, in a later
 * fill.
 */
#ifndef VF_DETAIL_SMALLBUF_LANE_FLIP_H
#define VF_DETAIL_SMALLBUF_LANE_FLIP_H

#include <veryfast/detail/smallbuf_lane.h>

VF_EXTERN_C_BEGIN

/* Of a lane's `left`: the run has ended. */
#define VF_RUN_ENDED ((uint64_t)1 << 63)

/* A lane with VF_FLIP. */
typedef struct vf_flip_lane {
    vf_lane lane; /* its run ends at stop; at and core.run have no use */
    VF_ALIGNAS(8)
    uint64_t left;   /* atomic: slots of the run that no push has claimed */
    uint64_t filled; /* atomic: what was left at the last push that is done */
} vf_flip_lane;

/* What a push has taken. */
typedef struct vf_claim {
    vf_flip_lane *lane; /* a slot of its run; NULL: the counter's */
    uint64_t left;      /* of a lane: what is left when it is claimed */
    uint64_t tail;      /* the counter at the slot; of a lane, its index */
    uint64_t n;         /* of the counter: how many slots are to be counted as done */
} vf_claim;

/*
 * The slot of a push that finds none in its lane, in whatever bank. NULL and ENOMEM: refused.
 * *claim has to be ended all the same. tail, spill: the counter, and the word of the first bank.
 * Any thread.
 */
VF_API void *vf_lane_flip_next(uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                               vf_claim *claim);

/* Claims what the calling thread's lane has left, but no more than n slots; how many, which begin
   at *slots. 0: there is no claim. */
VF_API size_t vf_lane_flip_rest(uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                                size_t n, void **slots, vf_claim *claim);

/* Of a bank that a flip has taken, all of whose slots are counted as done: ends all runs. False: a
   push is in flight in one of them. */
VF_API bool vf_lane_flip_end(void *const *spill);
/* The same, and waits for the pushes in flight. */
VF_API void vf_lane_flip_wait(void *const *spill);
/* Is none in flight? Ends no run. */
VF_API bool vf_lane_flip_is_filled(void *const *spill);

VF_EXTERN_C_END

/* A program may call other things lane or left. */
VF_NAMES_BEGIN

/* Of a buffer with VF_FLIP each lane is one of these. */
static inline vf_flip_lane *vf_flip_lane_of(const vf_lane *lane)
{
    return (vf_flip_lane *)(uintptr_t)lane;
}

/* Claims up to n slots of the lane's run, from the one on behind which *left are; how many. */
static inline uint64_t vf_claim_slots(vf_flip_lane *lane, uint64_t n, uint64_t *left)
{
    uint64_t there = vf_load_relaxed(&lane->left); /* the swap tells whether it is still so */
    *left = there;
    if (VF_UNLIKELY(there - 1 >= VF_RUN_ENDED - 1)) /* nothing, or ended */
        return 0;
    n = n < there ? n : there;
    /* relaxed: only that a flip has not ended the run. It fails but once; not weak, since the push
       must not go behind slots that are left */
    return vf_cas_strong_relaxed(&lane->left, &there, there - n) ? n : 0;
}

VF_NAMES_END

#endif
