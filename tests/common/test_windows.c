/* SPDX-License-Identifier: MIT */
/*
 * test_windows.c - threads that Windows makes, and its C library, without pthread_create: what they
 * have comes back when they end, and the next one goes on with it. Callbacks at their ends, fibres.
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

enum { LATE = 20 };

static long *left[LATE]; /* what the last thread has allocated at its end */
static size_t late_calls;

/* A callback that calls when the library's own has run: its slot is a later one. */
static void NTAPI late(void *value)
{
    (void)value;
    for (long i = 0; i < LATE; i++) {
        longs_free(pool, left[i]);
        cr_assert((left[i] = longs_push(pool, i)) != NULL);
        longs_free(pool, longs_push(pool, i));
        late_calls++;
    }
}

static DWORD late_slot;

static DWORD WINAPI call_late(void *none)
{
    use_pool();
    FlsSetValue(late_slot, &late_slot);
    return none != NULL;
}

Test(windows, callbacks_at_a_threads_end_may_call)
{
    cr_assert((pool = longs_new(NULL)) != NULL);
    longs_free(pool, longs_push(pool, 1)); /* the library has its slot */
    vf_thread_flush();
    cr_assert((late_slot = FlsAlloc(late)) != FLS_OUT_OF_INDEXES);
    for (size_t i = 1; i <= THREADS; i++) {
        HANDLE thread = CreateThread(NULL, 0, call_late, NULL, 0, NULL);
        cr_assert(thread != NULL && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
        CloseHandle(thread);
        check_equal(late_calls, i * LATE);
        check_equal(longs_stats(pool).live, LATE);
        check_equal(longs_stats(pool).cached, 0); /* nothing is left with a thread that is gone */
    }
    for (size_t i = 0; i < LATE; i++)
        cr_assert(longs_take(pool, left[i]) == (long)i);
    FlsFree(late_slot);
    longs_release(pool);
}

/* ---- fibres ---- */

static void *main_fibre;

static void CALLBACK use_and_go_back(void *none)
{
    (void)none;
    use_pool();
    SwitchToFiber(main_fibre);
}

/* A thread's first call may come from a fibre, which then ends on another thread: what runs at its
   end there is no end of that thread, and of none that goes on. */
static DWORD WINAPI end_fibre(void *fibre)
{
    use_pool();
    DeleteFiber(fibre);
    use_pool();
    return 0;
}

static DWORD WINAPI begin_in_fibre(void *none)
{
    (void)none;
    main_fibre = ConvertThreadToFiber(NULL);
    void *fibre = CreateFiber(0, use_and_go_back, NULL);
    cr_assert(main_fibre != NULL && fibre != NULL);
    SwitchToFiber(fibre);
    HANDLE other = CreateThread(NULL, 0, end_fibre, fibre, 0, NULL);
    cr_assert(other != NULL && WaitForSingleObject(other, INFINITE) == WAIT_OBJECT_0);
    CloseHandle(other);
    use_pool();
    cr_assert(ConvertFiberToThread());
    return 0;
}

Test(windows, a_fibre_that_ends_elsewhere_ends_no_thread)
{
    cr_assert((pool = longs_new(NULL)) != NULL);
    HANDLE thread = CreateThread(NULL, 0, begin_in_fibre, NULL, 0, NULL);
    cr_assert(thread != NULL && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0);
    CloseHandle(thread);
    check_equal(longs_stats(pool).live, 0);
    longs_destroy(pool);
}
