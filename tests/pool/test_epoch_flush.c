/* SPDX-License-Identifier: MIT */
/*
 * test_epoch_flush.c - all occasions on which deferred objects go to their grace period, and the
 * end of a pool with some.
 */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "epoch_pool.h"

/* Occasions on which less than a full deferral goes out. */

static void on_full(void)
{
    defer(10, IN_A_DEFERRAL);
}

static void on_flush(void)
{
    vf_thread_flush();
}

static void on_barrier(void)
{
    numbers_epoch_barrier(pool);
}

static void on_failed_alloc(void)
{
    size_t left = MOST;
    atomic_store(&allocator.refuse, true);
    while (left > 0 && numbers_alloc(pool) != NULL)
        left--;
    cr_assert(left > 0);
    atomic_store(&allocator.refuse, false);
}

Test(epoch_flush, goes_out_when_it_should)
{
    static void (*const occasions[])(void) = {on_full, on_flush, on_barrier, on_failed_alloc};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof occasions / sizeof *occasions; i++) {
            begin(kind, 0);
            fill(IN_A_DEFERRAL);
            defer(0, 10);
            occasions[i]();
            wait_for_drops(10);
            numbers_destroy(pool);
            check_all_back(&allocator);
            end();
        }
    }
}

/* Defers what it is given, never registered as a reader; leaves 13 of them waiting at its end. */
static void *deferring_thread(void *unused)
{
    defer(0, 3 * IN_A_DEFERRAL + 13);
    return unused;
}

Test(epoch_flush, goes_out_when_its_thread_ends)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, deferring_thread, NULL) == 0);
        pthread_join(thread, NULL);
        wait_for_drops(3 * IN_A_DEFERRAL + 13);
        numbers_destroy(pool);
        check_equal(dropped(), MOST);
        check_all_back(&allocator);
        end();
    }
}

/* Another thread has deferred, and stays where it is. */
static pthread_barrier_t meeting;

static void *staying_thread(void *unused)
{
    defer(0, 10);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return unused;
}

static void on_bound(void)
{
    defer(10, 70);
    cr_assert(numbers_free_deferred(pool, objects[70]) || errno == EAGAIN);
}

static void on_release(void)
{
    numbers_release(pool);
    pool = NULL;
}

Test(epoch_flush, goes_out_from_another_thread)
{
    static void (*const occasions[])(void) = {on_barrier, on_failed_alloc, on_bound, on_release};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof occasions / sizeof *occasions; i++) {
            begin(kind, 70);
            fill(100);
            pthread_barrier_init(&meeting, NULL, 2);
            pthread_t thread;
            cr_assert(pthread_create(&thread, NULL, staying_thread, NULL) == 0);
            pthread_barrier_wait(&meeting);
            numbers *same = pool;
            occasions[i]();
            wait_for_drops(10);
            if (pool == NULL)
                numbers_free_n(same, objects + 10, 90);
            else
                numbers_destroy(pool);
            pthread_barrier_wait(&meeting);
            pthread_join(thread, NULL);
            wait_until_back();
            end();
        }
    }
}

Test(epoch_flush, the_last_grace_period_ends_a_released_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        urcu_memb_read_lock();
        defer(0, 130);
        numbers_release(pool);
        defer(130, 500); /* and the rest too goes without a flush */
        cr_assert(atomic_load(&allocator.blocks) != 0);
        numbers_free_n(pool, objects + 500, MOST - 501);
        defer(MOST - 1, MOST);
        for (size_t i = 0; i < 500; i++)
            cr_assert(*objects[i] == (long)i, "dropped while it may be read");
        end_reading();
        wait_until_back();
        check_equal(dropped(), MOST);
        check_all_back(&allocator);
        end();
    }
}

Test(epoch_flush, one_by_one_after_the_release)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(3);
        defer(0, 1);
        numbers_epoch_barrier(pool);
        numbers_release(pool);
        defer(1, 2);
        wait_for_drops(2); /* alone: nothing was in flight that could have taken it along */
        defer(2, 3);
        wait_until_back();
        end();
    }
}

Test(epoch_flush, a_thread_that_never_used_a_released_pool)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(3 * IN_A_DEFERRAL + 13);
        numbers_release(pool);
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, deferring_thread, NULL) == 0);
        pthread_join(thread, NULL);
        wait_until_back();
        check_equal(dropped(), 3 * IN_A_DEFERRAL + 13);
        end();
    }
}

static int in_the_child(void)
{
    if (deferred() != 10 || dropped() != 0)
        return 1;
    numbers_epoch_barrier(pool);
    if (deferred() != 0 || dropped() != 10)
        return 2;
    fill(IN_A_DEFERRAL);
    defer(0, IN_A_DEFERRAL);
    numbers_destroy(pool);
    return atomic_load(&allocator.bytes) == 0 ? 0 : 3;
}

/* Once: liburcu's function would wait for itself if it were registered twice, which matters where
   all tests are one process. */
static void watch_forks(void)
{
    static bool watched;
    if (!watched)
        pthread_atfork(urcu_memb_call_rcu_before_fork, urcu_memb_call_rcu_after_fork_parent,
                       urcu_memb_call_rcu_after_fork_child);
    watched = true;
}

static void check_child(int (*run)(void))
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60); /* where it hangs, it fails */
        _exit(run());
    }
    int status = -1;
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    check_equal((size_t)status, 0);
}

Test(epoch_flush, the_child_of_a_fork)
{
#ifdef READERS_SEEN
    return; /* ThreadSanitizer allows no new threads after a fork beside others */
#endif
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(100);
        watch_forks();
        pthread_barrier_init(&meeting, NULL, 2);
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, staying_thread, NULL) == 0);
        pthread_barrier_wait(&meeting);
        check_child(in_the_child);
        pthread_barrier_wait(&meeting);
        pthread_join(thread, NULL);
        numbers_destroy(pool);
        check_equal(dropped(), 100);
        check_all_back(&allocator);
        end();
    }
}

/* A flavour like memb that shows when it is called, and dawdles. */
static struct {
    bool slow, entered, handed_over, too_early;
    size_t calls;
} gate;

static bool is(bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void set(bool *flag)
{
    __atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static void slow_call_rcu(struct rcu_head *head, void (*function)(struct rcu_head *))
{
    __atomic_fetch_add(&gate.calls, 1, __ATOMIC_RELAXED); /* read when these threads have ended */
    set(&gate.entered);
    /* gives a barrier that does not wait for this the time to be too early */
    for (int i = 0; i < 100 && gate.slow && !is(&gate.too_early); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    set(&gate.handed_over);
    urcu_memb_flavor.update_call_rcu(head, function);
}

static void watched_barrier(void)
{
    if (gate.slow && !is(&gate.handed_over))
        set(&gate.too_early);
    urcu_memb_flavor.barrier();
}

static struct rcu_flavor_struct flavour;

/* A pool of these options, and of the flavour. */
static void begin_with(vf_pool_options options)
{
    begin(0, 0);
    numbers_release(pool);
    memset(&gate, 0, sizeof gate);
    flavour = urcu_memb_flavor;
    flavour.update_call_rcu = slow_call_rcu;
    flavour.barrier = watched_barrier;
    options.allocator = test_allocator_hook(&allocator);
    options.rcu_flavour = &flavour;
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

static void begin_gate(bool slow)
{
    begin_with((vf_pool_options){0});
    gate.slow = slow;
}

Test(epoch_flush, one_call_for_many)
{
    begin_gate(false);
    fill(10 * IN_A_DEFERRAL);
    defer(0, 10 * IN_A_DEFERRAL);
    check_equal(gate.calls, 10);
    numbers_epoch_barrier(pool);
    check_equal(dropped(), 10 * IN_A_DEFERRAL);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
}

/* ---- many threads come while a deferral is open ---- */

enum { CROWD = 70 }; /* more than there are records for at first */

static void *one_of_a_crowd(void *object)
{
    cr_assert(numbers_free_deferred(pool, object));
    pthread_barrier_wait(&meeting); /* all are there at once */
    return NULL;
}

Test(epoch_flush, a_crowd_of_threads_leaves_the_open_deferral)
{
    begin_with((vf_pool_options){.cache_objects = VF_CACHE_NONE});
    fill(IN_A_DEFERRAL + CROWD);
    defer(0, IN_A_DEFERRAL / 2);
    pthread_barrier_init(&meeting, NULL, CROWD);
    void *crowd[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = objects[IN_A_DEFERRAL + i];
    test_run_threads(CROWD, one_of_a_crowd, crowd);
    pthread_barrier_destroy(&meeting);
    size_t before = gate.calls;
    defer(IN_A_DEFERRAL / 2, IN_A_DEFERRAL);
    check_equal(gate.calls, before + 1);
    numbers_destroy(pool);
    check_equal(dropped(), IN_A_DEFERRAL + CROWD);
    check_all_back(&allocator);
    end();
}

/* ---- a release while another thread flushes ---- */

/* The grace period is over, and this thread still has the lock of all flushes. */
static void call_rcu_and_dawdle(struct rcu_head *head, void (*function)(struct rcu_head *))
{
    urcu_memb_flavor.update_call_rcu(head, function);
    if (++gate.calls != 2)
        return;
    readers_barrier();
    set(&gate.entered);
    for (int i = 0; i < 100 && !is(&gate.too_early); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* 10 that have the rest of the room, then one that has none, for which all are flushed; it still
   has none unless the release has flushed others. */
static void *refused_thread(void *unused)
{
    urcu_memb_register_thread();
    defer(10, 20);
    if (!numbers_free_deferred(pool, objects[20]))
        numbers_free(pool, objects[20]);
    urcu_memb_unregister_thread();
    return unused;
}

static void *defer_and_stay(void *unused)
{
    defer(21, 31);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return unused;
}

Test(epoch_flush, a_release_waits_for_another_flush)
{
    begin_with((vf_pool_options){.max_deferred = IN_A_DEFERRAL + 10});
    flavour.update_call_rcu = call_rcu_and_dawdle;
    fill(32);
    defer(0, 10);
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_t refused, staying;
    cr_assert(pthread_create(&refused, NULL, refused_thread, NULL) == 0);
    while (!is(&gate.entered))
        sched_yield();
    cr_assert(pthread_create(&staying, NULL, defer_and_stay, NULL) == 0);
    pthread_barrier_wait(&meeting);
    defer(31, 32); /* and there is no room left */
    numbers_release(pool);
    set(&gate.too_early); /* where it has not waited */
    pthread_join(refused, NULL);
    wait_until_back(); /* while the other thread stays */
    check_equal(dropped(), 32);
    pthread_barrier_wait(&meeting);
    pthread_join(staying, NULL);
    pthread_barrier_destroy(&meeting);
    end();
}

/* ---- what is on its way to liburcu ---- */

static void *dawdling_thread(void *unused)
{
    defer(0, IN_A_DEFERRAL);
    return unused;
}

Test(epoch_flush, the_barrier_waits_for_what_is_on_its_way_to_liburcu)
{
    begin_gate(true);
    fill(IN_A_DEFERRAL);
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, dawdling_thread, NULL) == 0);
    while (!is(&gate.entered))
        sched_yield();
    numbers_epoch_barrier(pool);
    cr_assert(!is(&gate.too_early), "59 objects were deferred before the barrier, and missed");
    check_equal(dropped(), IN_A_DEFERRAL);
    pthread_join(thread, NULL);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
}

/* What the other thread has in its hands is lost there, and live. */
static int child_without_the_thread(void)
{
    numbers_epoch_barrier(pool);
    if (dropped() != 0)
        return 1;
    numbers_destroy(pool);
    if (dropped() != IN_A_DEFERRAL)
        return 2;
    return atomic_load(&allocator.bytes) == 0 ? 0 : 3;
}

Test(epoch_flush, the_child_of_a_fork_while_a_deferral_is_on_its_way)
{
#ifdef READERS_SEEN
    return; /* see above */
#endif
    watch_forks();
    begin_gate(true);
    fill(IN_A_DEFERRAL);
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, dawdling_thread, NULL) == 0);
    while (!is(&gate.entered))
        sched_yield();
    check_child(child_without_the_thread);
    set(&gate.too_early); /* no need to dawdle on */
    pthread_join(thread, NULL);
    numbers_destroy(pool);
    check_equal(dropped(), IN_A_DEFERRAL);
    check_all_back(&allocator);
    end();
}
