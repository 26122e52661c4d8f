/* SPDX-License-Identifier: MIT */
/*
 * test_pool_type.h - one test for a pool of any type, stamped out per type like the pool itself.
 *
 * Parameters: TYPE, N and NAME as VF_T, VF_N and VF_NAME; STRIDE, the bytes from one object to the
 * next that these must give, and ALIGNMENT, of which each address must be a multiple. The pool's
 * optional parameters are given as they are.
 */
#define VF_T    TYPE
#define VF_N    N
#define VF_NAME NAME
#include <veryfast/pool.h>

#define CALL(function) VF_CAT(NAME, function)
#define COUNT          1000

Test(pool_types, NAME)
{
    test_allocator allocator = {0};
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator)};
    NAME *pool = CALL(_new)(&options);
    cr_assert(pool != NULL);

    TYPE *objects[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        objects[i] = CALL(_alloc)(pool);
        cr_assert(objects[i] != NULL);
        check_equal((uintptr_t)objects[i] % ALIGNMENT, 0);
        memset(objects[i], (int)i, sizeof(TYPE));
    }
    for (size_t i = 0; i < COUNT; i++) {
        unsigned char *bytes = (unsigned char *)objects[i];
        cr_assert(bytes[0] == (unsigned char)i && bytes[sizeof(TYPE) - 1] == (unsigned char)i);
    }

    vf_pool_stats stats = CALL(_stats)(pool);
    check_sums(stats, &allocator);
#ifndef VF_CHECKED
    check_equal(stats.stride, STRIDE);
#endif
    check_equal(stats.batch_objects, N);
    check_equal(stats.live, COUNT);
    check_equal(stats.capacity, stats.batches * N);

    CALL(_free_n)(pool, objects, COUNT / 2);
    for (size_t i = COUNT / 2; i < COUNT; i++)
        CALL(_free)(pool, objects[i]);
    check_equal(CALL(_alloc_n)(pool, objects, COUNT), COUNT);
    cr_assert(all_apart(objects, COUNT, STRIDE));
    vf_pool_stats again = CALL(_stats)(pool);
    check_equal(again.capacity, stats.capacity); /* the same slots, and no new ones */
    CALL(_free_n)(pool, objects, COUNT);
    CALL(_release)(pool);
    check_all_back(&allocator);
}

#undef CALL
#undef COUNT
#undef TYPE
#undef N
#undef NAME
#undef STRIDE
#undef ALIGNMENT
