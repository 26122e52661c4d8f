/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_lanes_pairs.c - lanes beside whatever else a small buffer has: writers, drains that
 * are divided, a cap, promises, trims, drops, threads' ends, forks.
 */
#include "test_common.h"
#include "turns.h"

/* Neither ThreadSanitizer nor qemu bears new threads in a child whose parent had others. */
#if defined(_WIN32) || defined(__EMSCRIPTEN__) || defined(__SANITIZE_THREAD__) ||                  \
    defined(IN_EMULATOR)
#    define FORKS 0
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define FORKS 0
#    endif
#endif
#ifndef FORKS
#    define FORKS 1
#endif
#include <sched.h>
#if FORKS
#    include <sys/wait.h>
#    include <unistd.h>
#endif

#define THREADS 8 /* at once */

/* Runs body(who) for so many streams, each in a thread of its own, at once. Between two threads
   there is no order, so each has a stream that had no other thread since the last drain. */
static void at_once(void *(*body)(void *who), uint32_t first, size_t threads)
{
    void *who[STREAMS];
    for (size_t i = 0; i < threads; i++)
        who[i] = (void *)(uintptr_t)(first + i);
    test_run_threads(threads, body, who);
}

/* Pushes so many of a stream, beside others; how many were accepted, the first ones. */
static uint32_t push_some(uint32_t who, uint32_t n)
{
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct word next = {who, streams[who].pushed + accepted};
        bool pushed = lanes_push(&buffer, next);
        CHECK(!pushed || accepted == i);
        accepted += pushed;
    }
    return accepted;
}

static uint32_t each; /* so many are pushed by each thread, or about as many */
static uint32_t given[STREAMS];

static void *push_each(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    given[who] = push_some(who, each);
    return NULL;
}

static void *push_about_each(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    given[who] = push_some(who, each + 17 * who);
    return NULL;
}

static void note_given(uint32_t first, size_t threads, uint32_t wanted)
{
    for (uint32_t i = 0; i < threads; i++)
        note(first + i, given[first + i], wanted != 0 ? wanted : given[first + i]);
}

/* ---- x writers ---- */

#define WRITERS (STREAMS - WORKERS)

static lanes_writer writers[WRITERS];

static void open_writers(void)
{
    for (size_t i = 0; i < WRITERS; i++)
        lanes_writer_open(&writers[i], &buffer);
}

static void close_writers(void)
{
    for (size_t i = 0; i < WRITERS; i++)
        lanes_writer_close(&writers[i]);
}

static void write_some(size_t i, size_t n)
{
    uint32_t who = WORKERS + (uint32_t)i;
    for (; n > 0; n--) {
        size_t index;
        bool pushed = lanes_writer_push_index(&writers[i], next_of(who, 0), &index);
        cr_assert((index == 0) == (count + refused == 0));
        note(who, pushed, 1);
    }
}

static void exclusive_step(uint64_t *seed, size_t what)
{
    close_writers();
    check();
    check_spans();
    if (what == 0)
        (void)reserve(test_random_below(seed, 500));
    else if (what == 1)
        lanes_trim(&buffer, test_random_below(seed, 2000));
    else if (what == 2)
        allocator.refuse = test_random_below(seed, 2) != 0;
    else if (what == 3)
        drain_all(test_random_below(seed, 2) != 0);
    open_writers();
}

/* Each leaves gaps in between the others' runs. */
Test(smallbuf_lanes_pairs, with_writers, .init = setup, .fini = teardown)
{
    static const size_t ways[] = {0, 1, 3, 4}; /* a push by who has all for himself is not beside */
    uint64_t seed = test_setting("VF_SEED", 7);
    begin_turns(5);
    open_writers();
    for (size_t i = 0; i < 2000; i++) {
        size_t what = test_random_below(&seed, 24);
        size_t n = test_random_below(&seed, what % 2 != 0 ? 300 : 5);
        if (what < 8)
            turn(test_random_below(&seed, 5), ways[what % 4], n);
        else if (what < 16)
            write_some(test_random_below(&seed, WRITERS), n);
        else
            exclusive_step(&seed, what - 16);
    }
    allocator.refuse = false;
    close_writers();
    check_spans();
    drain_all(true);
    end_turns(5);
}

/* ---- x drains that are divided ---- */

static struct part {
    lanes_drain drain;
    struct word *words;
    size_t count, most;
} parts[9];

/* Into memory of its own, by spans and one by one. */
static void *take_part(void *argument)
{
    struct part *part = argument;
    struct word *span;
    part->count = 0;
    for (size_t n; (n = lanes_drain_span(&part->drain, &span)) > 0;) {
        CHECK(part->count + n + 2 <= part->most);
        memcpy(part->words + part->count, span, n * sizeof *span);
        part->count += n;
        while (part->count % 3 != 0 && lanes_drain_next(&part->drain, &part->words[part->count]))
            part->count++;
    }
    lanes_drain_end(&part->drain);
    return NULL;
}

static void drain_in_parts(size_t n)
{
    size_t most = count + 2;
    lanes_drain drain = lanes_drain_begin(&buffer);
    lanes_drain drains[9];
    size_t made = lanes_drain_split(&drain, drains, n);
    void *contexts[9];
    cr_assert(made <= n);
    for (size_t i = 0; i < made; i++) {
        parts[i] = (struct part){drains[i], test_memory(most, sizeof(struct word)), 0, most};
        contexts[i] = &parts[i];
    }
    test_run_threads(made, take_part, contexts);
    begin_seeing();
    for (size_t i = 0; i < made; i++) {
        cr_assert(parts[i].count > 0);
        see(parts[i].words, parts[i].count);
        free(parts[i].words);
    }
    check_drained();
}

Test(smallbuf_lanes_pairs, with_drains_that_are_divided, .init = setup, .fini = teardown)
{
    for (size_t n = 1; n <= 9; n++) {
        each = (uint32_t)(n % 3 == 0 ? 1000 : 20 * n);
        at_once(push_about_each, 0, THREADS);
        note_given(0, THREADS, 0);
        open_writers();
        write_some(0, 5); /* whose gap is among theirs */
        note(THREADS, lanes_push(&buffer, next_of(THREADS, 0)), 1);
        close_writers();
        if (n % 2 != 0)
            check_spans(); /* a reader marks what is left of the runs */
        check();
        drain_in_parts(n);
    }
}

/* ---- x a cap, and what is refused there ---- */

static uint32_t most_each; /* more than there is room for */

static void *push_until_refused(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    given[who] = push_some(who, most_each);
    return NULL;
}

/* Every slot below the cap is filled before a thread is refused for good. */
Test(smallbuf_lanes_pairs, with_a_cap_that_many_reach, .init = setup, .fini = teardown)
{
    static const size_t caps[] = {1, 4, 5, 1100, 1200, 3000, 20001};
    for (size_t i = 0; i < 2 * sizeof caps / sizeof *caps; i++) {
        options.max_elements = caps[i / 2];
        if (i % 2 == 0) {
            lanes_destroy(&buffer);
            lanes_init(&buffer, &options);
        }
        most_each = (uint32_t)caps[i / 2] + 7;
        at_once(push_until_refused, 0, THREADS);
        note_given(0, THREADS, most_each);
        check_equal(count, caps[i / 2]);
        check();
        check_refused(ENOMEM, !reserve(1));
        check_refused(ENOMEM, !lanes_push_exclusive(&buffer, next_of(0, 0)));
        note(0, 0, 1);
        check_spans();
        drain_all(i % 4 < 2);
    }
}

/* Where threads push as much as each other, none is refused before there is no slot left. */
Test(smallbuf_lanes_pairs, with_a_cap_in_turn, .init = setup, .fini = teardown)
{
    options.max_elements = 5000;
    begin_turns(5);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; refused == 0; i++)
            turn(i % 5, round % 2, 1);
        check_equal(count, 5000);
        drain_all(true);
    }
    end_turns(5);
}

/* No memory for a chunk: each thread has a prefix, and S_reserve lifts it for all. */
Test(smallbuf_lanes_pairs, with_refusals_that_a_promise_lifts, .init = setup, .fini = teardown)
{
    for (size_t k = 1; k < 16; k++) {
        allocator.fail_at = allocator.calls + k;
        each = 400;
        at_once(push_each, 0, THREADS);
        note_given(0, THREADS, each);
        allocator.fail_at = 0;
        check();
        check_spans();
        size_t before = refused;
        cr_assert(reserve(THREADS * 50));
        size_t calls = allocator.calls;
        each = 50;
        at_once(push_each, THREADS, THREADS);
        note_given(THREADS, THREADS, each);
        check_equal(refused, before);
        check_equal(atomic_load(&allocator.calls), calls);
        check();
        check_spans();
        drain_all(k % 2 != 0);
        lanes_trim(&buffer, 0);
    }
}

/* ---- x promises, by threads whose lanes have slots, and by others ---- */

Test(smallbuf_lanes_pairs, with_promises_at_once, .init = setup, .fini = teardown)
{
    for (size_t round = 0; round < 6; round++) {
        each = (uint32_t)(100 * round);
        at_once(push_about_each, 0, THREADS);
        note_given(0, THREADS, 0);
        cr_assert(reserve(2 * THREADS * 125));
        if (round % 3 == 2)
            drain_all(true); /* what is left of a promise is the next fill's */
        size_t calls = allocator.calls;
        allocator.refuse = true;
        each = 125;
        at_once(push_each, THREADS, 2 * THREADS); /* some in lanes of threads that have ended */
        note_given(THREADS, 2 * THREADS, each);
        check_equal(refused, 0);
        check();
        check_equal(atomic_load(&allocator.calls), calls);
        allocator.refuse = false;
        check_spans();
        drain_all(false);
    }
}

/* ---- x exclusive pushes ---- */

/* Each thread has some, before and behind what it pushes beside others. */
Test(smallbuf_lanes_pairs, with_exclusive_pushes, .init = setup, .fini = teardown)
{
    begin_turns(3);
    for (size_t round = 0; round < 200; round++) {
        turn(round % 3, 2, 30);
        for (size_t who = 0; who < 3; who++)
            turn(who, 0, round % 40);
        turn(round % 2, 2, 1);
        for (size_t i = 0; i < 20; i++)
            note(WORKERS, lanes_push_exclusive(&buffer, next_of(WORKERS, 0)), 1);
        note(WORKERS, lanes_push(&buffer, next_of(WORKERS, 0)), 1);
        check();
        if (round % 7 == 0)
            check_spans();
        if (round % 30 == 29)
            drain_all(true);
    }
    check_spans();
    drain_all(false);
    end_turns(3);
}

/* ---- x trims, S_clear ---- */

Test(smallbuf_lanes_pairs, with_trims, .init = setup, .fini = teardown)
{
    begin_turns(WORKERS);
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 20; i++)
            turn(0, 4, 300);
        drain_all(true);
        for (size_t who = 0; who < WORKERS; who++)
            turn(who, 0, 40);
        size_t bytes = allocator.bytes;
        size_t given_back = lanes_trim(&buffer, 0); /* nothing of runs that have slots */
        cr_assert(given_back > 0);
        check_equal(bytes - given_back, atomic_load(&allocator.bytes));
        check();
        for (size_t who = 0; who < WORKERS; who++)
            turn(who, 4, 15); /* into what is left of their runs, and behind */
        check_spans();
        drain_all(round % 2 != 0);
        lanes_trim(&buffer, round % 2 != 0 ? 0 : 300);
        cr_assert(round % 2 == 0 || atomic_load(&allocator.bytes) == 0);
    }
    end_turns(WORKERS);
}

/* Drops what was pushed, once, in order, and nothing of what is left of the runs. */
Test(smallbuf_lanes_pairs, with_clear, .init = setup, .fini = teardown)
{
    begin_turns(5);
    for (size_t round = 0; round < 20; round++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, round % 5, 17 * round % 290);
        if (round % 3 == 0)
            check_spans();
        begin_seeing();
        if (round % 4 == 3)
            lanes_destroy(&buffer);
        else
            lanes_clear(&buffer);
        check_drained();
        cr_assert(round % 4 != 3 || atomic_load(&allocator.bytes) == 0);
    }
    end_turns(5);
}

#if !defined(__MINGW32__) || defined(__clang__) /* whose gcc emulates thread-local variables */
/* ---- x the end of a thread ---- */

static pthread_key_t at_end;
static unsigned times[STREAMS]; /* that a thread has pushed at its end */
static atomic_uint met;

/* Waits for all of both generations. */
static void meet(void)
{
    met++;
    while (atomic_load(&met) < 2 * THREADS)
        sched_yield();
}

static void push_all_of(uint32_t who, uint32_t n)
{
    CHECK(push_some(who, n) == n);
    streams[who].pushed += n;
}

/* Again and again, before and behind the exit hook of the library; behind it all at once, and at
   once with the threads that have the same indices by then. */
static void push_at_end(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    if (++times[who] == 2)
        meet();
    push_all_of(who, times[who] == 1 ? 30 : 2000);
    if (times[who] < 3)
        CHECK(pthread_setspecific(at_end, argument) == 0);
}

static void *push_to_the_end(void *argument)
{
    CHECK(pthread_setspecific(at_end, argument) == 0);
    push_all_of((uint32_t)(uintptr_t)argument, 30);
    return NULL;
}

static void *push_behind_them(void *argument)
{
    push_all_of((uint32_t)(uintptr_t)argument, 30);
    meet();
    push_all_of((uint32_t)(uintptr_t)argument, 4000);
    return NULL;
}

static void two_generations(uint32_t first)
{
    pthread_t threads[2 * THREADS];
    memset(times, 0, sizeof times);
    met = 0;
    for (uint32_t i = 0; i < 2 * THREADS; i++) {
        while (i == THREADS && atomic_load(&met) < THREADS) /* they have no index any more */
            sched_yield();
        void *who = (void *)(uintptr_t)(first + i);
        void *(*body)(void *) = i < THREADS ? push_to_the_end : push_behind_them;
        cr_assert(pthread_create(&threads[i], NULL, body, who) == 0);
    }
    for (size_t i = 0; i < 2 * THREADS; i++)
        cr_assert(pthread_join(threads[i], NULL) == 0);
    count += (size_t)THREADS * (30 + 30 + 2000 + 2000 + 30 + 4000);
}

Test(smallbuf_lanes_pairs, with_threads_that_push_to_their_end, .init = setup, .fini = teardown)
{
    cr_assert(pthread_key_create(&at_end, push_at_end) == 0);
    for (uint32_t round = 0; round < 8; round++) {
        two_generations(1 + round % 2 * 2 * THREADS);
        check();
        check_spans();
        if (round % 2 == 1)
            drain_all(round % 4 == 1);
        cr_assert(round % 4 != 3 || lanes_trim(&buffer, 0) > 0);
        cr_assert(round % 4 != 3 || atomic_load(&allocator.bytes) == 0);
    }
    pthread_key_delete(at_end);
}
#endif

/* ---- x forks ---- */

#if FORKS
#    define OWN WORKERS /* this thread's stream */

static atomic_bool done;

static void *push_beside(void *none)
{
    at_once(push_each, 10, THREADS);
    atomic_store(&done, true);
    return none;
}

/* As long as they push; how many. */
static uint32_t push_meanwhile(void)
{
    uint32_t n = 0;
    for (; !atomic_load(&done) && n < 200000; n++) {
        CHECK(lanes_push(&buffer, next_of(OWN, n)));
        if (n % 8 == 0)
            sched_yield();
    }
    return n;
}

/* This thread has its lane further on; those of threads that are gone are for others. */
static void go_on_in_child(void)
{
    pthread_t other;
    check();
    check_spans();
    each = 5000;
    cr_assert(pthread_create(&other, NULL, push_beside, NULL) == 0);
    given[OWN] = push_meanwhile();
    cr_assert(pthread_join(other, NULL) == 0);
    note_given(OWN, 1, 0);
    note_given(10, THREADS, each);
    check();
    check_spans();
    drain_in_parts(3);
    cr_assert(lanes_trim(&buffer, 0) > 0);
    check_equal(atomic_load(&allocator.bytes), 0);
}

Test(smallbuf_lanes_pairs, with_forks, .init = setup, .fini = teardown)
{
    begin_turns(5);
    for (size_t round = 0; round < 4; round++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, 0, 30 + 10 * who);
        for (size_t i = 0; i < 40; i++)
            note(OWN, lanes_push(&buffer, next_of(OWN, 0)), 1);
        size_t calls = allocator.calls;
        fflush(NULL);
        pid_t child = fork();
        cr_assert(child >= 0);
        if (child == 0) {
            go_on_in_child();
            _exit(0);
        }
        int status = -1;
        cr_assert(waitpid(child, &status, 0) == child && status == 0);
        check_equal(atomic_load(&allocator.calls), calls);
        for (size_t who = 0; who < 5; who++)
            turn(who, 0, 30);
        check_spans();
        if (round % 2 != 0)
            drain_all(true);
    }
    end_turns(5);
}
#endif
