/*
 * test_magazine.c - magazines have numbers, and the directory finds each by its number.
 */
#include "test_common.h"

#include "depot.h"

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

/* So many that the directory has several levels: 64 * 8 magazines in the first, twice as many in
   each further one. */
enum { COUNT = 40000 };

static vf_magazine *made[COUNT];
static test_allocator allocator;
static pool_int_64 *owner;
static vf_pool *pool;

static void setup(void)
{
    allocator = (test_allocator){0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    owner = pool_int_64_new(&options);
    cr_assert(owner != NULL);
    pool = vf_pool_whole(&owner->core);
}

static void teardown(void)
{
    pool_int_64_release(owner);
    check_all_back(&allocator);
}

Test(magazine, is_found_by_its_number, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < COUNT; i++) {
        made[i] = vf_magazine_new(pool, 0);
        cr_assert(made[i] != NULL);
        cr_assert(made[i]->index != 0 && made[i]->index < VF_MAGAZINES_MAX);
        check_equal(made[i]->count, 0);
        cr_assert(vf_magazine_at(&pool->depot, made[i]->index) == made[i]);
    }
    for (size_t i = 0; i < COUNT; i++) /* nothing has moved meanwhile */
        cr_assert(vf_magazine_at(&pool->depot, made[i]->index) == made[i]);
    cr_assert(all_apart(made, COUNT, sizeof(vf_magazine)));
}

Test(magazine, is_used_again_before_another_is_made, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 1000; i++)
        made[i] = vf_magazine_new(pool, 0);
    for (size_t i = 0; i < 1000; i++)
        vf_stack_push(&pool->depot.shelves[0].empty, made[i], made[i]);
    size_t calls = allocator.calls;
    for (size_t i = 0; i < 1000; i++)
        cr_assert(vf_magazine_new(pool, 0) != NULL);
    check_equal(allocator.calls, calls);
}

Test(magazine, costs_little_more_than_its_size, .init = setup, .fini = teardown)
{
    size_t before = allocator.bytes;
    for (size_t i = 0; i < COUNT; i++)
        cr_assert(vf_magazine_new(pool, 0) != NULL);
    double each = (double)(allocator.bytes - before) / (double)COUNT;
    cr_assert(each / 64 < 8.5, "%g bytes a magazine, %g a slot", each, each / 64);
}

Test(magazine, that_cannot_be_had_leaves_no_trace, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 3000;) {
        size_t bytes = allocator.bytes;
        uint32_t made_before = pool->depot.made;
        allocator.fail_at = allocator.calls + 1;
        made[i] = vf_magazine_new(pool, 0);
        if (made[i] == NULL) {
            check_equal(allocator.bytes, bytes);
            check_equal(pool->depot.made, made_before);
            made[i] = vf_magazine_new(pool, 0);
        }
        cr_assert(made[i] != NULL);
        i++;
    }
    cr_assert(all_apart(made, 3000, sizeof(vf_magazine)));
}
