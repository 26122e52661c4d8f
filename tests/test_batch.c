/*
 * test_batch.c - batches: how they are carved, which one an address is of, and where free slots
 * stay for which there is no magazine.
 */
#include "support/threads.h"
#include "test_common.h"

#include "pool.h"

#define VF_T short
#define VF_N 100
#include <veryfast/pool.h>

enum { MOST = 20000 };

static void *slots[MOST];
static test_allocator allocator;
static pool_short_100 *owner;
static vf_pool *pool;

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    owner = pool_short_100_new(&options);
    cr_assert(owner != NULL);
    pool = vf_pool_whole(&owner->core);
}

/* Slots that were carved here are in no cache and nobody's: they do not count. */
static void teardown(void)
{
    pool_short_100_release(owner);
    check_all_back(&allocator);
}

static void carve(size_t n)
{
    for (size_t i = 0; i < n;)
        i += vf_batch_carve(pool, slots + i, n - i);
}

Test(batch, is_carved_from_the_lowest_address_on, .init = setup, .fini = teardown)
{
    check_equal(vf_batch_carve(pool, slots, 64), 64);
    char *base = slots[63];
    for (size_t i = 0; i < 64; i++) /* the last one is the first to be handed out */
        cr_assert((char *)slots[63 - i] == base + 2 * i);
    check_equal(vf_batch_carve(pool, slots, 64), 36); /* what is left of 100 */
    cr_assert((char *)slots[35] == base + 2 * 64 && (char *)slots[0] == base + 2 * 99);
    check_equal(pool->batches.count, 1);
    check_equal(vf_batch_carve(pool, slots, 10), 10); /* of another batch */
    check_equal(pool->batches.count, 2);
    check_equal(vf_batches_fresh(pool), 90);
}

Test(batch, is_not_touched_by_carving, .init = setup, .fini = teardown)
{
    carve(MOST);
    for (size_t i = 0; i < MOST; i++)
        cr_assert(memcmp(slots[i], "\xA5\xA5", 2) == 0);
    cr_assert(all_apart(slots, MOST, 2));
}

static char *base_of(size_t place)
{
    return vf_batch_base(pool, pool->batches.table[place]);
}

Test(batch, is_found_by_each_of_its_slots, .init = setup, .fini = teardown)
{
    check_equal(vf_batch_find(pool, slots), 0); /* there is none yet: count is 0 */
    carve(MOST / 2);
    for (size_t i = 0; i < MOST; i++) {
        if (i == MOST / 2)
            carve(MOST / 2); /* more of them, after the table was sorted */
        char *slot = slots[i % (MOST / 2)];
        size_t place = vf_batch_find(pool, slot);
        cr_assert(place < pool->batches.count);
        cr_assert(slot >= base_of(place) && slot < base_of(place) + 200);
    }
    check_equal(pool->batches.count, MOST / 100);
}

Test(batch, is_not_found_by_what_is_no_slot, .init = setup, .fini = teardown)
{
    carve(MOST);
    size_t none = pool->batches.count;
    check_equal(vf_batch_find(pool, NULL), none);
    check_equal(vf_batch_find(pool, &none), none);
    check_equal(vf_batch_find(pool, pool), none);
    check_equal(vf_batch_find(pool, (void *)UINTPTR_MAX), none);
    for (size_t i = 0; i < none; i++) {
        check_equal(vf_batch_find(pool, base_of(i) - 1), none);
        check_equal(vf_batch_find(pool, pool->batches.table[i]), none);
        check_equal(vf_batch_find(pool, base_of(i)), i);
        check_equal(vf_batch_find(pool, base_of(i) + 199), i);
    }
}

/* Strays: what goes in comes out, once, in any order, in parts of any size. */
Test(stray, comes_back_once, .init = setup, .fini = teardown)
{
    static void *back[MOST];
    static void *all[MOST];
    uint64_t random = 1;
    carve(MOST);
    memcpy(all, slots, sizeof all);
    cr_assert(all_apart(all, MOST, 2));
    for (int turn = 0; turn < 10; turn++) {
        for (size_t i = MOST - 1; i > 0; i--) {
            size_t j = test_random_below(&random, i + 1);
            void *other = slots[i];
            slots[i] = slots[j];
            slots[j] = other;
        }
        size_t in = 0;
        size_t out = 0;
        while (out < MOST) {
            for (size_t n = test_random_below(&random, 500); n > 0 && in < MOST; n--)
                vf_stray_put(pool, slots[in++]);
            out += vf_stray_get(pool, back + out, 1 + test_random_below(&random, 400));
            check_equal(pool->batches.strays, in - out);
        }
        check_equal(vf_stray_get(pool, back, 1), 0);
        memcpy(slots, back, sizeof slots);
        qsort(back, MOST, sizeof *back, by_address);
        cr_assert(memcmp(back, all, sizeof all) == 0);
    }
}
