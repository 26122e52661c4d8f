/*
 * test_stack.c - tagged references: the arithmetic of the head word.
 */
#include "test_common.h"

#include "stack.h"

/* Indices of this many bits; the tag has the rest. */
static uint32_t mask_of(unsigned bits)
{
    return (UINT32_C(1) << bits) - 1;
}

static uint64_t head_of(uint64_t tag, uint32_t index, unsigned bits)
{
    return tag << bits | index;
}

Test(stack_head, is_index_and_tag)
{
    check_equal(vf_head_index(head_of(5, 9, 24), mask_of(24)), 9);
    check_equal(vf_head_index(head_of(5, 0, 24), mask_of(24)), 0);
    for (unsigned bits = 1; bits <= 31; bits++)
        check_equal(vf_head_index(UINT64_MAX, mask_of(bits)), mask_of(bits));
}

Test(stack_head, a_push_keeps_the_tag)
{
    for (unsigned bits = 1; bits <= 31; bits++) {
        uint32_t mask = mask_of(bits);
        check_equal(vf_head_push(head_of(1, 0, bits), mask, mask), head_of(1, mask, bits));
        check_equal(vf_head_push(head_of(1, mask, bits), 0, mask), head_of(1, 0, bits));
        check_equal(vf_head_push(UINT64_MAX, 1, mask), head_of(UINT64_MAX, 1, bits));
    }
}

Test(stack_head, a_pop_always_changes_it)
{
    for (unsigned bits = 1; bits <= 31; bits++) {
        uint64_t head = head_of(0, 1, bits);
        for (int i = 0; i < 1000; i++) {
            uint64_t next = vf_head_pop(head, 1, mask_of(bits));
            cr_assert(next != head);
            check_equal(vf_head_index(next, mask_of(bits)), 1);
            head = next;
        }
    }
}

Test(stack_head, the_tag_counts_pops_and_comes_round)
{
    uint64_t last = (UINT64_C(1) << 40) - 1;
    check_equal(vf_head_pop(head_of(7, 3, 24), 2, mask_of(24)), head_of(8, 2, 24));
    check_equal(vf_head_pop(head_of(last - 1, 3, 24), 2, mask_of(24)), head_of(last, 2, 24));
    check_equal(vf_head_pop(head_of(last, 3, 24), 2, mask_of(24)), head_of(0, 2, 24));
    check_equal(vf_head_pop(UINT64_MAX, 1, mask_of(31)), 1);
}
