/* SPDX-License-Identifier: MIT */
/*
 * test_shared.c - P_shared: one pool for the whole program, whoever asks first.
 */
#include <pthread.h>

#include <veryfast/detail/pool_core.h>

#include "support/barrier.h"
#include "test_common.h"

#define VF_T    long
#define VF_N    50
#define VF_NAME numbers
#define VF_SHARED
#include <veryfast/pool.h>

#define VF_T    long
#define VF_N    50
#define VF_NAME others
#define VF_SHARED
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define THREADS 8

static pthread_barrier_t together;

static void *ask(void *argument)
{
    pthread_barrier_wait(&together);
    numbers *pool = numbers_shared();
    *(numbers **)argument = pool;
    long *number = numbers_push(pool, 5);
    cr_assert(number != NULL && *number == 5);
    numbers_free(pool, number);
    return NULL;
}

Test(shared, all_threads_get_the_same)
{
    pthread_t threads[THREADS];
    numbers *pools[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, ask, &pools[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        cr_assert(pools[i] != NULL && pools[i] == pools[0]);
    cr_assert(numbers_shared() == pools[0]);
    check_equal(numbers_stats(pools[0]).live, 0);
}

Test(shared, each_instance_has_its_own)
{
    errno = 77;
    cr_assert((void *)numbers_shared() != (void *)others_shared());
    cr_assert(errno == 77);
    long *number = others_alloc(others_shared());
    cr_assert(others_owns(others_shared(), number) && !numbers_owns(numbers_shared(), number));
    vf_free(number);
    check_equal(others_stats(others_shared()).live, 0);
}

/* As another file does. In a checked build one name must not have two sets of parameters. */
Test(shared, it_is_one_for_each_set_of_parameters)
{
    vf_pool_type type = {.interface_kind = &vf_interface_1,
                         .name = "numbers",
                         .object_size = sizeof(long),
                         .alignment = _Alignof(long),
                         .batch_objects = 50};
#ifdef VF_CHECKED
    cr_assert((numbers *)vf_checked_shared(&type, NULL) == numbers_shared());
#else
    cr_assert((numbers *)vf_pool_core_shared(&type) == numbers_shared());
    type.batch_objects = 51;
    vf_pool_core *other = vf_pool_core_shared(&type);
    cr_assert(other != NULL && other != (vf_pool_core *)numbers_shared());
    cr_assert(vf_pool_core_shared(&type) == other);
    type.name = "numbers_";
    cr_assert(vf_pool_core_shared(&type) != other);
#endif
}
