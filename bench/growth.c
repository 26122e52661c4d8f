/* SPDX-License-Identifier: MIT */
/*
 * growth.c - how the cost of an object grows with the objects that are live: each is allocated,
 * and then they are freed in random order. Every sample takes a process of its own.
 */
#include "allocators.h"
#include "deferrers.h"
#include "rows.h"

#include <stdlib.h>

#define REPS_GROWTH 3 /* at most: they take long */
#define OBJECTS     2000000
#define QUICK       200000 /* objects, at most */

/* What a child is to do, and where its figures go. */
struct task {
    const struct variant *variant;
    const struct row *row;
    double ns, bytes; /* of an object */
};

static size_t live_of(const struct row *row)
{
    return options.quick && row->burst > QUICK ? QUICK : row->burst;
}

/* The first burst finds new memory, and shows how much; the others find what it has left. */
static void growth_child(void *context)
{
    struct task *task = context;
    struct work *work = work_new();
    worker_body *burst = task->variant->loops->burst;
    size_t live = live_of(task->row);
    size_t rounds = options.quick || live > OBJECTS ? 1 : OBJECTS / live;
    work_burst(work, 1, live, task->row->order);
    allocators_open();
    deferrers_open();
    workers_start(1);
    double before = memory_peak();
    work->rounds = 1;
    burst(work, 0);
    task->bytes = (memory_peak() - before) / (double)live;
    work->rounds = rounds;
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    burst(work, 0);
    task->ns = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)(live * rounds);
}

void run_growth(const struct row *row)
{
    static sample_set samples;
    struct task *task = shared_memory(sizeof *task);
    size_t reps = reps_at_most(REPS_GROWTH);
    for (size_t rep = 0; rep < reps; rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            *task = (struct task){&row->variants->all[v], row, 0, 0};
            if (!in_child(growth_child, task))
                exit(1);
            samples[0][v][rep] = task->ns;
            samples[1][v][rep] = task->bytes;
        }
    }
    report(row, samples, reps);
}
