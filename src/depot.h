/*
 * depot.h - push and pop of magazines on the depot's stacks.
 */
#ifndef VF_DEPOT_H
#define VF_DEPOT_H

#include "pool.h"

/*
 * Takes up to most magazines off the top, chained by their links as they were: the first is
 * returned, *taken says how many. NULL where the stack is empty. Lock-free.
 */
static inline vf_magazine *vf_stack_pop(vf_depot *depot, vf_stack *stack, uint32_t most,
                                        uint32_t *taken)
{
    for (;;) {
        /* acquire: pairs with the release of the swap in vf_stack_push. It makes visible what
           whoever pushed a magazine did to it before; pushes and pops in between are
           read-modify-writes and so continue that release. */
        uint64_t head = vf_load_acquire(&stack->head);
        uint32_t index = vf_head_index(head, VF_STACK_INDEX_MASK);
        if (index == 0)
            return NULL;
        vf_magazine *first = vf_magazine_at(depot, index);
        /* acquire: pairs with the release of the link in vf_stack_push. A link may be stale, if
           others popped its magazine meanwhile; then the tag has changed and the swap fails. But
           it is followed before that, so what it leads to must be visible. */
        uint32_t below = vf_load_acquire(&first->link);
        uint32_t n = 1;
        for (; n < most && below != 0; n++)
            below = vf_load_acquire(&vf_magazine_at(depot, below)->link);
        /* relaxed: if it succeeds, the head is the one that was acquired, since its tag is */
        if (vf_cas_weak_relaxed(&stack->head, &head,
                                vf_head_pop(head, below, VF_STACK_INDEX_MASK))) {
            *taken = n;
            return first;
        }
    }
}

/* Puts first .. last, chained by their links, on top. Lock-free. */
static inline void vf_stack_push(vf_stack *stack, vf_magazine *first, vf_magazine *last)
{
    for (;;) {
        /* acquire: pairs with the swap below, for the sake of those who follow the link */
        uint64_t head = vf_load_acquire(&stack->head);
        /* release: pairs with the acquire of links in vf_stack_pop */
        vf_store_release(&last->link, vf_head_index(head, VF_STACK_INDEX_MASK));
        /* release: pairs with the acquire of heads */
        if (vf_cas_weak_release(&stack->head, &head,
                                vf_head_push(head, first->index, VF_STACK_INDEX_MASK)))
            return;
    }
}

/* What one looks for on the shelves. */
enum vf_kind_of_magazine { VF_FULL, VF_EMPTY };

/* Up to most magazines, chained, from the first shelf that has any; NULL where none has. One that
   is put on a shelf behind this search is not found: then the pool grows sooner than it must. */
static inline vf_magazine *vf_shelves_pop(vf_depot *depot, enum vf_kind_of_magazine kind,
                                          uint32_t shelf, uint32_t most, uint32_t *taken)
{
    vf_magazine *first = NULL;
    for (uint32_t i = 0; i < VF_SHELVES && first == NULL; i++) {
        vf_shelf *next = &depot->shelves[(shelf + i) % VF_SHELVES];
        first = vf_stack_pop(depot, kind == VF_FULL ? &next->full : &next->empty, most, taken);
    }
    return first;
}

#endif
