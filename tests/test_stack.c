/*
 * test_stack.c - tagged references: the arithmetic of the head word, and the depot's stacks.
 */
#include "test_common.h"

#include "depot.h"

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

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
    check_equal(VF_STACK_INDEX_MASK, mask_of(24));
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
    if (VF_TAG_BITS != 40)
        return; /* built to see stress_aba.c fail */
    uint64_t last = (UINT64_C(1) << 40) - 1;
    check_equal(vf_head_pop(head_of(7, 3, 24), 2, mask_of(24)), head_of(8, 2, 24));
    check_equal(vf_head_pop(head_of(last - 1, 3, 24), 2, mask_of(24)), head_of(last, 2, 24));
    check_equal(vf_head_pop(head_of(last, 3, 24), 2, mask_of(24)), head_of(0, 2, 24));
    check_equal(vf_head_pop(UINT64_MAX, 1, mask_of(31)), 1);
}

/* The stacks, in a pool's depot. */

static pool_int_64 *owner;
static vf_depot *depot;
static vf_magazine *magazines[20];

static void setup(void)
{
    owner = pool_int_64_new(NULL);
    vf_pool *pool = vf_pool_whole(&owner->core);
    depot = &pool->depot;
    for (size_t i = 0; i < 20; i++)
        magazines[i] = vf_magazine_new(pool, 0);
}

static void teardown(void)
{
    depot->shelves[0].full.head = 0; /* its magazines are empty, which no depot expects */
    pool_int_64_release(owner);
}

static vf_magazine *pop(uint32_t most, uint32_t expected)
{
    uint32_t taken = 0;
    vf_magazine *magazine = vf_stack_pop(depot, &depot->shelves[0].full, most, &taken);
    cr_assert(magazine != NULL);
    check_equal(taken, expected);
    return magazine;
}

Test(stack, the_last_one_in_is_the_first_one_out, .init = setup, .fini = teardown)
{
    uint32_t taken;
    cr_assert(vf_stack_pop(depot, &depot->shelves[0].full, 1, &taken) == NULL);
    for (size_t i = 0; i < 20; i++)
        vf_stack_push(&depot->shelves[0].full, magazines[i], magazines[i]);
    for (size_t i = 20; i-- > 0;)
        cr_assert(pop(1, 1) == magazines[i]);
    cr_assert(vf_stack_pop(depot, &depot->shelves[0].full, 1, &taken) == NULL);
}

/* magazines[from] ... magazines[to - 1], each linked to the next. */
static void push_chain(size_t from, size_t to)
{
    for (size_t i = from; i + 1 < to; i++)
        magazines[i]->link = magazines[i + 1]->index;
    vf_stack_push(&depot->shelves[0].full, magazines[from], magazines[to - 1]);
}

Test(stack, chains_are_pushed_and_popped_as_one, .init = setup, .fini = teardown)
{
    push_chain(0, 3);
    push_chain(3, 10);
    cr_assert(pop(2, 2) == magazines[3]);
    cr_assert(vf_magazine_at(depot, magazines[3]->link) == magazines[4]);
    cr_assert(pop(1, 1) == magazines[5]);
    cr_assert(pop(100, 7) == magazines[6]); /* as many as there are */
    for (size_t i = 6; i < 9; i++)
        cr_assert(vf_magazine_at(depot, magazines[i]->link) == magazines[i + 1]);
    cr_assert(vf_magazine_at(depot, magazines[9]->link) == magazines[0]);
    cr_assert(vf_magazine_at(depot, magazines[1]->link) == magazines[2]);
    uint32_t taken;
    cr_assert(vf_stack_pop(depot, &depot->shelves[0].full, 1, &taken) == NULL);
}

/* The ABA problem: the top is as it was, and yet a stale removal must fail. */
Test(stack, a_head_never_returns_to_what_it_was, .init = setup, .fini = teardown)
{
    push_chain(0, 3);
    uint64_t before = depot->shelves[0].full.head;
    pop(1, 1);
    pop(1, 1);
    vf_stack_push(&depot->shelves[0].full, magazines[0], magazines[0]);
    cr_assert(vf_head_index(before ^ depot->shelves[0].full.head, VF_STACK_INDEX_MASK) == 0);
    cr_assert(before != depot->shelves[0].full.head);
}
