/* SPDX-License-Identifier: MIT */
/*
 * test_epoch_cancel.c - calls that wait, for readers or for who is handing objects to liburcu, are
 * no cancellation points either: a thread that has been cancelled before goes through them.
 */
#include <time.h>

#include "epoch_pool.h"

/* ---- a flavour like memb that may be cancelled, and dawdles on demand ---- */

static struct {
    bool slow;
    int entered, sleeps; /* atomic */
    int closed;          /* atomic: stays in it for so long */
} gate;

/* In place of libc's: the library's wait is seen. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
    __atomic_fetch_add(&gate.sleeps, 1, __ATOMIC_SEQ_CST);
    return clock_nanosleep(CLOCK_MONOTONIC, 0, time, left);
}

/* Is in the midst of it until the one that waits for it has slept. */
static void slow_call_rcu(struct rcu_head *head, void (*function)(struct rcu_head *))
{
    __atomic_store_n(&gate.entered, 1, __ATOMIC_SEQ_CST);
    while (gate.slow && __atomic_load_n(&gate.sleeps, __ATOMIC_SEQ_CST) < 2)
        sched_yield();
    while (__atomic_load_n(&gate.closed, __ATOMIC_SEQ_CST) != 0)
        sched_yield();
    urcu_memb_flavor.update_call_rcu(head, function);
}

static void cancellable_barrier(void)
{
    pthread_testcancel();
    urcu_memb_flavor.barrier();
}

static void begin_gate(size_t max_deferred, bool slow)
{
    static struct rcu_flavor_struct flavour;
    begin(0, 0);
    numbers_release(pool);
    memset(&gate, 0, sizeof gate);
    gate.slow = slow;
    flavour = urcu_memb_flavor;
    flavour.update_call_rcu = slow_call_rcu;
    flavour.barrier = cancellable_barrier;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .max_deferred = max_deferred,
                               .rcu_flavour = &flavour};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

static bool ended;

static void *cancelled_thread(void *calls)
{
    pthread_cancel(pthread_self()); /* at the next cancellation point, wherever that is */
    (*(void (*const *)(void))calls)();
    ended = true;
    pthread_testcancel();
    return NULL;
}

/* By a thread that is cancelled; it makes them all. */
static void call_cancelled(void (*calls)(void))
{
    pthread_t thread;
    void *result;
    ended = false;
    cr_assert(pthread_create(&thread, NULL, cancelled_thread, &calls) == 0);
    cr_assert(pthread_join(thread, &result) == 0);
    cr_assert(ended, "a call is a cancellation point");
    cr_assert(result == PTHREAD_CANCELED);
}

/* ---- what waits for readers ---- */

static void wait_by_barrier(void)
{
    defer(0, 10);
    numbers_epoch_barrier(pool);
    CHECK(dropped() == 10);
}

static void never_visit(long *number, void *context)
{
    (void)context;
    CHECK(*number >= 10);
}

static void wait_by_each(void)
{
    defer(0, 10);
    CHECK(numbers_each(pool, never_visit, NULL));
    CHECK(dropped() == 10);
}

static void wait_by_walk(void)
{
    defer(0, 10);
    numbers_walk walk = numbers_walk_begin(pool);
    CHECK(dropped() == 10);
    for (long *number; (number = numbers_walk_next(&walk)) != NULL;)
        never_visit(number, NULL);
}

static void wait_by_destroy(void)
{
    defer(0, 10);
    numbers_destroy(pool);
}

Test(epoch_cancel, what_waits_for_readers_goes_on_to_its_end)
{
    static void (*const waits[])(void) = {wait_by_barrier, wait_by_each, wait_by_walk,
                                          wait_by_destroy};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        begin_gate(0, false);
        fill(20);
        call_cancelled(waits[i]);
        if (waits[i] != wait_by_destroy)
            numbers_destroy(pool);
        check_equal(dropped(), 20);
        check_all_back(&allocator);
        end();
    }
}

/* ---- what waits for another thread ---- */

static void *dawdling_thread(void *unused)
{
    defer(0, IN_A_DEFERRAL);
    return unused;
}

static void barrier(void)
{
    numbers_epoch_barrier(pool);
}

/* At the bound: others may have room that they do not use. */
static void defer_one_more(void)
{
    defer(IN_A_DEFERRAL + 10, IN_A_DEFERRAL + 11);
}

/* Out of memory: what others have deferred may come back. */
static void alloc_in_vain(void)
{
    atomic_store(&allocator.refuse, true);
    while (numbers_alloc(pool) != NULL) {
    }
    atomic_store(&allocator.refuse, false);
}

Test(epoch_cancel, what_waits_for_who_defers_goes_on_to_its_end)
{
    static void (*const waits[])(void) = {barrier, defer_one_more, alloc_in_vain};
    for (size_t i = 0; i < 3; i++) {
        begin_gate(2 * IN_A_DEFERRAL, true);
        fill(2 * IN_A_DEFERRAL);
        defer(IN_A_DEFERRAL, IN_A_DEFERRAL + 10);
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, dawdling_thread, NULL) == 0);
        while (__atomic_load_n(&gate.entered, __ATOMIC_SEQ_CST) == 0)
            sched_yield();
        call_cancelled(waits[i]);
        cr_assert(__atomic_load_n(&gate.sleeps, __ATOMIC_SEQ_CST) >= 2, "it has not waited");
        pthread_join(thread, NULL);
        numbers_destroy(pool);
        check_all_back(&allocator);
        end();
    }
}

/* ---- P_release waits for a thread that is inside call_rcu, and no other thread for it ---- */

static void *fill_a_deferral(void *none)
{
    defer(0, IN_A_DEFERRAL);
    return none;
}

static void *release(void *none)
{
    numbers_release(pool);
    return none;
}

Test(epoch_cancel, a_release_that_waits_stops_no_other_pool)
{
    pthread_t filler, releaser;
    begin_gate(0, false);
    gate.closed = 1;
    fill(IN_A_DEFERRAL);
    cr_assert(pthread_create(&filler, NULL, fill_a_deferral, NULL) == 0);
    while (__atomic_load_n(&gate.entered, __ATOMIC_SEQ_CST) == 0)
        sched_yield();
    cr_assert(pthread_create(&releaser, NULL, release, NULL) == 0);
    while (__atomic_load_n(&gate.sleeps, __ATOMIC_SEQ_CST) == 0)
        sched_yield();                  /* until it waits */
    numbers *other = numbers_new(NULL); /* where it waited with the threads' lock, for ever */
    cr_assert(other != NULL);
    numbers_release(other);
    __atomic_store_n(&gate.closed, 0, __ATOMIC_SEQ_CST);
    cr_assert(pthread_join(filler, NULL) == 0 && pthread_join(releaser, NULL) == 0);
    while (atomic_load(&allocator.bytes) != 0)
        sched_yield(); /* the pool ends with its last grace period */
    end();
}
