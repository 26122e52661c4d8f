/*
 * test_epoch.c - objects freed while they may still be read: when they are dropped and reused, how
 * many may wait, and all occasions on which they go to their grace period.
 *
 * A test holds a grace period up by being in a read section, and ends it with the barrier.
 */
#include <pthread.h>

#include <urcu/urcu-memb.h>

#include "readers.h"
#include "test_common.h"
#include "threads.h"

/* Drops are counted, and seen by the test only after a barrier or by waiting for their number. */
static size_t drops;
static _Thread_local size_t drops_here; /* by this thread */

static void drop(long *number)
{
    readers_have_left();
    *number = -1;
    drops_here++;
    (void)__atomic_fetch_add(&drops, 1, __ATOMIC_SEQ_CST);
}

#define VF_T       long
#define VF_N       100
#define VF_NAME    numbers
#define VF_DROP(p) drop(p)
#define VF_EPOCH
#include <veryfast/pool.h>

#define VF_T    char
#define VF_N    10
#define VF_NAME plain
#define VF_EPOCH
#include <veryfast/pool.h>

enum { IN_A_DEFERRAL = 60, MOST = 1000 };

/* Kinds of pools. */
static const struct {
    size_t cache_objects, max_objects;
} kinds[] = {{0, 0}, {7, 0}, {VF_CACHE_NONE, 0}, {0, MOST}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static test_allocator allocator;
static numbers *pool;
static long *objects[MOST];

static void begin(int kind, size_t max_deferred)
{
    urcu_memb_register_thread();
    atomic_store(&allocator.fail_at, 0);
    drops = 0;
    drops_here = 0;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .cache_objects = kinds[kind].cache_objects,
                               .max_objects = kinds[kind].max_objects,
                               .max_deferred = max_deferred};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

static void end(void)
{
    urcu_memb_unregister_thread();
}

static void end_reading(void)
{
    readers_leave();
    urcu_memb_read_unlock();
}

static size_t dropped(void)
{
    return __atomic_load_n(&drops, __ATOMIC_SEQ_CST);
}

static void wait_for_drops(size_t n)
{
    while (dropped() < n)
        sched_yield();
}

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        objects[i] = numbers_push(pool, (long)i);
        cr_assert(objects[i] != NULL);
    }
}

static void defer(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        cr_assert(numbers_free_deferred(pool, objects[i]));
}

static size_t deferred(void)
{
    return numbers_stats(pool).deferred;
}

static void wait_until_back(void)
{
    while (atomic_load(&allocator.bytes) != 0)
        sched_yield();
}

Test(epoch, a_reader_goes_on_reading)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(300);
        urcu_memb_read_lock();
        defer(0, 200);
        vf_thread_flush();
        for (size_t i = 0; i < 200; i++)
            cr_assert(*objects[i] == (long)i, "dropped while it may be read");
        vf_pool_stats stats = numbers_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.deferred, 200);
        check_equal(stats.live, 300);
        /* none of them is handed out again */
        for (size_t i = 300; i < 900; i++) {
            objects[i] = numbers_push(pool, (long)i);
            cr_assert(objects[i] != NULL);
        }
        cr_assert(all_apart(objects, 900, sizeof(long)));
        check_equal(dropped(), 0);
        end_reading();
        numbers_epoch_barrier(pool);
        check_equal(dropped(), 200);
        stats = numbers_stats(pool);
        check_sums(stats, &allocator);
        check_equal(stats.deferred, 0);
        check_equal(stats.live, 700);
        numbers_destroy(pool);
        check_equal(dropped(), 900);
        check_all_back(&allocator);
        end();
    }
}

Test(epoch, a_slot_is_reused_after_its_grace_period)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, MOST);
        numbers_epoch_barrier(pool);
        size_t capacity = numbers_stats(pool).capacity;
        fill(MOST);
        check_equal(numbers_stats(pool).capacity, capacity);
        numbers_free_n(pool, objects, MOST);
        numbers_release(pool);
        check_all_back(&allocator);
        end();
    }
}

Test(epoch, without_a_destructor)
{
    plain *letters = plain_new(NULL);
    char *letter = plain_push(letters, 'a');
    cr_assert(plain_free_deferred(letters, NULL));
    cr_assert(plain_free_deferred(letters, letter));
    check_equal(plain_stats(letters).deferred, 1);
    plain_epoch_barrier(letters);
    check_equal(plain_stats(letters).live, 0);
    plain_release(letters);
}

Test(epoch, no_more_than_max_deferred)
{
    static const size_t bounds[] = {1, 59, 60, 61, 500};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
            begin(kind, bounds[i]);
            fill(bounds[i] + 1);
            urcu_memb_read_lock();
            defer(0, bounds[i]);
            check_refused(EAGAIN, !numbers_free_deferred(pool, objects[bounds[i]]));
            check_equal((size_t)*objects[bounds[i]], bounds[i]);
            check_equal(deferred(), bounds[i]);
            end_reading();
            wait_for_drops(bounds[i]); /* all went out, without a flush or a barrier */
            numbers_epoch_barrier(pool);
            defer(bounds[i], bounds[i] + 1);
            numbers_release(pool);
            wait_until_back();
            check_equal(dropped(), bounds[i] + 1);
            end();
        }
    }
}

Test(epoch, errno_is_left_alone)
{
    begin(0, 0);
    fill(MOST);
    errno = 77;
    defer(0, MOST);
    numbers_epoch_barrier(pool);
    check_equal((size_t)errno, 77);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
}

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

Test(epoch, goes_out_when_it_should)
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

Test(epoch, goes_out_when_its_thread_ends)
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

Test(epoch, goes_out_from_another_thread)
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

Test(epoch, the_last_grace_period_ends_a_released_pool)
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

Test(epoch, one_by_one_after_the_release)
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

Test(epoch, a_thread_that_never_used_a_released_pool)
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

Test(epoch, destroy_waits_for_what_is_deferred)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, 100);
        numbers_destroy(pool);
        check_equal(dropped(), MOST);
        check_equal(drops_here, MOST - 100); /* the others were liburcu's thread's */
        check_all_back(&allocator);
        end();
    }
}

static void count_visit(long *object, void *count)
{
    cr_assert(*object >= 100);
    ++*(size_t *)count;
}

Test(epoch, each_does_not_visit_what_was_deferred)
{
    for (int kind = 0; kind < KINDS; kind++) {
        begin(kind, 0);
        fill(MOST);
        defer(0, 100);
        size_t visits = 0;
        cr_assert(numbers_each(pool, count_visit, &visits));
        check_equal(visits, MOST - 100);
        numbers_destroy(pool);
        check_all_back(&allocator);
        end();
    }
}

/* At each of the calls that the allocator can refuse the free does, or is refused and has changed
   nothing. */
Test(epoch, no_memory)
{
    for (int kind = 0; kind < KINDS; kind++) {
        size_t refused = 0;
        for (size_t fail = 1; fail < 6; fail++) {
            begin(kind, 0);
            fill(MOST);
            atomic_store(&allocator.fail_at, atomic_load(&allocator.calls) + fail);
            for (size_t i = 0; i < MOST; i++) {
                errno = 0;
                if (!numbers_free_deferred(pool, objects[i])) {
                    cr_assert(errno == EAGAIN && *objects[i] == (long)i);
                    refused++;
                    cr_assert(numbers_free_deferred(pool, objects[i]));
                }
            }
            numbers_epoch_barrier(pool);
            check_equal(dropped(), MOST);
            check_equal(numbers_stats(pool).live, 0);
            numbers_release(pool);
            check_all_back(&allocator);
            end();
        }
        cr_assert(refused > 0);
    }
}

Test(epoch, trim_gives_back_what_was_deferred)
{
    begin(0, 0);
    fill(MOST);
    defer(0, MOST);
    check_equal(numbers_trim(pool), 0);
    numbers_epoch_barrier(pool);
    numbers_trim(pool);
    check_equal(numbers_stats(pool).batches, 0);
    numbers_release(pool);
    check_all_back(&allocator);
    end();
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
    gate.calls++;
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

static void begin_gate(bool slow)
{
    static struct rcu_flavor_struct flavour;
    begin(0, 0);
    numbers_release(pool);
    memset(&gate, 0, sizeof gate);
    gate.slow = slow;
    flavour = urcu_memb_flavor;
    flavour.update_call_rcu = slow_call_rcu;
    flavour.barrier = watched_barrier;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .rcu_flavour = &flavour};
    pool = numbers_new(&options);
    cr_assert(pool != NULL);
}

Test(epoch, one_call_for_many)
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

static void *dawdling_thread(void *unused)
{
    defer(0, IN_A_DEFERRAL);
    return unused;
}

Test(epoch, the_barrier_waits_for_what_is_on_its_way_to_liburcu)
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
