/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - two threads push while a third sleeps until there is something, and drains. A wake-up
 * that is lost is a deadlock. With WAKE another thread ends the wait, and what it did before must
 * be seen behind it; with TIME the wait may end by itself; with OTHER another thread drains while
 * this one sleeps, and tells it (TRY: if no push is in flight). No more threads are woken than
 * there were waits, since one push of each idle period wakes.
 */
#define VF_FLIP
#define PUSHES 1
#include "numbers.h"

#ifdef TIME
enum { TIMES = 2 }; /* waits that may end by themselves */
#else
enum { TIMES = 0 };
#endif

static void *pusher(void *argument)
{
    long who = (long)argument;
    accepted[who][0] = numbers_push(&buffer, number_of(who, 0));
    return NULL;
}

#ifdef WAKE
static int told;

static void *waker(void *argument)
{
    told = 1;
    numbers_wake(&buffer);
    return argument;
}

static void end_by_wake(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, waker, NULL);
    bool woken = numbers_wait(&buffer, -1);
    assert(woken && told == 1);
    pthread_join(thread, NULL);
    assert(explore_wakes() <= 1);
    numbers_wake(&buffer);
    woken = numbers_wait(&buffer, -1);
    assert(woken);
}
#else
static void end_by_wake(void)
{
}
#endif

static pthread_mutex_t drainer = PTHREAD_MUTEX_INITIALIZER;
static size_t taken;

/* How many numbers have been taken in all. */
static size_t take(void)
{
    pthread_mutex_lock(&drainer);
    numbers_drain drain = numbers_flip(&buffer);
    size_t n = taken += take_all(&drain);
    pthread_mutex_unlock(&drainer);
    return n;
}

#ifdef OTHER
enum { OTHERS = 1 };

static void *other(void *argument)
{
#    ifdef TRY
    numbers_drain drain;
    pthread_mutex_lock(&drainer);
    if (numbers_flip_try(&buffer, &drain)) {
        taken += take_all(&drain);
    }
    pthread_mutex_unlock(&drainer);
#    else
    take();
#    endif
    numbers_wake(&buffer);
    return argument;
}
#else
enum { OTHERS = 0 };
#    define other pusher
#endif

void scenario(void)
{
    prepare();
    end_by_wake();
    pthread_t thread[PUSHERS];
    for (long who = 0; who < PUSHERS; who++) {
        pthread_create(&thread[who], NULL, who == 1 && OTHERS ? other : pusher, (void *)who);
    }
    long waits = 0, before = explore_wakes();
    for (size_t n = 0; n < PUSHERS - OTHERS; waits++) {
        if (numbers_wait(&buffer, waits < TIMES ? 1 : -1)) {
            n = take();
        }
    }
    for (long who = 0; who < PUSHERS; who++) {
        pthread_join(thread[who], NULL);
    }
    assert(OTHERS || explore_wakes() - before <= waits);
    explore_sometimes(explore_wakes() == before, "pushes", "find it awake");
    explore_sometimes(explore_wakes() > before, "pushes", "wake it");
    assert(check_drained() == PUSHERS - OTHERS);
    numbers_destroy(&buffer);
    assert(explore_blocks() == 0);
}
