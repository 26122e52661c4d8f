/* SPDX-License-Identifier: MIT */
/*
 * test_misuse_epoch.c - misuse of objects that are freed after a grace period.
 */
#include "misuse.h"

#define VF_T       long
#define VF_N       64
#define VF_NAME    numbers
#define VF_DROP(p) (*(p) = -1)
#define VF_EPOCH
#include <veryfast/pool.h>

static numbers *pool;
static long *object;

static void setup(void)
{
    vf_checked_quarantine(256 << 10);
    vf_checked_keep_contents(false);
    pool = numbers_new(NULL);
    cr_assert(pool != NULL);
    object = numbers_push(pool, 5);
    cr_assert(object != NULL && numbers_free_deferred(pool, object));
}

static void teardown(void)
{
    numbers_destroy(pool);
}

SCENE(frees_what_is_deferred)
{
    numbers_free(pool, object);
}

SCENE(defers_twice)
{
    (void)numbers_free_deferred(pool, object);
}

SCENE(frees_what_was_deferred)
{
    numbers_free(pool, object);
}

SCENE(takes_what_was_deferred)
{
    (void)numbers_take(pool, object);
}

#ifndef VF_BYPASS /* which fills nothing */
SCENE(writes_to_what_was_deferred)
{
    *object = 6;
    for (int i = 0; i < 1000; i++) /* not P_destroy, which would wait for liburcu, in a child */
        (void)numbers_alloc(pool);
}
#endif

Test(misuse_epoch, before_the_grace_period_ends, .init = setup, .fini = teardown)
{
    check_stops(frees_what_is_deferred, "numbers", ": free of deferred object 0x");
    check_stops(defers_twice, "numbers", ": free of deferred object 0x");
}

Test(misuse_epoch, after_the_grace_period, .init = setup, .fini = teardown)
{
    numbers_epoch_barrier(pool);
    check_stops(frees_what_was_deferred, "numbers", ": double free of 0x");
    check_stops(takes_what_was_deferred, "numbers", ": double free of 0x");
#ifndef VF_BYPASS
    check_stops(writes_to_what_was_deferred, "numbers", ": write to freed object 0x");
#endif
}

#ifndef VF_BYPASS
/* Readers find it as it was, then VF_DROP runs, then the fill is there. */
Test(misuse_epoch, objects_stay_whole_for_their_readers)
{
    setup();
    numbers_epoch_barrier(pool);
    for (size_t i = 0; i < sizeof *object; i++) /* not memcmp, which sanitizers look at */
        check_equal(((const volatile unsigned char *)object)[i], 0xDD);
    teardown();
}
#endif
