/* SPDX-License-Identifier: MIT */
/*
 * stack.h - a lock-free stack of nodes that have numbers, from 1 on. Its head is a tagged
 * reference:
 *
 *     63                      n n-1             0
 *     +------------------------+----------------+
 *     |  tag                   |  index of top  |      index 0: empty
 *     +------------------------+----------------+
 *
 * The nodes and their links live elsewhere. A pop reads the top's link, then swaps the head for
 * that link; if the top was popped and pushed back in between, the link is stale and the swap must
 * fail (the ABA problem). So each removal changes the tag, and no removal forgets to. A push may
 * keep it: the word is read whole, and to show an index again it must have been removed (in a head
 * that is read in two parts this would not do).
 *
 * The index has as few bits as the stack needs (capped.c), the tag has the rest: 33 at least. It
 * wraps around after 2^33 removals, during which the one thread must be stopped between two
 * instructions: three minutes at 50 million a second, for a cap of 2^30 objects; days for one of a
 * million. Treiber's stack (1986) with a counter (IBM System/370, appendix A).
 *
 * 64 bits, because that compare-and-swap is an instruction everywhere that matters; an index,
 * because a pointer has no bits to spare (5-level paging, ARM's top byte, CHERI).
 */
#ifndef VF_STACK_H
#define VF_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include <veryfast/detail/atomic.h>

/* Narrower only to see tests/stress/stress_aba.c fail. */
#ifndef VF_TAG_BITS
#    define VF_TAG_BITS 40
#endif

typedef struct vf_stack {
    _Alignas(8) uint64_t head; /* atomic; clang -m32 needs the alignment for an inline swap */
    uint32_t mask; /* constant: all bits that an index may have; as an index it is no node's */
} vf_stack;

/* The link of node `index`, atomic: the index of the node below. */
typedef uint32_t *vf_stack_link(void *context, uint32_t index);

/* For nodes 1 to `most`. */
static inline void vf_stack_init(vf_stack *stack, uint32_t most)
{
    *stack = (vf_stack){0, 1};
    while (stack->mask <= most)
        stack->mask = stack->mask << 1 | 1;
}

/* The index of the top; 0: empty. */
static inline uint32_t vf_stack_top(const vf_stack *stack, uint64_t head)
{
    return (uint32_t)head & stack->mask;
}

/* The head with another top, where nothing is removed. */
static inline uint64_t vf_stack_pushed(const vf_stack *stack, uint64_t head, uint32_t top)
{
    return (head & ~(uint64_t)stack->mask) | top;
}

/* The head with another top, where something is removed. */
static inline uint64_t vf_stack_popped(const vf_stack *stack, uint64_t head, uint32_t top)
{
    uint64_t one = (uint64_t)stack->mask + 1;
    uint64_t tag = (head & ~(uint64_t)stack->mask) + one;
#if VF_TAG_BITS < 40
    tag &= (one << VF_TAG_BITS) - 1;
#endif
    return tag | top;
}

/* Adds a node that is the caller's; false: the stack is closed. Lock-free; any thread. */
static inline bool vf_stack_push(vf_stack *stack, uint32_t index, vf_stack_link *link,
                                 void *context)
{
    uint32_t *own = link(context, index);
    uint64_t head = vf_load_relaxed(&stack->head);
    for (;;) {
        uint32_t top = vf_stack_top(stack, head);
        if (top == stack->mask)
            return false;
        vf_store_relaxed(own, top);
        /* release: pairs with the acquire in vf_stack_pop; and, as the last access to what may
           end with the stack, with the acquire in vf_stack_close */
        if (vf_cas_weak_release(&stack->head, &head, vf_stack_pushed(stack, head, index)))
            return true;
    }
}

/* Removes the top, which is the caller's then; 0: the stack is empty, or closed. Lock-free; any
   thread. */
static inline uint32_t vf_stack_pop(vf_stack *stack, vf_stack_link *link, void *context)
{
    for (;;) {
        /* acquire: pairs with the release in vf_stack_push: what was done to the node before, its
           link, its memory */
        uint64_t head = vf_load_acquire(&stack->head);
        uint32_t index = vf_stack_top(stack, head);
        if (index == 0 || index == stack->mask)
            return 0;
        /* relaxed: stale if others removed this index meanwhile; then the tag has changed */
        uint32_t below = vf_load_relaxed(link(context, index));
        /* relaxed: if it succeeds, the head is the one that was acquired */
        if (vf_cas_weak_relaxed(&stack->head, &head, vf_stack_popped(stack, head, below)))
            return index;
    }
}

/* Closes the stack: a push either came before, or is refused. The head before. */
static inline uint64_t vf_stack_close(vf_stack *stack)
{
    /* acq_rel: acquire pairs with the release in vf_stack_push */
    return vf_exchange_acq_rel(&stack->head, (uint64_t)stack->mask);
}

static inline bool vf_stack_is_closed(const vf_stack *stack)
{
    return vf_stack_top(stack, vf_load_relaxed(&stack->head)) == stack->mask; /* relaxed: a look */
}

#endif
