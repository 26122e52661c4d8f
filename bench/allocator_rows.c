/* SPDX-License-Identifier: MIT */
/*
 * allocator_rows.c - the rows that compare the pool with allocators.
 */
#include "rows.h"

#include "allocators.h"
#include "deferrers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Every row that uses it runs in a process of its own, and finds it zeroed. */
static struct work work;

/* Sets work.rounds to what makes about *operations, at once so many; at least one. */
static void set_rounds(size_t *operations, size_t once)
{
    work.rounds = *operations < once ? 1 : *operations / once;
    *operations = work.rounds * once;
}

static double sample_pair(const struct row *row, const struct variant *variant, size_t *operations)
{
    set_rounds(operations, row->threads);
    return workers_time(row->threads, variant->loops->pair, &work);
}

static double sample_burst(const struct row *row, const struct variant *variant, size_t *operations)
{
    unsigned threads = threads_of(row, variant);
    set_rounds(operations, row->burst * threads);
    return workers_time(threads, variant->loops->burst, &work);
}

static double sample_hand_over(const struct row *row, const struct variant *variant,
                               size_t *operations)
{
    (void)row;
    set_rounds(operations, 1);
    return workers_time(2, variant->loops->ring, &work);
}

/* All objects pass the one that hands them over or gets them: its time is theirs. */
static double sample_fan(const struct row *row, const struct variant *variant, size_t *operations)
{
    set_rounds(operations, (size_t)ARRAY * (row->threads - 1));
    return workers_time(row->threads, variant->loops->fan, &work);
}

static double sample_neighbours(const struct row *row, const struct variant *variant,
                                size_t *operations)
{
    (void)row;
    set_rounds(operations, 2);
    work.turns = 0;
    return workers_time(2, variant->loops->neighbours, &work);
}

/* A thread that is there for one burst. */
static void *short_life(void *variant)
{
    work.rounds = 1;
    ((const struct variant *)variant)->loops->burst(&work, 0);
    return NULL;
}

static double sample_made(const struct row *row, const struct variant *variant, size_t *operations)
{
    struct variant copy = *variant;
    pthread_t thread;
    (void)row;
    double begin = now_ns();
    for (size_t i = 0; i < *operations; i++) {
        if (pthread_create(&thread, NULL, short_life, &copy) != 0)
            exit(1);
        pthread_join(thread, NULL);
    }
    return now_ns() - begin;
}

static double sample_replace(const struct row *row, const struct variant *variant,
                             size_t *operations)
{
    work.threads = row->threads;
    set_rounds(operations, (size_t)REPLACE_TURN * row->threads);
    work.turns = 0;
    return workers_time(row->threads, variant->loops->replace, &work);
}

/* The next variant cannot free what this one has left. */
static void finish_replace(const struct row *row, const struct variant *variant)
{
    workers_time(row->threads, variant->loops->clear, &work);
}

void allocator_rows_open(const struct row *row)
{
    allocators_open();
    deferrers_open();
    for (size_t v = 0; v < row->variants->n; v++) {
        if (row->variants->all[v].open != NULL)
            row->variants->all[v].open();
    }
    workers_start(row->threads);
    if (row->burst > 0)
        work_burst(&work, row->threads, row->burst, row->order);
    work.threads = row->threads;
    work.size = row->size;
    work.pools = row->pools;
    work.gathers = row->gathers;
    for (size_t fan = 0; fan < FANS; fan++) {
        for (size_t i = 0; i < ARRAYS; i++)
            ring_put(&work.empty[fan], work.array[fan][i]);
    }
}

static void add_pair(const struct variants *variants, double goal, const char *name)
{
    row_add(variants, goal, "%s", name)->sample = sample_pair;
}

/* A burst by threads, in the given order. */
static struct row *add_burst(const struct variants *variants, double goal, const char *prefix,
                             size_t burst, enum order order, unsigned threads)
{
    static const char *const orders[] = {"LIFO", "FIFO", "random"};
    struct row *row =
        row_add(variants, goal, "%sburst %zu %s %uT", prefix, burst, orders[order], threads);
    row->sample = sample_burst;
    row->burst = burst;
    row->order = order;
    row->threads = threads;
    return row;
}

static void add_against_peers(void)
{
    static const size_t bursts[] = {32, 256, 4096, 65536};
    static const unsigned threads[] = {1, 2, 16};
    add_pair(&variants_of_n, 0.55, "pair");
    for (size_t b = 0; b < 4; b++) {
        double goal = bursts[b] < 65536 ? 0.7 : 0.9;
        for (size_t t = 0; t < 3; t++) {
            for (enum order order = LIFO; order <= RANDOM; order++) {
                bool far = bursts[b] == 65536 && order == RANDOM;
                add_burst(&variants_of_n, far ? 1.1 : goal, "", bursts[b], order, threads[t]);
            }
        }
    }
    add_burst(&variants_of_n, 0.7, "", 256, RANDOM, 4);
    add_burst(&variants_of_n, 0.7, "", 256, RANDOM, 64);
    for (unsigned n = 1; n <= 2; n++) {
        struct row *row = row_add(&variants_of_pool, 0.9, "replace in 4096 %uT", n);
        row->sample = sample_replace;
        row->finish = finish_replace;
        row->threads = n;
    }
}

/* Objects that other threads free than those that have allocated them. */
static void add_handed_over(void)
{
    struct row *one = row_add(&variants_of_ring, 0.6, "hand over 1 at a time");
    one->sample = sample_hand_over;
    one->threads = 2;
    static const struct {
        const char *name;
        unsigned threads;
        bool gathers;
    } fans[] = {{"", 2, false}, {", to 4", 5, false}, {", from 4", 5, true}};
    for (size_t i = 0; i < 3; i++) {
        struct row *row =
            row_add(&variants_of_ring, 0.6, "hand over %d at a time%s", ARRAY, fans[i].name);
        row->sample = sample_fan;
        row->threads = fans[i].threads;
        row->gathers = fans[i].gathers;
    }
}

/* Objects of other sizes, neighbours, several pools, and threads that come and go. */
static void add_of_all_kinds(void)
{
    for (size_t s = 0; s < SIZES; s++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            char prefix[32];
            snprintf(prefix, sizeof prefix, "%zu bytes, ", sizes_all[s]);
            add_burst(&variants_of_size[s], 0.9, prefix, 256, RANDOM, threads)->size = sizes_all[s];
        }
    }
    struct row *neighbours = row_add(&variants_of_neighbours, 1.0, "neighbours of 16 bytes, 2T");
    neighbours->sample = sample_neighbours;
    neighbours->threads = 2;
    neighbours->size = 16;
    for (size_t t = 0; t < TURNS; t++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%zu pools, ", turns_all[t]);
        add_burst(&variants_of_turns, 0.9, prefix, 256, FIFO, 1)->pools = turns_all[t];
    }
    struct row *made = row_add(&variants_of_made, 1.0, "a thread for 256 objects");
    made->sample = sample_made;
    made->burst = 256;
}

static void add_fresh(void)
{
    struct row *first = row_add(&variants_of_pool, 0, "first 10M,");
    first->run = run_first;
    first->parts = 4;
    first->part[0] = (struct part){" alloc", 1.0, NULL, false};
    first->part[1] = (struct part){" free", 0, NULL, false};
    first->part[2] = (struct part){" alloc again", 0, NULL, false};
    first->part[3] = (struct part){" free and alloc again", 1.0, NULL, false};
    row_add_single(&variants_of_pool, "call of 10M,");
}

static void add_life(void)
{
    row_add(&variants_of_walk, 1.0, "walk in an old heap")->run = run_walk;
    row_add(&variants_of_end, 0.75, "free 1M")->run = run_end;
    struct row *few = row_add(&variants_of_memory, 0, "bytes for 1 %% of 10M,");
    few->run = run_resident;
    few->parts = 2;
    few->part[0] = (struct part){" freed", 0, "bytes", false};
    few->part[1] = (struct part){" given back", 1.0, "bytes", false};
    struct row *all = row_add(&variants_of_memory, 0, "bytes for each of 1M,");
    all->run = run_held;
    all->parts = 3;
    all->part[0] = (struct part){" live", 0, "bytes", false};
    all->part[1] = (struct part){" all freed", 0, "bytes", false};
    all->part[2] = (struct part){" given back", 1.1, "bytes", false};
}

/* How time and memory grow with the objects that are live. */
static void add_growth(void)
{
    for (size_t objects = 100; objects <= 10000000; objects *= 10) {
        struct row *row = row_add(&variants_of_pool, 0, "%zu live,", objects);
        row->run = run_growth;
        row->burst = objects;
        row->order = RANDOM;
        row->parts = objects < 10000 ? 1 : 2; /* fewer take no more than a few pages */
        row->part[0] = (struct part){" time", 0, NULL, false};
        row->part[1] = (struct part){" bytes each", 0, "bytes", false};
    }
}

static void add_among_ours(void)
{
    static const size_t bursts[] = {32, 256, 4096};
    static const unsigned threads[] = {1, 2, 16};
    for (size_t b = 0; b < 3; b++) {
        for (enum order order = LIFO; order <= RANDOM; order++)
            add_burst(&variants_of_threads, 1.15, "scaling, ", bursts[b], order, 2);
    }
    add_pair(&variants_of_held, 0.75, "held cache, pair");
    for (size_t b = 0; b < 3; b++)
        add_burst(&variants_of_held, 0.75, "held cache, ", bursts[b], LIFO, 1);
    add_burst(&variants_of_bulk, 0.35, "bulk, ", 32, FIFO, 1);
    add_pair(&variants_of_cap, 1.0, "capped, pair");
    for (size_t b = 0; b < 2; b++) {
        for (size_t t = 0; t < 3; t++)
            add_burst(&variants_of_cap, 1.0, "capped, ", bursts[b], LIFO, threads[t]);
    }
}

/* Frees that wait for readers, of which there are none: what does the waiting cost? */
static void add_deferred(void)
{
    for (unsigned threads = 1; deferrers.n > 0 && threads <= 2; threads++) {
        add_burst(&deferrers, 1.0, "deferred, ", 256, FIFO, threads);
        add_burst(&deferrers_or_not, 1.5, "or at once, ", 256, FIFO, threads);
    }
    if (deferrers.n > 0) {
        row_add_single(&deferrers, "deferred of 10M,");
        struct row *row = row_add(&deferrers, 0, "deferred of 10M, MiB waiting");
        row->run = run_waiting;
        row->part[0].unit = "MiB";
    }
}

void allocator_rows_add(void)
{
    add_against_peers();
    add_handed_over();
    add_of_all_kinds();
    add_fresh();
    add_growth();
    add_life();
    add_among_ours();
    add_deferred();
}
