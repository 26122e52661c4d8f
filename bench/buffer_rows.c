/* SPDX-License-Identifier: MIT */
/*
 * buffer_rows.c - the rows that compare the small buffer with what collects elements elsewhere.
 */
#include "buffers.h"

#include <stdio.h>
#include <stdlib.h>

/* Every row runs in a process of its own, and finds it zeroed. */
static struct buffer_work work;

/* Nobody may lose an element, or have it twice. */
static void check_sum(const struct variant *variant, unsigned threads)
{
    uint64_t sum = 0;
    for (unsigned worker = 0; worker < threads; worker++) {
        for (size_t i = 0; i < work.each; i++)
            sum += element(worker, i);
    }
    if (work.sum != sum) {
        fprintf(stderr, "%s: has lost elements\n", variant->name);
        exit(1);
    }
}

/* How many rounds of so many operations make about *operations; at least one. */
static size_t rounds_of(size_t *operations, size_t once)
{
    size_t rounds = *operations < once ? 1 : *operations / once;
    *operations = rounds * once;
    return rounds;
}

static double sample_inside(const struct row *row, const struct variant *variant,
                            size_t *operations)
{
    (void)row;
    work.rounds = rounds_of(operations, INSIDE);
    return workers_time(1, variant->buffer->inside, &work);
}

static double sample_fresh(const struct row *row, const struct variant *variant, size_t *operations)
{
    (void)row;
    work.rounds = rounds_of(operations, FEW_PUSH);
    return workers_time(1, variant->buffer->fresh, &work);
}

/* Rounds of a fill and a drain: the time of either. */
static double sample_fills(const struct row *row, const struct variant *variant, size_t *operations,
                           bool drains)
{
    unsigned threads = row->threads;
    work.each = FILL / threads;
    double fill_ns = 0;
    double drain_ns = 0;
    for (size_t rounds = rounds_of(operations, work.each * threads); rounds > 0; rounds--) {
        fill_ns += workers_time(threads, variant->buffer->fill, &work);
        drain_ns += workers_time(1, variant->buffer->drain, &work);
    }
    if (variant->kind != ASIDE)
        check_sum(variant, threads);
    return drains ? drain_ns : fill_ns;
}

static double sample_fill(const struct row *row, const struct variant *variant, size_t *operations)
{
    return sample_fills(row, variant, operations, false);
}

static double sample_drain(const struct row *row, const struct variant *variant, size_t *operations)
{
    return sample_fills(row, variant, operations, true);
}

/* As many messages as there are mailboxes, to random ones, and a visit to all of these. */
static double sample_many(const struct row *row, const struct variant *variant, size_t *operations)
{
    unsigned threads = row->threads;
    work.each = MAILBOXES / threads;
    double ns = 0;
    for (size_t rounds = rounds_of(operations, work.each * threads); rounds > 0; rounds--) {
        ns += workers_time(threads, variant->buffer->send, &work);
        ns += workers_time(1, variant->buffer->receive, &work) / workers_processors(threads);
    }
    check_sum(variant, threads);
    return ns;
}

static void open_many(const struct row *row)
{
    buffer_rows_open(row);
    for (size_t v = 0; v < row->variants->n; v++)
        row->variants->all[v].buffer->make_many(&work, 0);
}

void buffer_rows_open(const struct row *row)
{
    buffers_open();
    workers_start(row->threads);
    for (size_t v = 0; v < row->variants->n; v++)
        row->variants->all[v].buffer->make(&work, 0);
}

static void add_fill(const struct variants *variants, double goal, const char *name,
                     unsigned threads)
{
    struct row *row = row_add(variants, goal, "%s, %uT", name, threads);
    row->sample = sample_fill;
    row->threads = threads;
}

void buffer_rows_add(void)
{
    row_add(&buffers_inside, 1.05, "inside")->sample = sample_inside;
    row_add(&buffers_exclusive, 1.3, "inside, exclusive")->sample = sample_inside;
    row_add(&buffers_fresh, 1.0, "fresh, 8 pushes, drain")->sample = sample_fresh;
    for (unsigned threads = 1; threads <= 16; threads *= threads == 1 ? 2 : 8) {
        add_fill(&buffers_limit, 1.1, "to the limit", threads);
        add_fill(&buffers_push, 1.0, "push", threads);
        if (threads <= 2) /* a ring's producers wait for one another, each for a time slice */
            add_fill(&buffers_writer, 1.0, "writer", threads);
        add_fill(&buffers_lanes, 1.0, "lanes", threads);
        add_fill(&buffers_lanes_flip, 1.0, "lanes with flips", threads);
        add_fill(&buffers_push_n, 1.0, "push 64 at once", threads);
        add_fill(&buffers_single_or_n, 0.1, "64 at once or single", threads);
        add_fill(&buffers_flip, threads == 1 ? 2.2 : 0, "flip", threads);
    }
    row_add_single(&buffers_calls, "push of 10M,");
    row_add(&buffers_drain, 1.1, "drain")->sample = sample_drain;
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct row *row = row_add(&buffers_many, 1.0, "100,000 mailboxes, %uT", threads);
        row->sample = sample_many;
        row->open = open_many;
        row->threads = threads;
    }
}
