/* SPDX-License-Identifier: MIT */
/*
 * test_smallbuf_lanes.c - pushes with VF_LANES: by threads that take turns, so that each step can
 * be looked at with exclusive access, and at once.
 */
#include "support/threads.h"
#include "test_common.h"

struct word {
    uint32_t who, when;
};

#define VF_T struct word
#define VF_N 4
#define VF_LANES
#define VF_NAME lanes
#include <veryfast/smallbuf.h>

#define VF_T    struct word
#define VF_N    4
#define VF_NAME plain
#include <veryfast/smallbuf.h>

#define WORKERS 40 /* more than find their lane at once */

static test_allocator allocator;
static vf_smallbuf_options options;
static lanes buffer;

/* What each thread has pushed, and what was drained of that. */
static struct worker {
    uint32_t pushed, drained;
    bool refused; /* in this fill */
} workers[WORKERS];
static size_t count, refused;

static void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(workers, 0, sizeof workers);
    memset(&buffer, 0, sizeof buffer);
    count = refused = 0;
    lanes_init(&buffer, &options);
}

static void teardown(void)
{
    lanes_destroy(&buffer);
    check_all_back(&allocator);
}

/* ---- pushes of one thread ---- */

static struct word next_of(uint32_t who, size_t behind)
{
    return (struct word){who, workers[who].pushed + (uint32_t)behind};
}

/* A thread's pushes are accepted up to the first one that is not. */
static void note(uint32_t who, size_t accepted, size_t wanted)
{
    CHECK(accepted == 0 || !workers[who].refused); /* nothing behind one that was refused */
    workers[who].refused |= accepted < wanted;
    workers[who].pushed += (uint32_t)accepted;
    count += accepted;
    refused += wanted - accepted;
}

static size_t push_many(uint32_t who, size_t n)
{
    struct word values[300] = {{0, 0}};
    size_t index = SIZE_MAX;
    CHECK(n <= 300);
    for (size_t i = 0; i < n; i++)
        values[i] = next_of(who, i);
    size_t accepted = lanes_push_n_index(&buffer, values, n, &index);
    CHECK(n == 0 || (index == 0) == (count + refused == 0));
    return accepted;
}

static bool push_somehow(uint32_t who, size_t how)
{
    struct word *slot;
    size_t index;
    switch (how) {
    case 0:
        return lanes_push(&buffer, next_of(who, 0));
    case 1:
        slot = lanes_push_slot(&buffer, &index);
        CHECK((index == 0) == (count + refused == 0));
        if (slot != NULL)
            *slot = next_of(who, 0);
        return slot != NULL;
    case 2:
        return lanes_push_exclusive(&buffer, next_of(who, 0));
    default:
        index = SIZE_MAX;
        bool pushed = lanes_push_index(&buffer, next_of(who, 0), &index);
        CHECK((index == 0) == (count + refused == 0));
        return pushed;
    }
}

/* ---- threads that take turns ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    size_t who, how, n; /* whose turn it is, to push how and how many; WORKERS: nobody's */
    bool over;
    pthread_t threads[WORKERS];
} turns = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER, .who = WORKERS};

static void take_turn(uint32_t who)
{
    if (turns.how == 4) {
        note(who, push_many(who, turns.n), turns.n);
        return;
    }
    for (size_t i = 0; i < turns.n; i++)
        note(who, push_somehow(who, turns.how), 1);
}

static void *worker(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    pthread_mutex_lock(&turns.lock);
    for (;;) {
        while (turns.who != who && !turns.over)
            pthread_cond_wait(&turns.turn, &turns.lock);
        if (turns.over)
            break;
        take_turn(who);
        turns.who = WORKERS;
        pthread_cond_broadcast(&turns.turn);
    }
    pthread_mutex_unlock(&turns.lock);
    return NULL;
}

static void begin_turns(size_t threads)
{
    turns.over = false;
    for (size_t i = 0; i < threads; i++)
        cr_assert(pthread_create(&turns.threads[i], NULL, worker, (void *)i) == 0);
}

static void end_turns(size_t threads)
{
    pthread_mutex_lock(&turns.lock);
    turns.over = true;
    pthread_cond_broadcast(&turns.turn);
    pthread_mutex_unlock(&turns.lock);
    for (size_t i = 0; i < threads; i++)
        pthread_join(turns.threads[i], NULL);
}

static void turn(size_t who, size_t how, size_t n)
{
    pthread_mutex_lock(&turns.lock);
    turns.how = how;
    turns.n = n;
    turns.who = who;
    pthread_cond_broadcast(&turns.turn);
    while (turns.who != WORKERS)
        pthread_cond_wait(&turns.turn, &turns.lock);
    pthread_mutex_unlock(&turns.lock);
}

/* ---- what is there ---- */

/* Each thread's elements are there once, in order, behind what was drained before. */
static void see(const struct word *words, size_t n, uint32_t seen[])
{
    for (size_t i = 0; i < n; i++) {
        uint32_t who = words[i].who;
        cr_assert(who < WORKERS);
        check_equal(words[i].when, workers[who].drained + seen[who]);
        seen[who]++;
    }
}

static void check_seen(const uint32_t seen[])
{
    for (size_t who = 0; who < WORKERS; who++)
        check_equal(workers[who].drained + seen[who], workers[who].pushed);
}

static void check_spans(void)
{
    uint32_t seen[WORKERS] = {0};
    const struct word *words;
    size_t all = 0;
    for (size_t n; (n = lanes_span(&buffer, all, &words)) > 0; all += n)
        see(words, n, seen);
    check_equal(all, count);
    check_seen(seen);
    if (count > 0) {
        cr_assert(lanes_span(&buffer, count / 2, &words) > 0);
        struct word middle = *words;
        cr_assert(lanes_span(&buffer, count - 1, &words) == 1);
        cr_assert(lanes_span(&buffer, count / 2, &words) > 0 && words->who == middle.who &&
                  words->when == middle.when);
    }
}

static void check(void)
{
    check_equal(lanes_count(&buffer), count);
    check_equal(lanes_refused(&buffer), refused);
    cr_assert(lanes_capacity(&buffer) >= count);
}

static void drain_all(bool spans)
{
    uint32_t seen[WORKERS] = {0};
    lanes_drain drain = lanes_drain_begin(&buffer);
    struct word *words, word;
    for (size_t n; spans && (n = lanes_drain_span(&drain, &words)) > 0;)
        see(words, n, seen);
    while (lanes_drain_next(&drain, &word))
        see(&word, 1, seen);
    lanes_drain_end(&drain);
    check_seen(seen);
    for (size_t who = 0; who < WORKERS; who++) {
        workers[who].drained = workers[who].pushed;
        workers[who].refused = false;
    }
    count = refused = 0;
    check();
}

/* ---- tests ---- */

Test(smallbuf_lanes, is_no_larger, .init = setup, .fini = teardown)
{
    check_equal(sizeof(lanes), sizeof(plain));
}

/* Everything in any order, by more threads than find their lane at once. */
static void steps(uint64_t seed, size_t threads, size_t n)
{
    begin_turns(threads);
    for (size_t i = 0; i < n; i++) {
        size_t what = test_random_below(&seed, 40);
        if (what < 32) {
            turn(test_random_below(&seed, threads), what % 5,
                 test_random_below(&seed, what < 16 ? 300 : 5));
        } else if (what < 35) {
            check_spans();
        } else if (what == 35) {
            size_t room = test_random_below(&seed, 500);
            if (lanes_reserve(&buffer, room)) {
                for (size_t who = 0; who < WORKERS && room > 0; who++)
                    workers[who].refused = false;
            }
        } else if (what == 36) {
            lanes_trim(&buffer, test_random_below(&seed, 2000));
        } else if (what == 37) {
            allocator.refuse = test_random_below(&seed, 2) != 0;
        } else if (what == 38) {
            drain_all(i % 2 != 0);
        }
        check();
    }
    allocator.refuse = false;
    check_spans();
    drain_all(true);
    end_turns(threads);
}

Test(smallbuf_lanes, all_in_any_order, .init = setup, .fini = teardown)
{
    steps(1, 1, 600);
    steps(2, 2, 1500);
    steps(3, 7, 1500);
    steps(4, WORKERS, 3000);
    options.max_elements = 3000;
    lanes_trim(&buffer, 0);
    steps(5, 5, 1500);
}

Test(smallbuf_lanes, none_in_a_quiet_buffer, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 4; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), 0);
    for (size_t i = 0; i < 16; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), 1); /* the first chunk, and no lane */
    for (size_t i = 0; i < 1000; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    drain_all(true);
    size_t calls = allocator.calls;
    for (size_t i = 0; i < 1020; i++)
        note(0, lanes_push(&buffer, next_of(0, 0)), 1);
    check_equal(atomic_load(&allocator.calls), calls);
    drain_all(true);
    cr_assert(lanes_trim(&buffer, 0) > 0);
    check_equal(atomic_load(&allocator.bytes), 0);
}

/* Of few elements many slots are no gap. */
Test(smallbuf_lanes, leave_little, .init = setup, .fini = teardown)
{
    begin_turns(2);
    turn(0, 0, 3000);
    turn(1, 0, 1);
    size_t before = lanes_count_about(&buffer);
    for (size_t i = 0; i < 100; i++) { /* reading ends no run */
        turn(0, 0, 1);
        turn(1, 0, 1);
        check();
        check_spans();
    }
    cr_assert(lanes_count_about(&buffer) < before + 500);
    cr_assert(lanes_count_about(&buffer) <= count + 2 * 128);
    drain_all(true);
    end_turns(2);
}

/* Each has its run to the end before it is refused. */
Test(smallbuf_lanes, have_all_below_the_cap, .init = setup, .fini = teardown)
{
    options.max_elements = 5000;
    begin_turns(5);
    for (size_t i = 0; i < 1100; i++) {
        for (size_t who = 0; who < 5; who++)
            turn(who, 3, 1);
    }
    check_equal(lanes_count(&buffer), 5000);
    check_equal(lanes_refused(&buffer), 500);
    drain_all(false);
    end_turns(5);
}

/* Beside runs that are begun, and behind a drain. */
Test(smallbuf_lanes, keep_what_was_promised, .init = setup, .fini = teardown)
{
    begin_turns(6);
    for (size_t round = 0; round < 3; round++) {
        turn(0, 0, 700 * round);
        turn(1, 0, 1);
        cr_assert(lanes_reserve(&buffer, 1000));
        if (round == 2)
            drain_all(true);
        size_t calls = allocator.calls;
        allocator.refuse = true;
        for (size_t i = 0; i < 250; i++) {
            for (size_t who = 2; who < 6; who++)
                turn(who, i % 4, 1);
        }
        check_equal(atomic_load(&allocator.calls), calls);
        check_equal(lanes_refused(&buffer), 0);
        allocator.refuse = false;
        check_spans();
        drain_all(true);
        lanes_trim(&buffer, 0);
    }
    end_turns(6);
}

/* No memory for a lane: single slots. */
Test(smallbuf_lanes, can_be_done_without, .init = setup, .fini = teardown)
{
    options.first_chunk = 4096;
    begin_turns(2);
    turn(0, 0, 5);
    allocator.refuse = true;
    turn(0, 0, 500);
    turn(1, 0, 500);
    turn(1, 4, 250);
    check();
    check_equal(lanes_count_about(&buffer), 1255);
    allocator.refuse = false;
    turn(1, 0, 500);
    check_spans();
    drain_all(true);
    end_turns(2);
}

/* Threads that come and go, one after the other, have one lane. */
static void *push_one(void *argument)
{
    note(0, push_somehow(0, 0), 1);
    return argument;
}

Test(smallbuf_lanes, go_to_the_next_thread, .init = setup, .fini = teardown)
{
    for (size_t i = 0; i < 1000; i++) {
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, push_one, NULL) == 0);
        pthread_join(thread, NULL);
    }
    check();
    check_spans();
    cr_assert(lanes_count_about(&buffer) <= 1000 + 128);
    drain_all(true);
    cr_assert(allocator.blocks <= 8);
}

/* At once: each element comes out once, those of each thread in order, and one was the first. */
static atomic_size_t first;

static void *push_at_once(void *argument)
{
    uint32_t who = (uint32_t)(uintptr_t)argument;
    for (uint32_t i = 0; i < 5000; i++) {
        size_t index;
        CHECK(lanes_push_index(&buffer, (struct word){who, workers[who].drained + i}, &index));
        if (index == 0)
            first++;
    }
    return NULL;
}

Test(smallbuf_lanes, at_once, .init = setup, .fini = teardown)
{
    void *who[8];
    for (size_t i = 0; i < 8; i++)
        who[i] = (void *)i;
    for (size_t round = 0; round < 4; round++) {
        first = 0;
        test_run_threads(8, push_at_once, who);
        check_equal(atomic_load(&first), 1);
        for (uint32_t i = 0; i < 8; i++)
            note(i, 5000, 5000);
        check();
        check_spans();
        drain_all(round % 2 != 0);
    }
}
