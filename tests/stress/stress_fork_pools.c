/* SPDX-License-Identifier: MIT */
/*
 * stress_fork_pools.c - forks around pools: of many pools, from handlers that use them, and while
 * an allocator that is called for one pool uses another.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

struct big {
    char bytes[65536];
};

#define VF_T    struct big
#define VF_N    4
#define VF_NAME bigs
#include <veryfast/pool.h>

#define VF_T    long
#define VF_N    64
#define VF_NAME numbers
#include <veryfast/pool.h>

/* The child is told by its exit status. */
static void fork_and(void (*child)(void))
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(60); /* where it hangs, it fails */
        child();
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- handlers, there before the first pool ---- */

enum where { PREPARE, PARENT, CHILD, NOWHERE };

static enum where where = NOWHERE;
static numbers *records;

static void note(enum where here)
{
    if (here != where)
        return;
    for (long i = 0; i < 1000; i++) /* sooner or later one needs a batch */
        CHECK(numbers_push(records, i) != NULL);
    vf_thread_flush();
}

static void prepare(void)
{
    note(PREPARE);
}

static void in_parent(void)
{
    note(PARENT);
}

static void in_child(void)
{
    note(CHILD);
}

static void child_of_handlers(void)
{
    size_t live = numbers_stats(records).live;
    CHECK(live == (where == PREPARE || where == CHILD ? 1000 : 0));
    note(where); /* once more */
    CHECK(numbers_stats(records).live == live + 1000);
    numbers_destroy(records);
}

static void fork_with_handlers(void)
{
    for (where = PREPARE; where < NOWHERE; where++) {
        CHECK((records = numbers_new(NULL)) != NULL);
        fork_and(child_of_handlers);
        CHECK(numbers_stats(records).live == (where == CHILD ? 0 : 1000));
        numbers_destroy(records);
    }
    stress_passed("handlers of a fork use a pool");
}

/* ---- many pools ---- */

#define POOLS 200

static numbers *many[POOLS];
static long *ones[POOLS];

static void use_many(void)
{
    for (long i = 0; i < POOLS; i++) {
        CHECK(*ones[i] == i);
        numbers_free(many[i], ones[i]);
        CHECK((ones[i] = numbers_push(many[i], i)) != NULL);
    }
}

static void end_many(void)
{
    use_many();
    for (size_t i = 0; i < POOLS; i++) {
        numbers_release(many[i]);
        numbers_free(many[i], ones[i]);
    }
}

static void fork_many(void)
{
    for (long i = 0; i < POOLS; i++) {
        CHECK((many[i] = numbers_new(NULL)) != NULL);
        CHECK((ones[i] = numbers_push(many[i], i)) != NULL);
    }
    fork_and(end_many);
    use_many();
    fork_and(end_many);
    end_many();
    stress_passed("a fork of many pools");
}

/* ---- an allocator that uses another pool ---- */

static struct {
    numbers *outer;
    bigs *_Atomic inner;
    atomic_bool armed;   /* the next call of the allocator stops */
    atomic_bool stopped; /* it has */
    atomic_bool go_on;
    bool lazy; /* it makes the inner pool, then */
} nested;

static void *nested_alloc(void *none, size_t size, size_t alignment)
{
    void *memory;
    (void)none;
    if (atomic_exchange(&nested.armed, false)) {
        atomic_store(&nested.stopped, true);
        while (!atomic_load(&nested.go_on))
            sched_yield();
        if (nested.lazy)
            atomic_store(&nested.inner, bigs_new(NULL));
        struct big *big = bigs_alloc(atomic_load(&nested.inner));
        CHECK(big != NULL);
        bigs_free(atomic_load(&nested.inner), big);
    }
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

static void nested_dealloc(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none, (void)size, (void)alignment;
    free(memory);
}

static void *grow_outer(void *none)
{
    long *number = numbers_push(nested.outer, 1);
    CHECK(number != NULL);
    numbers_free(nested.outer, number);
    return none;
}

/* One object, so that the child has no need of the allocator that was stopped. */
static void use_inner(void)
{
    bigs *inner = atomic_load(&nested.inner);
    struct big *big = bigs_alloc(inner);
    CHECK(big != NULL);
    bigs_free(inner, big);
    /* the pool whose growth was interrupted grows */
    for (size_t i = 0; i < 1000; i++)
        CHECK(numbers_push(nested.outer, 2) != NULL);
}

static void *just_trim(void *none)
{
    numbers_trim(nested.outer);
    return none;
}

/* The outer pool is full, and has a cache for the thread that is to come. */
static void open_nested(bool inner_first, bool lazy)
{
    vf_pool_options options = {.allocator = {nested_alloc, nested_dealloc, NULL}};
    memset(&nested, 0, sizeof nested);
    nested.lazy = lazy;
    if (inner_first)
        atomic_store(&nested.inner, bigs_new(NULL));
    CHECK((nested.outer = numbers_new(&options)) != NULL);
    CHECK(numbers_reserve(nested.outer, 64));
    for (size_t i = 0; i < 64; i++)
        CHECK(numbers_push(nested.outer, 0) != NULL);
    CHECK(numbers_stats(nested.outer).live == numbers_stats(nested.outer).capacity);
    if (!inner_first && !lazy)
        atomic_store(&nested.inner, bigs_new(NULL));
}

static void close_nested(void)
{
    numbers_destroy(nested.outer);
    bigs_destroy(atomic_load(&nested.inner));
}

/* While a thread is in the allocator for the outer pool, main forks, or trims that pool. */
static void stop_in_growth(bool inner_first, bool lazy)
{
    pthread_t thread;
    open_nested(inner_first, lazy);
    atomic_store(&nested.armed, true);
    CHECK(pthread_create(&thread, NULL, grow_outer, NULL) == 0);
    while (!atomic_load(&nested.stopped))
        sched_yield();
    if (lazy) {
        /* all but the growth itself goes on: other pools come, threads end, trims run to where
           they would wait for the memory that is being made */
        test_run_threads(2, just_trim, (void *[]){NULL, NULL});
    } else {
        fork_and(use_inner);
    }
    atomic_store(&nested.go_on, true);
    CHECK(pthread_join(thread, NULL) == 0);
    close_nested();
}

int main(void)
{
    stress_begin("stress_fork_pools");
    CHECK(pthread_atfork(prepare, in_parent, in_child) == 0);
    fork_with_handlers();
    fork_many();
    stop_in_growth(false, true);
    stress_passed("an allocator makes the pool that it uses, beside a trim");
    if (!STRESS_THREAD_SANITIZER) { /* which does not go through a fork with threads */
        stop_in_growth(true, false);
        stop_in_growth(false, false);
        stress_passed("a fork while an allocator uses an older or a younger pool");
    }
    return stress_end();
}
