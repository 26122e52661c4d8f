/* SPDX-License-Identifier: MIT */
/*
 * test_hooks.c - VF_ON_ALLOC and VF_ON_FREE see each object once, by whichever call it goes.
 */
#include "test_common.h"

#define MOST 200

static long *out[MOST]; /* what the hooks have seen go and not come back */
static size_t count, given, taken, dropped;

static void on_alloc(long *object)
{
    cr_assert(count < MOST);
    out[count++] = object;
    given++;
}

static void on_free(long *object)
{
    size_t i = 0;
    while (i < count && out[i] != object)
        i++;
    cr_assert(i < count, "an object comes back that was not given, or twice");
    out[i] = out[--count];
    taken++;
}

static void drop(long *object)
{
    cr_assert(taken == dropped, "VF_ON_FREE has not run behind VF_DROP");
    dropped++;
    *object = -1;
}

#define VF_T           long
#define VF_N           16
#define VF_NAME        hooked
#define VF_DROP(p)     drop(p)
#define VF_ON_ALLOC(p) on_alloc(p)
#define VF_ON_FREE(p)  on_free(p)
#include <veryfast/pool.h>

#define VF_T           long
#define VF_N           16
#define VF_NAME        hooked_plain
#define VF_ON_ALLOC(p) on_alloc(p)
#define VF_ON_FREE(p)  on_free(p)
#include <veryfast/pool.h>

static void expect(size_t all_given, size_t all_taken)
{
    cr_assert(given == all_given);
    cr_assert(taken == all_taken);
    cr_assert(count == all_given - all_taken);
}

static void begin(void)
{
    count = given = taken = dropped = 0;
}

Test(hooks, every_way_out_and_back)
{
    begin();
    hooked *pool = hooked_new(NULL);
    long *objects[50];
    objects[0] = hooked_alloc(pool);
    objects[1] = hooked_push(pool, 7);
    cr_assert(*objects[1] == 7);
    expect(2, 0);
    cr_assert(hooked_alloc_n(pool, objects + 2, 48) == 48);
    expect(50, 0);
    hooked_free(pool, objects[0]);
    hooked_free(pool, NULL);
    expect(50, 1);
    dropped = 2; /* as if: a take drops nothing */
    cr_assert(hooked_take(pool, objects[1]) == 7);
    expect(50, 2);
    hooked_free_n(pool, objects + 2, 40);
    expect(50, 42);
    hooked_cache *cache = hooked_cache_new(pool);
    long *held = hooked_cache_alloc(cache);
    expect(51, 42);
    hooked_cache_free(cache, held);
    hooked_cache_release(cache);
    expect(51, 43);
    hooked_destroy(pool); /* takes the eight that are left */
    expect(51, 51);
    cr_assert(dropped == 51);
}

Test(hooks, nothing_was_given)
{
    begin();
    vf_pool_options options = {.max_objects = 3};
    hooked *pool = hooked_new(&options);
    long *objects[5];
    cr_assert(hooked_alloc_n(pool, objects, 5) == 3);
    cr_assert(hooked_alloc(pool) == NULL);
    cr_assert(hooked_push(pool, 1) == NULL);
    expect(3, 0);
    hooked_free_n(pool, objects, 3);
    hooked_release(pool);
    expect(3, 3);
}

Test(hooks, without_a_drop)
{
    begin();
    hooked_plain *pool = hooked_plain_new(NULL);
    long *objects[6];
    for (size_t i = 0; i < 6; i++)
        objects[i] = hooked_plain_push(pool, (long)i);
    hooked_plain_free(pool, objects[0]);
    hooked_plain_free_n(pool, objects + 1, 2);
    cr_assert(hooked_plain_take(pool, objects[3]) == 3);
    expect(6, 4);
    hooked_plain_destroy(pool);
    expect(6, 6);
}
