/* SPDX-License-Identifier: MIT */
/*
 * fresh.c - rows that are measured on memory that nobody has used yet: every sample takes a
 * process of its own, a child of one that has called no allocator but malloc, and that hardly.
 */
#include "allocators.h"
#include "buffers.h"
#include "deferrers.h"
#include "rows.h"

#include <stdlib.h>

#define OBJECTS     10000000
#define OBJECTS_FEW 20000 /* in a quick run */
#define REPS_FRESH  7     /* at most: they take long */

/* What a child is to do, and where its figures go. */
struct task {
    const struct variant *variant;
    struct work *work; /* shared with the parent */
};

static size_t fresh_objects(void)
{
    return options.quick ? OBJECTS_FEW : OBJECTS;
}

/* Opens what a child measures. It does so itself, beside a worker that sleeps. */
static void begin(struct work *work, size_t slots)
{
    work->rounds = fresh_objects();
    work->objects = shared_memory(slots * sizeof *work->objects);
    allocators_open();
    deferrers_open();
    workers_start(1);
}

static void first_child(void *context)
{
    const struct task *task = context;
    begin(task->work, fresh_objects());
    task->variant->loops->first(task->work, 0);
}

static void single_child(void *context)
{
    const struct task *task = context;
    if (task->variant->buffer != NULL) {
        buffers_single(task->variant->buffer, fresh_objects(), task->work->single_ns);
        return;
    }
    begin(task->work, SINGLE_SLOTS);
    task->variant->loops->single(task->work, 0);
}

static void sample_in_child(void (*body)(void *task), const struct variant *variant,
                            struct work *work)
{
    struct task task = {variant, work};
    if (!in_child(body, &task))
        exit(1);
}

void run_first(const struct row *row)
{
    static sample_set samples;
    struct work *work = work_new();
    double objects = (double)fresh_objects();
    for (size_t rep = 0; rep < reps_at_most(REPS_FRESH); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            sample_in_child(first_child, &row->variants->all[v], work);
            for (size_t part = 0; part < 3; part++)
                samples[part][v][rep] = work->first_ns[part] / objects;
            samples[3][v][rep] = samples[1][v][rep] + samples[2][v][rep];
        }
    }
    report(row, samples, reps_at_most(REPS_FRESH));
}

static double slowest(const float *ns, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = ns[i] > most ? ns[i] : most;
    return (double)most;
}

#define SHARES 4
static const size_t one_in[SHARES] = {2, 100, 1000, 10000};

/* The ns that one call in so many takes, or more. */
static void slow(const float *ns, size_t n, double slow_ns[SHARES])
{
    static unsigned counts[1000000]; /* of calls, by their ns */
    size_t longest = sizeof counts / sizeof *counts - 1;
    for (size_t i = 0; i <= longest; i++)
        counts[i] = 0;
    for (size_t i = 0; i < n; i++)
        counts[(size_t)ns[i] < longest ? (size_t)ns[i] : longest]++;
    size_t calls = counts[longest];
    for (size_t share = SHARES; share-- > 0;) {
        while (calls < n / one_in[share])
            calls += counts[--longest];
        slow_ns[share] = (double)longest;
    }
}

/*
 * The slowest call of all may be the doing of the system, which stops threads at any time. But each
 * repetition makes the same calls, so what an allocator does at one of them it does each time:
 * the last part is the slowest of the calls, each taken at its quickest.
 */
void run_single(const struct row *row)
{
    static sample_set samples;
    size_t n = fresh_objects();
    float *least[VARIANTS_MOST];
    struct work *work = work_new();
    work->single_ns = shared_memory(n * sizeof *work->single_ns);
    for (size_t v = 0; v < row->variants->n; v++)
        least[v] = shared_memory(n * sizeof *least[v]);
    for (size_t rep = 0; rep < reps_at_most(REPS_FRESH); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            sample_in_child(single_child, &row->variants->all[v], work);
            for (size_t i = 0; i < n; i++) {
                if (rep == 0 || work->single_ns[i] < least[v][i])
                    least[v][i] = work->single_ns[i];
            }
            double slow_ns[SHARES];
            slow(work->single_ns, n, slow_ns);
            for (size_t share = 0; share < SHARES; share++)
                samples[share][v][rep] = slow_ns[share];
            samples[4][v][rep] = slowest(work->single_ns, n);
            samples[5][v][rep] = slowest(least[v], n);
        }
    }
    for (size_t v = 0; v < row->variants->n; v++) {
        for (size_t rep = 0; rep < reps_at_most(REPS_FRESH); rep++)
            samples[5][v][rep] = samples[5][v][reps_at_most(REPS_FRESH) - 1];
    }
    report(row, samples, reps_at_most(REPS_FRESH));
}
