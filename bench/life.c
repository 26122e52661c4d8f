/* SPDX-License-Identifier: MIT */
/*
 * life.c - rows on what comes late in the life of a program: a walk over objects that were
 * allocated in an old heap, the end of many at once, the memory that stays behind a peak. Every
 * sample takes a process of its own.
 */
#include "allocators.h"
#include "deferrers.h"
#include "rows.h"

#include <stdlib.h>

#define REPS_LIFE 5  /* at most: they take long */
#define QUICK     50 /* parts of the objects of a real run */

/* What a child is to do, and where its figures go. */
struct task {
    const struct variant *variant;
    struct work *work; /* shared with the parent */
    double bytes[3];
};

/* A child's task, shared with it: so many objects, replacements, and per cent that are kept. */
static struct task *task_new(size_t objects, size_t replaced, size_t kept_percent, size_t again)
{
    size_t part = options.quick ? QUICK : 1;
    struct task *task = shared_memory(sizeof *task);
    task->work = work_new();
    task->work->objects = shared_memory(objects / part * sizeof *task->work->objects);
    task->work->life =
        (struct life){objects / part, replaced / part, kept_percent, again / part, 0, 0};
    return task;
}

static void age(struct task *task)
{
    allocators_open();
    workers_start(1);
    task->variant->loops->age(task->work, 0);
}

static void run_child(void (*body)(void *task), struct task *task, const struct variant *variant)
{
    task->variant = variant;
    if (!in_child(body, task))
        exit(1);
}

static void walk_child(void *context)
{
    struct task *task = context;
    age(task);
    if (task->variant->give_back != NULL)
        task->variant->give_back();
    task->variant->loops->walk(task->work, 0);
}

void run_walk(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(1000000, 4000000, 50, 500000);
    const struct life *life = &task->work->life;
    for (size_t rep = 0; rep < reps_at_most(REPS_LIFE); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(walk_child, task, &row->variants->all[v]);
            samples[0][v][rep] = life->walk_ns / (double)life->again;
        }
    }
    report(row, samples, reps_at_most(REPS_LIFE));
}

static void end_child(void *context)
{
    struct task *task = context;
    age(task);
    task->variant->loops->end(task->work, 0);
    if (task->variant->give_back != NULL) {
        double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        task->variant->give_back();
        task->work->life.end_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
}

void run_end(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(1000000, 0, 100, 0);
    const struct life *life = &task->work->life;
    for (size_t rep = 0; rep < reps_at_most(REPS_LIFE); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(end_child, task, &row->variants->all[v]);
            samples[0][v][rep] = life->end_ns / (double)life->objects;
        }
    }
    report(row, samples, reps_at_most(REPS_LIFE));
}

static void resident_child(void *context)
{
    struct task *task = context;
    double before = memory_resident();
    age(task);
    task->bytes[0] = memory_resident() - before;
    if (task->variant->give_back != NULL)
        task->variant->give_back();
    task->bytes[1] = memory_resident() - before;
}

void run_resident(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(10000000, 0, 1, 0);
    double live = (double)task->work->life.objects / 100;
    for (size_t v = 0; v < row->variants->n; v++) {
        run_child(resident_child, task, &row->variants->all[v]);
        for (size_t part = 0; part < 2; part++)
            samples[part][v][0] = task->bytes[part] / live;
    }
    report(row, samples, 1);
}

static void held_child(void *context)
{
    struct task *task = context;
    double before = memory_peak();
    double resident = memory_resident();
    age(task);
    task->bytes[0] = memory_peak() - before;
    task->bytes[1] = memory_resident() - resident;
    if (task->variant->give_back != NULL)
        task->variant->give_back();
    task->bytes[2] = memory_resident() - resident;
}

void run_held(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(1000000, 0, 0, 0);
    for (size_t v = 0; v < row->variants->n; v++) {
        run_child(held_child, task, &row->variants->all[v]);
        for (size_t part = 0; part < 3; part++)
            samples[part][v][0] = task->bytes[part] / (double)task->work->life.objects;
    }
    report(row, samples, 1);
}

/* Bursts of objects, of which few are live at a time: all else is waiting. */
static void waiting_child(void *context)
{
    struct task *task = context;
    work_burst(task->work, 1, 256, FIFO);
    task->work->rounds = task->work->life.objects / 256;
    allocators_open();
    deferrers_open();
    workers_start(1);
    double before = memory_peak();
    workers_time(1, task->variant->loops->burst, task->work);
    task->bytes[0] = (memory_peak() - before) / 1048576;
}

void run_waiting(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(10000000, 0, 0, 0);
    for (size_t rep = 0; rep < reps_at_most(REPS_LIFE); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(waiting_child, task, &row->variants->all[v]);
            samples[0][v][rep] = task->bytes[0];
        }
    }
    report(row, samples, reps_at_most(REPS_LIFE));
}
