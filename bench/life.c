/*
 * life.c - rows on what comes late in the life of a program: a walk over objects that were
 * allocated in an old heap, the end of many at once, the memory that stays behind a peak. Every
 * sample takes a process of its own.
 */
#define _GNU_SOURCE
#include "allocators.h"
#include "deferrers.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define REPS_LIFE 5  /* at most: they take long */
#define QUICK     50 /* parts of the objects of a real run */

/* What a child is to do, and where its figures go. */
struct task {
    const struct variant *variant;
    struct work *work; /* shared with the parent */
    double resident[2];
};

static size_t life_reps(void)
{
    return options.reps < REPS_LIFE ? options.reps : REPS_LIFE;
}

/* A child's task, shared with it: so many objects, replacements, and per cent that are kept. */
static struct task *task_new(size_t objects, size_t replaced, size_t kept_percent, size_t again)
{
    size_t part = options.quick ? QUICK : 1;
    struct task *task = shared_memory(sizeof *task);
    task->work = shared_memory(sizeof *task->work);
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
    for (size_t rep = 0; rep < life_reps(); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(walk_child, task, &row->variants->all[v]);
            samples[0][v][rep] = life->walk_ns / (double)life->again;
        }
    }
    report(row, samples, life_reps());
}

static void end_child(void *context)
{
    struct task *task = context;
    age(task);
    task->variant->loops->end(task->work, 0);
}

void run_end(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(1000000, 0, 100, 0);
    const struct life *life = &task->work->life;
    for (size_t rep = 0; rep < life_reps(); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(end_child, task, &row->variants->all[v]);
            samples[0][v][rep] = life->end_ns / (double)life->objects;
        }
    }
    report(row, samples, life_reps());
}

/* Bytes of the process that are in memory and that it shares with nobody. */
static double resident(void)
{
    unsigned long size, all, shared;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu %lu", &size, &all, &shared) != 3)
        exit(1);
    fclose(file);
    return (double)(all - shared) * (double)sysconf(_SC_PAGESIZE);
}

static void resident_child(void *context)
{
    struct task *task = context;
    double before = resident();
    age(task);
    task->resident[0] = resident() - before;
    if (task->variant->give_back != NULL)
        task->variant->give_back();
    task->resident[1] = resident() - before;
}

void run_resident(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(10000000, 0, 1, 0);
    double live = (double)task->work->life.objects / 100;
    for (size_t v = 0; v < row->variants->n; v++) {
        run_child(resident_child, task, &row->variants->all[v]);
        for (size_t part = 0; part < 2; part++)
            samples[part][v][0] = task->resident[part] / live;
    }
    report(row, samples, 1);
}

/* The most that the process ever had in memory, in KiB. */
static double peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss;
}

/* Bursts of objects, of which few are live at a time: all else is waiting. */
static void waiting_child(void *context)
{
    static uint32_t order[256];
    struct task *task = context;
    for (uint32_t i = 0; i < 256; i++)
        order[i] = i;
    task->work->order = order;
    task->work->burst = 256;
    task->work->rounds = task->work->life.objects / 256;
    allocators_open();
    deferrers_open();
    workers_start(1);
    double before = peak();
    workers_time(1, task->variant->loops->burst, task->work);
    task->resident[0] = (peak() - before) / 1024;
}

void run_waiting(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(10000000, 0, 0, 0);
    for (size_t rep = 0; rep < life_reps(); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(waiting_child, task, &row->variants->all[v]);
            samples[0][v][rep] = task->resident[0];
        }
    }
    report(row, samples, life_reps());
}
