/* SPDX-License-Identifier: MIT */
/*
 * drains.c - the rows of what takes elements out of a small buffer: by several threads, beside
 * pushes, and by a thread that sleeps.
 */
#include "buffer_work.h"
#include "rows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t u64;

#define VF_T u64
#define VF_N 8
#include <veryfast/smallbuf.h>
#define VF_T    u64
#define VF_N    8
#define VF_NAME flips
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define SPLIT 10000 /* elements of a drain whose work is in its elements */
#define STEPS 100   /* of that work, for each */
#define FEW   64    /* elements of a flip */

/* ---- a drain, by one thread or by several ---- */

static smallbuf_u64_8 buffer;
static smallbuf_u64_8_drain whole, parts[WORKERS_MOST];

static void take(void *drain, unsigned worker)
{
    smallbuf_u64_8_drain *own = (smallbuf_u64_8_drain *)drain + worker;
    u64 *span, sum = 0;
    for (size_t n; (n = smallbuf_u64_8_drain_span(own, &span)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            u64 state = span[i] + 1;
            for (int step = 0; step < STEPS; step++)
                sum += next_random(&state);
        }
    }
    smallbuf_u64_8_drain_end(own);
    escape(&sum);
}

/* A variant with one thread takes the drain as it is. */
static double sample_split(const struct row *row, const struct variant *variant, size_t *operations)
{
    unsigned threads = threads_of(row, variant);
    size_t rounds = *operations / SPLIT + 1;
    double ns = 0;
    *operations = rounds * SPLIT;
    for (; rounds > 0; rounds--) {
        for (size_t i = 0; i < SPLIT; i++)
            smallbuf_u64_8_push_exclusive(&buffer, element(0, i));
        whole = smallbuf_u64_8_drain_begin(&buffer);
        double begin = now_ns();
        if (threads > 1)
            smallbuf_u64_8_drain_split(&whole, parts, threads);
        ns += now_ns() - begin + workers_time(threads, take, threads > 1 ? parts : &whole);
    }
    return ns;
}

static void open_workers(const struct row *row)
{
    workers_start(row->threads);
}

/* ---- a few pushes and a flip, by one thread ---- */

static flips banks;

static void by_flip(flips_drain *drain)
{
    *drain = flips_flip(&banks);
}

static void by_begin(flips_drain *drain)
{
    flips_flip_begin(&banks);
    while (!flips_flip_done(&banks, drain)) {
    }
}

static void by_try(flips_drain *drain)
{
    while (!flips_flip_try(&banks, drain)) {
    }
}

/* S_wait where there is something, before a flip. */
static void by_wait(flips_drain *drain)
{
    flips_wait(&banks, -1);
    *drain = flips_flip(&banks);
}

static void (*const ways[])(flips_drain *drain) = {by_begin, by_try, by_wait, by_flip};

static double sample_flips(const struct row *row, const struct variant *variant, size_t *operations)
{
    void (*way)(flips_drain * drain) = ways[variant->number];
    (void)row;
    size_t rounds = *operations / FEW + 1;
    *operations = rounds * FEW;
    u64 *span, sum = 0;
    double begin = now_ns();
    for (; rounds > 0; rounds--) {
        flips_drain drain;
        for (size_t i = 0; i < FEW; i++)
            flips_push(&banks, element(0, i));
        way(&drain);
        for (size_t n; (n = flips_drain_span(&drain, &span)) > 0;) {
            for (size_t i = 0; i < n; i++)
                sum += span[i];
        }
        flips_drain_end(&drain);
    }
    escape(&sum);
    return now_ns() - begin;
}

/* ---- a message to a thread that sleeps, and one back ---- */

static flips inboxes[2];
static struct {
    pthread_mutex_t lock;
    pthread_cond_t some;
    u64 messages;
} slots[2];
static size_t turns; /* of each thread */

static void send(unsigned to)
{
    flips_push(&inboxes[to], 1);
}

static void receive(unsigned own)
{
    u64 message;
    for (bool got = false; !got;) {
        flips_wait(&inboxes[own], -1);
        flips_drain drain = flips_flip(&inboxes[own]);
        got = flips_drain_next(&drain, &message);
        flips_drain_end(&drain);
    }
}

static void signal_one(unsigned to)
{
    pthread_mutex_lock(&slots[to].lock);
    slots[to].messages++;
    pthread_cond_signal(&slots[to].some);
    pthread_mutex_unlock(&slots[to].lock);
}

static void wait_for_one(unsigned own)
{
    pthread_mutex_lock(&slots[own].lock);
    while (slots[own].messages == 0)
        pthread_cond_wait(&slots[own].some, &slots[own].lock);
    slots[own].messages--;
    pthread_mutex_unlock(&slots[own].lock);
}

static void sleep_by_wait(void *none, unsigned worker)
{
    (void)none;
    for (size_t i = 0; i < turns; i++) {
        if (worker == 0)
            send(1);
        receive(worker);
        if (worker == 1)
            send(0);
    }
}

static void sleep_by_condition(void *none, unsigned worker)
{
    (void)none;
    for (size_t i = 0; i < turns; i++) {
        if (worker == 0)
            signal_one(1);
        wait_for_one(worker);
        if (worker == 1)
            signal_one(0);
    }
}

static double sample_asleep(const struct row *row, const struct variant *variant,
                            size_t *operations)
{
    turns = *operations;
    return workers_time(2, variant == row->variants->all ? sleep_by_wait : sleep_by_condition,
                        NULL);
}

static void open_asleep(const struct row *row)
{
    workers_start(row->threads);
    for (size_t i = 0; i < 2; i++) {
        pthread_mutex_init(&slots[i].lock, NULL);
        pthread_cond_init(&slots[i].some, NULL);
    }
}

/* ---- the rows ---- */

static struct variants variants_of_split, variants_of_flip, variants_of_sleep;

void drain_rows_add(void)
{
    variant_add(&variants_of_split, "in parts", OURS);
    variant_add(&variants_of_split, "whole, 1T", PEER)->threads = 1;
    /* processor time: 1.8 times as fast with two threads is 2 / 1.8 */
    struct row *split = row_add(&variants_of_split, 1.11, "drain with work, 2T");
    split->sample = sample_split;
    split->open = open_workers;
    split->threads = 2;

    variant_add(&variants_of_flip, "begin, done", OURS);
    variant_add(&variants_of_flip, "try", ASIDE);
    variant_add(&variants_of_flip, "wait, flip", ASIDE);
    variant_add(&variants_of_flip, "flip", PEER);
    struct row *flip = row_add(&variants_of_flip, 1.1, "%d pushes and a flip, each", FEW);
    flip->sample = sample_flips;
    flip->open = open_workers;

    variant_add(&variants_of_sleep, "wait", OURS);
    variant_add(&variants_of_sleep, "condition", PEER);
    struct row *sleep = row_add(&variants_of_sleep, 1.1, "message to who sleeps, 2T");
    sleep->sample = sample_asleep;
    sleep->open = open_asleep;
    sleep->threads = 2;
}
