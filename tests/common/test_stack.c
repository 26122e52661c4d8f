/* SPDX-License-Identifier: MIT */
/*
 * test_stack.c - the lock-free stack: the arithmetic of its head word, and what a push and a pop
 * do.
 */
#include "support/threads.h"
#include "test_common.h"

#include "common/stack.h"

/* A stack whose indices have so many bits; the tag has the rest. */
static const vf_stack *stack_of(unsigned bits)
{
    static vf_stack stack;
    stack.mask = (UINT32_C(1) << bits) - 1;
    return &stack;
}

static uint64_t head_of(uint64_t tag, uint32_t index, unsigned bits)
{
    return tag << bits | index;
}

Test(stack_head, is_index_and_tag)
{
    check_equal(vf_stack_top(stack_of(24), head_of(5, 9, 24)), 9);
    check_equal(vf_stack_top(stack_of(24), head_of(5, 0, 24)), 0);
    for (unsigned bits = 1; bits <= 31; bits++)
        check_equal(vf_stack_top(stack_of(bits), UINT64_MAX), stack_of(bits)->mask);
}

Test(stack_head, a_push_keeps_the_tag)
{
    for (unsigned bits = 1; bits <= 31; bits++) {
        const vf_stack *stack = stack_of(bits);
        uint32_t mask = stack->mask;
        check_equal(vf_stack_pushed(stack, head_of(1, 0, bits), mask), head_of(1, mask, bits));
        check_equal(vf_stack_pushed(stack, head_of(1, mask, bits), 0), head_of(1, 0, bits));
        check_equal(vf_stack_pushed(stack, UINT64_MAX, 1), head_of(UINT64_MAX, 1, bits));
    }
}

Test(stack_head, a_pop_always_changes_it)
{
    for (unsigned bits = 1; bits <= 31; bits++) {
        uint64_t head = head_of(0, 1, bits);
        for (int i = 0; i < 1000; i++) {
            uint64_t next = vf_stack_popped(stack_of(bits), head, 1);
            cr_assert(next != head);
            check_equal(vf_stack_top(stack_of(bits), next), 1);
            head = next;
        }
    }
}

Test(stack_head, the_tag_counts_pops_and_wraps_around)
{
    uint64_t last = (UINT64_C(1) << 40) - 1;
    check_equal(vf_stack_popped(stack_of(24), head_of(7, 3, 24), 2), head_of(8, 2, 24));
    check_equal(vf_stack_popped(stack_of(24), head_of(last - 1, 3, 24), 2), head_of(last, 2, 24));
    check_equal(vf_stack_popped(stack_of(24), head_of(last, 3, 24), 2), head_of(0, 2, 24));
    check_equal(vf_stack_popped(stack_of(31), UINT64_MAX, 1), 1);
}

/* ---- a stack of a few nodes ---- */

#define NODES 6

static uint32_t *link_of(void *context, uint32_t index)
{
    cr_assert(index >= 1 && index <= NODES);
    return (uint32_t *)context + index;
}

Test(stack, gives_back_what_was_pushed_last)
{
    uint32_t links[NODES + 1];
    vf_stack stack;
    vf_stack_init(&stack, NODES);
    check_equal(stack.mask, 7);
    check_equal(vf_stack_pop(&stack, link_of, links), 0);
    for (uint32_t i = 1; i <= NODES; i++)
        cr_assert(vf_stack_push(&stack, i, link_of, links));
    for (uint32_t i = NODES; i >= 1; i--)
        check_equal(vf_stack_pop(&stack, link_of, links), i);
    check_equal(vf_stack_pop(&stack, link_of, links), 0);
}

Test(stack, that_is_closed_takes_and_gives_nothing)
{
    uint32_t links[NODES + 1];
    vf_stack stack;
    vf_stack_init(&stack, NODES);
    cr_assert(vf_stack_push(&stack, 3, link_of, links) && !vf_stack_is_closed(&stack));
    check_equal(vf_stack_top(&stack, vf_stack_close(&stack)), 3);
    cr_assert(vf_stack_is_closed(&stack) && !vf_stack_push(&stack, 4, link_of, links));
    check_equal(vf_stack_pop(&stack, link_of, links), 0);
}

/* The mask is larger than every index, so that it can stand for a closed stack. */
Test(stack, has_a_mask_above_all_indices)
{
    vf_stack stack;
    for (uint32_t most = 1; most < 70000; most++) {
        vf_stack_init(&stack, most);
        cr_assert(stack.mask > most && (stack.mask & (stack.mask + 1)) == 0);
    }
    vf_stack_init(&stack, UINT32_C(1) << 30);
    check_equal(stack.mask, (UINT32_C(1) << 31) - 1);
}

/* The tag wraps around in the middle of it all: what is pushed comes back, and no head is seen
   twice in a row. */
Test(stack, goes_on_where_its_tag_wraps_around)
{
    for (uint32_t most = 1; most <= NODES; most++) {
        uint32_t links[NODES + 1], model[NODES], out[NODES];
        size_t stacked = 0, held = 0;
        uint64_t random = most;
        vf_stack stack;
        vf_stack_init(&stack, most);
        stack.head = ~(uint64_t)stack.mask - 4 * ((uint64_t)stack.mask + 1); /* four pops before */
        for (uint32_t i = 1; i <= most; i++)
            out[held++] = i;
        for (size_t turn = 0; turn < 10000; turn++) {
            if (held > 0 && test_random_below(&random, 2) == 0) {
                cr_assert(vf_stack_push(&stack, out[--held], link_of, links));
                model[stacked++] = out[held];
                continue;
            }
            uint64_t before = stack.head;
            uint32_t index = vf_stack_pop(&stack, link_of, links);
            check_equal(index, stacked > 0 ? model[--stacked] : 0);
            cr_assert(index == 0 || stack.head != before);
            if (index != 0)
                out[held++] = index;
        }
        while (stacked > 0)
            check_equal(vf_stack_pop(&stack, link_of, links), model[--stacked]);
        check_equal(vf_stack_pop(&stack, link_of, links), 0);
    }
}
