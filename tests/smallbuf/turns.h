/* SPDX-License-Identifier: MIT */
/*
 * turns.h - a small buffer with VF_LANES, and threads that push to it in turns, so that each step
 * can be looked at with exclusive access. What was pushed is compared with what is there. With
 * TURNS_FLIP it has VF_FLIP too.
 */
#ifndef TESTS_SMALLBUF_TURNS_H
#define TESTS_SMALLBUF_TURNS_H

#include "support/threads.h"
#include "test_common.h"

struct word {
    uint32_t who, when;
};

static inline void drop(const struct word *word);

#define VF_T       struct word
#define VF_N       4
#define VF_DROP(p) drop(p)
#define VF_LANES
#define VF_NAME lanes
#ifdef TURNS_FLIP
#    define VF_FLIP
#endif
#include <veryfast/smallbuf.h>

#define WORKERS 40            /* more than find their lane at once */
#define STREAMS (WORKERS + 8) /* what each of them pushes by itself; and others */

static test_allocator allocator;
static vf_smallbuf_options options;
static lanes buffer;

/* What was pushed of each, and what was drained of that. */
static struct stream {
    uint32_t pushed, drained, seen;
    bool refused; /* in this fill */
} streams[STREAMS];
static size_t count, refused;

static inline void setup(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(streams, 0, sizeof streams);
    memset(&buffer, 0, sizeof buffer);
    count = refused = 0;
    lanes_init(&buffer, &options);
}

/* ---- pushes ---- */

static inline struct word next_of(uint32_t who, size_t behind)
{
    return (struct word){who, streams[who].pushed + (uint32_t)behind};
}

/* A stream is accepted up to the first one that is not. */
static inline void note(uint32_t who, size_t accepted, size_t wanted)
{
    CHECK(accepted == 0 || !streams[who].refused); /* nothing behind one that was refused */
    streams[who].refused |= accepted < wanted;
    streams[who].pushed += (uint32_t)accepted;
    count += accepted;
    refused += wanted - accepted;
}

static inline size_t push_many(uint32_t who, size_t n)
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

static inline bool push_somehow(uint32_t who, size_t how)
{
    size_t index;
    switch (how) {
    case 0:
        return lanes_push(&buffer, next_of(who, 0));
#ifndef TURNS_FLIP
    case 1: {
        struct word *slot = lanes_push_slot(&buffer, &index);
        CHECK((index == 0) == (count + refused == 0));
        if (slot != NULL)
            *slot = next_of(who, 0);
        return slot != NULL;
    }
#endif
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

static inline void take_turn(uint32_t who)
{
    if (turns.how == 4) {
        note(who, push_many(who, turns.n), turns.n);
        return;
    }
    for (size_t i = 0; i < turns.n; i++)
        note(who, push_somehow(who, turns.how), 1);
}

static inline void *worker(void *argument)
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

static inline void begin_turns(size_t threads)
{
    turns.over = false;
    for (size_t i = 0; i < threads; i++)
        cr_assert(pthread_create(&turns.threads[i], NULL, worker, (void *)i) == 0);
}

static inline void end_turns(size_t threads)
{
    pthread_mutex_lock(&turns.lock);
    turns.over = true;
    pthread_cond_broadcast(&turns.turn);
    pthread_mutex_unlock(&turns.lock);
    for (size_t i = 0; i < threads; i++)
        pthread_join(turns.threads[i], NULL);
}

static inline void turn(size_t who, size_t how, size_t n)
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

static inline void begin_seeing(void)
{
    for (size_t who = 0; who < STREAMS; who++)
        streams[who].seen = 0;
}

/* The elements of a stream are there once, in order, behind what was drained before. */
static inline void see(const struct word *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t who = words[i].who;
        cr_assert(who < STREAMS);
        check_equal(words[i].when, streams[who].drained + streams[who].seen);
        streams[who].seen++;
    }
}

static inline void check_seen(void)
{
    for (size_t who = 0; who < STREAMS; who++)
        check_equal(streams[who].drained + streams[who].seen, streams[who].pushed);
}

static inline void drop(const struct word *word)
{
    see(word, 1);
}

static inline void check_spans(void)
{
    const struct word *words;
    size_t all = 0;
    begin_seeing();
    for (size_t n; (n = lanes_span(&buffer, all, &words)) > 0; all += n)
        see(words, n);
    check_equal(all, count);
    check_seen();
    if (count > 0) {
        cr_assert(lanes_span(&buffer, count / 2, &words) > 0);
        struct word middle = *words;
        cr_assert(lanes_span(&buffer, count - 1, &words) == 1);
        cr_assert(lanes_span(&buffer, count / 2, &words) > 0 && words->who == middle.who &&
                  words->when == middle.when);
    }
}

static inline void check(void)
{
    check_equal(lanes_count(&buffer), count);
    check_equal(lanes_refused(&buffer), refused);
    cr_assert(lanes_capacity(&buffer) >= count);
}

/* After a drain, in which all was seen. */
static inline void check_drained(void)
{
    check_seen();
    for (size_t who = 0; who < STREAMS; who++) {
        streams[who].drained = streams[who].pushed;
        streams[who].refused = false;
    }
    count = refused = 0;
    check();
}

static inline void take_all(lanes_drain *drain, bool spans)
{
    struct word *words, word;
    begin_seeing();
    for (size_t n; spans && (n = lanes_drain_span(drain, &words)) > 0;)
        see(words, n);
    while (lanes_drain_next(drain, &word))
        see(&word, 1);
    lanes_drain_end(drain);
    check_drained();
}

static inline void drain_all(bool spans)
{
    lanes_drain drain = lanes_drain_begin(&buffer);
    take_all(&drain, spans);
}

static inline bool reserve(size_t n)
{
    bool reserved = lanes_reserve(&buffer, n);
    for (size_t who = 0; reserved && n > 0 && who < STREAMS; who++)
        streams[who].refused = false;
    return reserved;
}

/* ---- everything in any order ---- */

static inline void step(uint64_t *seed, size_t threads, void (*take)(size_t how))
{
    size_t what = test_random_below(seed, 40);
    if (what < 31)
        turn(test_random_below(seed, threads), what % 5,
             test_random_below(seed, what < 15 ? 300 : 5));
    else if (what < 34)
        check_spans();
    else if (what == 34)
        (void)reserve(test_random_below(seed, 500));
    else if (what == 35)
        lanes_trim(&buffer, test_random_below(seed, 2000));
    else if (what == 36)
        allocator.refuse = test_random_below(seed, 2) != 0;
    else
        take(test_random_below(seed, 64));
    check();
}

static inline void steps(uint64_t seed, size_t threads, size_t n, void (*take)(size_t how))
{
    begin_turns(threads);
    for (size_t i = 0; i < n; i++)
        step(&seed, threads, take);
    allocator.refuse = false;
    check_spans();
    take(1);
    end_turns(threads);
}

/* By more threads than find their lane at once, too; what was pushed is taken in any of the ways
   of `take`. */
static inline void all_in_any_order(void (*take)(size_t how))
{
    steps(1, 1, 600, take);
    steps(2, 2, 1500, take);
    steps(3, 7, 1500, take);
    steps(4, WORKERS, 3000, take);
    options.max_elements = 3000;
    lanes_trim(&buffer, 0);
    steps(5, 5, 1500, take);
}

static inline void teardown(void)
{
    begin_seeing();
    lanes_destroy(&buffer);
    check_drained();
    check_all_back(&allocator);
}

#endif
