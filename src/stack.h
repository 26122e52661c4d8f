/*
 * stack.h - tagged references: the head word of a lock-free stack whose nodes have numbers.
 *
 *     63                      n n-1             0
 *     +------------------------+----------------+
 *     |  tag                   |  index of top  |      index 0: empty
 *     +------------------------+----------------+
 *
 * The nodes and their links live elsewhere. A pop reads the top's link, then swaps the head for
 * that link; if the top was popped and pushed back in between, the link is stale and the swap must
 * fail. So each removal changes the tag, and no removal forgets to. A push may keep it: the word
 * is read whole, and to show an index again it must have been removed (in a head read in two
 * parts this would not do).
 *
 * The index has as few bits as the stack needs (capped.c), the tag has the rest: 33 at least. It
 * repeats after 2^33 removals, during which the one thread must be stopped between two
 * instructions: three minutes at 50 million a second, for a cap of 2^30 objects; days for one of a
 * million. Treiber's stack (1986) with a counter (IBM System/370, appendix A).
 *
 * 64 bits, because that compare-and-swap is an instruction everywhere that matters; an index,
 * because a pointer has no bits to spare (5-level paging, ARM's top byte, CHERI).
 */
#ifndef VF_STACK_H
#define VF_STACK_H

#include <stdint.h>

/* Narrower only to see tests/stress_aba.c fail. */
#ifndef VF_TAG_BITS
#    define VF_TAG_BITS 40
#endif

typedef struct vf_stack {
    _Alignas(8) uint64_t head; /* atomic; clang -m32 needs the alignment for an inline swap */
} vf_stack;

/* The mask that tells an index from the tag has all bits of an index set. */
static inline uint32_t vf_head_index(uint64_t head, uint32_t index_mask)
{
    return (uint32_t)head & index_mask;
}

/* The head with another top, where nothing is removed. */
static inline uint64_t vf_head_push(uint64_t head, uint32_t top, uint32_t index_mask)
{
    return (head & ~(uint64_t)index_mask) | top;
}

/* The head with another top, where something is removed. */
static inline uint64_t vf_head_pop(uint64_t head, uint32_t top, uint32_t index_mask)
{
    uint64_t one = (uint64_t)index_mask + 1;
    uint64_t tag = (head & ~(uint64_t)index_mask) + one;
#if VF_TAG_BITS < 40
    tag &= (one << VF_TAG_BITS) - 1;
#endif
    return tag | top;
}

#endif
