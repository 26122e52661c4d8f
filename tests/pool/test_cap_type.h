/* SPDX-License-Identifier: MIT */
/*
 * test_cap_type.h - one test for capped pools of a type: TYPE, N and NAME as VF_T, VF_N, VF_NAME.
 */
#define VF_T    TYPE
#define VF_N    N
#define VF_NAME NAME
#include <veryfast/pool.h>

#define CALL(function) VF_CAT(NAME, function)

/* So many, and not one more; and again after all, and after each single one, was freed. */
static void CALL(_check_cap)(size_t cap)
{
    test_allocator cap_allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&cap_allocator),
                               .max_objects = cap};
    NAME *pool = CALL(_new)(&options);
    cr_assert(pool != NULL);
    TYPE **objects = test_memory(cap + 1, sizeof *objects);
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < cap; i++) {
            objects[i] = CALL(_alloc)(pool);
            cr_assert(objects[i] != NULL, "object %zu of %zu was refused", i + 1, cap);
            memset(objects[i], 0, sizeof(TYPE)); /* is it memory of its own? */
        }
        check_refused(ENOMEM, CALL(_alloc)(pool) == NULL);
        CALL(_free)(pool, objects[cap / 2]);
        objects[cap / 2] = CALL(_alloc)(pool);
        cr_assert(objects[cap / 2] != NULL);
        check_refused(ENOMEM, CALL(_alloc_n)(pool, objects + cap, 1) == 0);
        vf_pool_stats stats = CALL(_stats)(pool);
        check_sums(stats, &cap_allocator);
        check_equal(stats.live, cap);
        check_equal(stats.capacity, cap);
        check_equal(stats.batches * N >= cap, true);
        cr_assert(all_apart(objects, cap, sizeof(TYPE)));
        CALL(_free_n)(pool, objects, cap);
        check_equal(CALL(_stats)(pool).live, 0);
    }
    free(objects);
    CALL(_release)(pool);
    check_all_back(&cap_allocator);
}

Test(cap_is_exact, NAME)
{
    static const size_t caps[] = {1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 100, 1000, 4097};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
        CALL(_check_cap)(caps[i]);
}

#undef CALL
#undef TYPE
#undef N
#undef NAME
