/* SPDX-License-Identifier: MIT */
/*
 * test_home.c - which batch a cache refills from: its own before those of others, these before the
 * pool grows where much is free.
 */
#include "depot_pool.h"

#define MOST 1000

static void *slots[MOST];

static void leave(vf_home *home)
{
    vf_home_leave(&depot->batches, home);
}

static size_t number_of(const void *slot)
{
    return batch_of(slot)->number;
}

static bool is_claimed(size_t number)
{
    const vf_group *group = vf_batch_at(&depot->batches, number)->group;
    return (group->claimed >> number % VF_WORD_BITS & 1) != 0;
}

/* n slots for the home, one after the other, of which none may be of another batch than these
   two. */
static void take_of(vf_home *home, size_t n, size_t one, size_t other)
{
    for (size_t i = 0; i < n; i++) {
        void *slot;
        check_equal(vf_depot_refill(depot, home, &slot, 1), 1);
        cr_assert(number_of(slot) == one || number_of(slot) == other);
    }
}

Test(home, two_caches_refill_from_different_batches, .init = setup, .fini = teardown)
{
    vf_home one = {0}, other = {0};
    cr_assert(vf_depot_reserve(depot, 1000));
    check_equal(vf_depot_get(depot, &one, slots, 10), 10);
    check_equal(vf_depot_get(depot, &other, slots + 10, 10), 10);
    cr_assert(one.batch->number == 0 && one.claims.members == 1 && is_claimed(0));
    cr_assert(other.batch->number == 1 && other.claims.members == 2 && is_claimed(1));
    leave(&one);
    cr_assert(!is_claimed(0) && is_listed(0) && is_claimed(1));
    cr_assert(one.batch == NULL && one.claims.members == 0);
    leave(&other);
    cr_assert(!is_claimed(1));
}

/* Nor has a thread without a cache a claim behind its call. */
Test(home, a_single_slot_leaves_no_claim, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 250; i++)
        cr_assert((slots[i] = vf_depot_alloc(depot)) != NULL);
    for (size_t number = 0; number < 3; number++)
        cr_assert(!is_claimed(number));
}

/* Two that took turns, whose slots go back in no order: each comes back to what it had. */
Test(home, a_cache_comes_back_to_its_batches, .init = setup, .fini = teardown)
{
    vf_home one = {0}, other = {0};
    cr_assert(vf_depot_reserve(depot, 600));
    for (int turn = 0; turn < 5; turn++) {
        for (size_t i = 0; i < 600; i += 2) {
            check_equal(vf_depot_get(depot, &one, slots + i, 1), 1);
            check_equal(vf_depot_get(depot, &other, slots + i + 1, 1), 1);
        }
        for (size_t i = 0; i < 600; i++)
            check_equal(number_of(slots[i]) % 2, i % 2);
        for (size_t i = 0; i < 600; i++)
            vf_depot_put(depot, &slots[i * 7 % 600], 1);
    }
    check_equal(one.claims.members, 0x15);
    check_equal(other.claims.members, 0x2A);
    leave(&one);
    leave(&other);
}

/* Though it has free slots again, in front of those that are taken next. */
Test(home, a_cache_goes_on_behind_its_batch, .init = setup, .fini = teardown)
{
    vf_home home = {0};
    cr_assert(vf_depot_reserve(depot, 300));
    for (size_t number = 0; number < 6; number++) {
        check_equal(vf_depot_get(depot, &home, slots, 64), 64);
        check_equal(vf_depot_get(depot, &home, slots + 64, 64), 36);
        for (size_t i = 0; i < 100; i++)
            check_equal(number_of(slots[i]), number % 3);
        vf_depot_put(depot, slots, 100);
    }
    leave(&home);
}

/* A batch for each slot, so that there are groups: one that goes on to the next has no claim in
   the one before. */
Test(home, a_cache_has_claims_in_one_group, .init = setup_single, .fini = teardown_single)
{
    vf_home home = {0};
    cr_assert(vf_depot_reserve(depot, 2 * VF_WORD_BITS));
    for (size_t i = 0; i < VF_WORD_BITS; i++)
        check_equal(vf_depot_get(depot, &home, slots, 1), 1);
    const vf_group *group = vf_batch_at(&depot->batches, 0)->group;
    cr_assert(group->claimed == VF_WORD_ALL && home.claims.members == VF_WORD_ALL);
    check_equal(vf_depot_get(depot, &home, slots, 1), 1);
    check_equal(number_of(slots[0]), VF_WORD_BITS);
    cr_assert(group->claimed == 0 && home.claims.group != group && home.claims.members == 1);
    leave(&home);
}

/* Over the groups too: what lies behind its batch comes first, and round the end what lies before.
 */
Test(home, a_cache_goes_on_behind_its_group, .init = setup_single, .fini = teardown_single)
{
    vf_home home = {0};
    cr_assert(vf_depot_reserve(depot, 3 * VF_WORD_BITS));
    for (size_t i = 0; i < VF_WORD_BITS + 7; i++)
        check_equal(vf_depot_get(depot, &home, slots + i, 1), 1);
    const size_t at = VF_WORD_BITS + 6; /* home.batch */
    check_equal(home.batch->number, at);
    void *others[2 * VF_WORD_BITS - 7];
    vf_home other = {0};
    for (size_t i = 0; i < 2 * VF_WORD_BITS - 7; i++)
        check_equal(vf_depot_get(depot, &other, others + i, 1), 1);
    const size_t freed[] = {2 * VF_WORD_BITS + 1, VF_WORD_BITS + 1, at + 10, 5};
    const size_t found[] = {at + 10, 2 * VF_WORD_BITS + 1, 5, VF_WORD_BITS + 1};
    leave(&other);
    for (size_t i = 0; i < 4; i++)
        vf_depot_put(depot, freed[i] > at ? &others[freed[i] - at - 1] : &slots[freed[i]], 1);
    for (size_t i = 0; i < 4; i++) {
        void *slot;
        check_equal(vf_depot_get(depot, &home, &slot, 1), 1);
        check_equal(number_of(slot), found[i]);
    }
    leave(&home);
}

/* ---- batches of others ---- */

/* They come last; but before the pool grows, as long as more than an eighth of it is free. */
Test(home, a_claimed_batch_is_found_last, .init = setup, .fini = teardown)
{
    vf_home sleeper = {0}, home = {0};
    cr_assert(vf_depot_reserve(depot, 300));
    check_equal(vf_depot_get(depot, &sleeper, slots, 1), 1);
    take_of(&home, 200, 1, 2);
    take_of(&home, 99 - 38, 0, 0); /* of 300 slots, 37 are an eighth */
    check_equal(depot->batches.count, 3);
    cr_assert(home.batch == sleeper.batch && home.claims.members == 6);
    leave(&home); /* it would go on where it is */
    take_of(&home, 1, 0, 0);
    leave(&home);
    take_of(&home, 100, 3, 3);
    check_equal(depot->batches.count, 4);
    leave(&home);
    leave(&sleeper);
    cr_assert(depot->batches.root->claimed == 0);
}

/* Where there is no more memory, all is used, and the allocator is not asked each time. */
Test(home, takes_from_others_where_memory_was_refused, .init = setup, .fini = teardown)
{
    vf_home sleeper = {0}, home = {0};
    cr_assert(vf_depot_reserve(depot, 300));
    check_equal(vf_depot_get(depot, &sleeper, slots, 1), 1);
    take_of(&home, 200, 1, 2);
    allocator.refuse = true;
    for (size_t i = 0; i < 99; i++) {
        leave(&home);
        take_of(&home, 1, 0, 0);
    }
    check_equal(allocator.refused, 1);
    check_equal(vf_depot_refill(depot, &home, slots, 1), 0);
    check_equal(allocator.refused, 2);
    check_equal(depot->batches.count, 3);
    allocator.refuse = false; /* as before the refusal, from here on */
    take_of(&home, 100, 3, 3);
    cr_assert(!depot->refused);
    depot->refused = true;
    cr_assert(vf_depot_reserve(depot, 1) && !depot->refused);
    leave(&home);
    leave(&sleeper);
}

/* Nor does the pool grow where P_reserve has promised that the allocator is not asked. */
Test(home, takes_from_others_what_was_promised, .init = setup, .fini = teardown)
{
    vf_home sleeper = {0}, home = {0};
    cr_assert(vf_depot_reserve(depot, 100));
    check_equal(vf_depot_get(depot, &sleeper, slots, 90), 90);
    depot->promised = 10;
    take_of(&home, 10, 0, 0);
    check_equal(depot->promised, 0);
    check_equal(depot->batches.count, 1);
    leave(&home);
    leave(&sleeper);
}

/* ---- forks ---- */

/* The threads that had claims did not come along: also where the batch has no memory now. */
Test(home, a_child_has_no_claims, .init = setup, .fini = teardown)
{
    vf_home one = {0}, other = {0};
    cr_assert(vf_depot_reserve(depot, 200));
    check_equal(vf_depot_get(depot, &one, slots, 1), 1);
    check_equal(vf_depot_get(depot, &other, slots + 1, 1), 1);
    vf_depot_put(depot, slots, 2);
    pool_short_100_trim(owner);
    check_equal(depot->batches.held, 0);
    cr_assert(is_claimed(0) && is_claimed(1));
    vf_depot_after_fork(depot);
    cr_assert(!is_claimed(0) && !is_claimed(1));
}
