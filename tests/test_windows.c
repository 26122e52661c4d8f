/* SPDX-License-Identifier: MIT */
/*
 * test_windows.c - threads that Windows makes, and its C library, without pthread_create: what they
 * have comes back when they end, and the next one goes on with it.
 */
#include <process.h>
#include <windows.h>

#include "test_common.h"

#define VF_T    long
#define VF_N    100
#define VF_NAME longs
#include <veryfast/pool.h>

enum { OBJECTS = 50, THREADS = 200 };

static longs *pool;
static size_t cached; /* while the thread was there */

static void use_pool(void)
{
    long *objects[OBJECTS];
    for (long i = 0; i < OBJECTS; i++)
        cr_assert((objects[i] = longs_push(pool, i)) != NULL);
    for (long i = 0; i < OBJECTS; i++)
        cr_assert(longs_take(pool, objects[i]) == i);
    cached = longs_stats(pool).cached;
}

static DWORD WINAPI of_the_system(void *none)
{
    (void)none;
    use_pool();
    return 0;
}

static unsigned __stdcall of_the_c_library(void *none)
{
    (void)none;
    use_pool();
    return 0;
}

static void wait_for_end(HANDLE thread)
{
    cr_assert(thread != NULL);
    cr_assert(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
    CloseHandle(thread);
    cr_assert(cached >= OBJECTS, "the thread had no cache");
    vf_pool_stats stats = longs_stats(pool);
    check_equal(stats.cached, 0); /* all of it is back */
    check_equal(stats.live, 0);
    check_equal(stats.batches, 1);
}

Test(windows, threads_give_back_what_they_have)
{
    cr_assert((pool = longs_new(NULL)) != NULL);
    for (size_t i = 0; i < THREADS; i++) {
        cached = 0;
        if (i % 2 == 0)
            wait_for_end(CreateThread(NULL, 0, of_the_system, NULL, 0, NULL));
        else
            wait_for_end((HANDLE)_beginthreadex(NULL, 0, of_the_c_library, NULL, 0, NULL));
    }
    longs_release(pool);
}
