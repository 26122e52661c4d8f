/* SPDX-License-Identifier: MIT */
/*
 * stress_faults.c - what happens to threads in the midst of calls: the process ends, by exit (whose
 * handlers make calls too), quick_exit, _exit and a signal; they get signals without end; they are
 * cancelled. Objects are also freed after a grace period where there is liburcu.
 *
 * No call is a cancellation point: a thread that is to be cancelled goes on to the end of its call,
 * and ends between two (test_cancel.c has them one by one). A handler that makes no calls may
 * interrupt any call; none is safe in one.
 */
#define _GNU_SOURCE /* fopencookie */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocator.h"
#include "stress.h"

#define VF_T long
#define VF_N 100
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T long
#define VF_N 6
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    6
#define VF_NAME both
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define THREADS 4
#define HELD    300

static struct {
    pool_long_100 *pool;
    test_allocator memory;
    both common; /* all push to it, and thread 0 drains it */
    atomic_size_t calls;
    atomic_size_t drained, pushed;
    atomic_bool stop;
} test;

static struct worker {
    size_t number;
    uint64_t random;
    smallbuf_long_6 own;
    pool_long_100_cache *cache;
    long *held[HELD];
    size_t count;
    volatile sig_atomic_t calling; /* it is inside of a call */
    atomic_bool ended;
} workers[THREADS];

static _Thread_local struct worker *this_worker;

/* After a grace period; or at once, where there is none or no more may wait. */
static void free_later(long *number)
{
#ifdef VF_HAS_EPOCH
    if (pool_long_100_free_deferred(test.pool, number))
        return;
#endif
    pool_long_100_free(test.pool, number);
}

static void wait_for_readers(void)
{
#ifdef VF_HAS_EPOCH
    pool_long_100_epoch_barrier(test.pool);
#endif
}

static void fill(struct worker *self)
{
    while (self->count < HELD) {
        bool cached = self->cache != NULL && self->count % 3 == 0;
        long *number = cached ? pool_long_100_cache_alloc(self->cache)
                              : pool_long_100_push(test.pool, (long)self->number);
        CHECK(number != NULL);
        *number = (long)self->number;
        self->held[self->count++] = number;
    }
}

static void give_back(struct worker *self, size_t n)
{
    for (; n > 0 && self->count > 0; n--) {
        long *number = self->held[--self->count];
        CHECK(*number == (long)self->number);
        if (self->cache != NULL && n % 3 == 0)
            pool_long_100_cache_free(self->cache, number);
        else if (n % 3 == 1)
            free_later(number);
        else
            pool_long_100_free(test.pool, number);
    }
}

static void drain_common(void)
{
    both_drain drain = both_flip(&test.common);
    long *numbers;
    for (size_t n; (n = both_drain_span(&drain, &numbers)) > 0;)
        atomic_fetch_add(&test.drained, n);
    both_drain_end(&drain);
}

static void push_some(struct worker *self)
{
    const size_t n = stress_chance(&self->random, 100);
    for (size_t i = 0; i < n; i++) {
        CHECK(smallbuf_long_6_push(&self->own, (long)i));
        CHECK(both_push(&test.common, (long)i));
        atomic_fetch_add(&test.pushed, 1);
    }
    CHECK(smallbuf_long_6_count(&self->own) == n);
    smallbuf_long_6_clear(&self->own);
    if (n % 10 == 0)
        smallbuf_long_6_destroy(&self->own);
    if (self->number == 0)
        drain_common();
}

static void use_cache(struct worker *self)
{
    if (self->cache == NULL) {
        CHECK((self->cache = pool_long_100_cache_new(test.pool)) != NULL);
    } else {
        pool_long_100_cache_release(self->cache);
        self->cache = NULL;
    }
}

static void call(struct worker *self)
{
    switch (stress_chance(&self->random, 8)) {
    case 0:
    case 1:
        fill(self);
        break;
    case 2:
    case 3:
        give_back(self, stress_chance(&self->random, HELD));
        break;
    case 4:
        push_some(self);
        break;
    case 5:
        use_cache(self);
        break;
    case 6:
        (void)pool_long_100_trim(test.pool);
        break;
    default:
        CHECK(pool_long_100_stats(test.pool).capacity >= self->count);
        CHECK(pool_long_100_reserve(test.pool, 50));
        vf_thread_flush();
        if (stress_chance(&self->random, 8) == 0)
            wait_for_readers();
    }
    atomic_fetch_add(&test.calls, 1);
}

/* Also the end of a thread that is cancelled. */
static void end_worker(void *argument)
{
    struct worker *self = argument;
    CHECK(self->calling == 0);
    give_back(self, HELD);
    pool_long_100_cache_release(self->cache);
    self->cache = NULL;
    smallbuf_long_6_destroy(&self->own);
    atomic_store(&self->ended, true);
}

static void *work(void *argument)
{
    struct worker *self = argument;
    this_worker = self;
    pthread_cleanup_push(end_worker, self);
    while (!atomic_load(&test.stop)) {
        self->calling = 1;
        call(self);
        self->calling = 0;
        pthread_testcancel();
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void begin(pthread_t threads[THREADS], uint64_t round)
{
    vf_pool_options options = {.allocator = test_allocator_hook(&test.memory)};
    CHECK((test.pool = pool_long_100_new(&options)) != NULL);
    atomic_store(&test.calls, 0);
    atomic_store(&test.stop, false);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i};
        workers[i].random = stress_random_state(round * THREADS + i);
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
}

static void end(const pthread_t threads[THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(atomic_load(&workers[i].ended));
    }
    drain_common();
    CHECK(atomic_load(&test.drained) == atomic_load(&test.pushed));
    both_destroy(&test.common);
    wait_for_readers();
    CHECK(pool_long_100_stats(test.pool).live == 0);
    pool_long_100_release(test.pool);
    CHECK(atomic_load(&test.memory.bytes) == 0 && atomic_load(&test.memory.blocks) == 0);
}

static void wait_for_calls(uint64_t calls)
{
    while (atomic_load(&test.calls) < calls)
        sched_yield();
}

/* At the process's end, beside the threads. */
static void call_at_exit(void)
{
    long *number = pool_long_100_push(test.pool, 1);
    CHECK(number != NULL && both_push(&test.common, 1));
    pool_long_100_free(test.pool, number);
    (void)pool_long_100_trim(test.pool);
    vf_thread_flush();
}

/* Files are flushed behind the last destructor, the library's: others go on meanwhile. */
static ssize_t flush_slowly(void *cookie, const char *bytes, size_t n)
{
    (void)cookie;
    (void)bytes;
    wait_for_calls(atomic_load(&test.calls) + 30);
    return (ssize_t)n;
}

static void open_slow_file(void)
{
    FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){.write = flush_slowly});
    CHECK(file != NULL && fputc('x', file) == 'x');
}

static void end_by(uint64_t way)
{
    switch (way) {
    case 0:
        open_slow_file();
        exit(3);
    case 1:
        CHECK(atexit(call_at_exit) == 0);
        exit(3);
    case 2:
        CHECK(at_quick_exit(call_at_exit) == 0);
        quick_exit(3);
    case 3:
        _exit(3);
    default:
        CHECK(raise(SIGKILL) == 0);
    }
}

/* The process ends. What it does on its way, flush files and run destructors, it does beside the
   calls of its other threads. */
static void end_process(uint64_t round)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pthread_t threads[THREADS];
        begin(threads, round);
        wait_for_calls(20 + round % 50);
        end_by(round % 5);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    if (round % 5 == 4)
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static atomic_size_t signals; /* that came during a call */

static void on_signal(int number)
{
    (void)number;
    if (this_worker != NULL && this_worker->calling != 0)
        atomic_fetch_add_explicit(&signals, 1, memory_order_relaxed);
}

/* To all in turn, until so many have been taken: those that meet one that waits are one with it. */
static void send_signals(size_t count)
{
    pthread_t threads[THREADS];
    struct sigaction action = {.sa_handler = on_signal}; /* calls of the system are not restarted */
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    begin(threads, 1000);
    atomic_store(&signals, 0);
    for (size_t i = 0; atomic_load(&signals) < count; i++) {
        CHECK(pthread_kill(threads[i % THREADS], SIGUSR1) == 0);
        sched_yield();
    }
    wait_for_calls(count / 100);
    atomic_store(&test.stop, true);
    end(threads);
}

static void cancel(uint64_t round)
{
    pthread_t threads[THREADS];
    begin(threads, 2000 + round);
    for (size_t i = 0; i < THREADS; i++) {
        wait_for_calls(20 * (i + 1) + round % 20);
        CHECK(pthread_cancel(threads[i]) == 0);
    }
    end(threads);
}

int main(void)
{
    stress_begin("stress_faults");
    for (size_t i = 0; i < stress_count(200, 20); i++)
        end_process(i);
    stress_passed("the process ends while threads are inside of calls");
    send_signals(stress_count(20000, 300));
    stress_passed("signals in the midst of calls change nothing");
    for (size_t i = 0; i < stress_count(60, 10); i++)
        cancel(i);
    CHECK(atomic_load(&test.drained) > 0);
    stress_passed("who is cancelled ends between two calls");
    return stress_end();
}
