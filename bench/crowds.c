/* SPDX-License-Identifier: MIT */
/*
 * crowds.c - rows of one pool that several threads share, some of which sleep: few free slots
 * among many objects, slots that a sleeping thread has freed, growth beside threads that have used
 * the pool once. Every sample takes a process of its own.
 */
#include "allocators.h"
#include "rows.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define REPS_CROWD 5     /* at most: they take long */
#define QUICK      50    /* parts of the objects, and of the threads, of a real run */
#define STACK      65536 /* of a thread that sleeps */
#define CROWDS     3
static const size_t crowds[CROWDS] = {0, 256, 4096}; /* threads that sleep */

/* What a child is to do, and where its figures go. */
struct task {
    const struct variant *variant;
    struct work *work; /* shared with the parent */
    size_t sleepers;
    double bytes;
};

static size_t part_of(size_t amount)
{
    return options.quick ? amount / QUICK : amount;
}

static struct task *task_new(size_t objects)
{
    struct task *task = shared_memory(sizeof *task);
    task->work = work_new();
    task->work->objects = shared_memory(objects * sizeof *task->work->objects);
    task->work->program.size = objects;
    task->work->program.clock = CLOCK_THREAD_CPUTIME_ID;
    return task;
}

static void run_child(void (*body)(void *task), struct task *task, const struct variant *variant)
{
    task->variant = variant;
    if (!in_child(body, task))
        exit(1);
}

static void crowded_child(void *context)
{
    struct task *task = context;
    allocators_open();
    workers_start(2);
    workers_time(2, task->variant->loops->crowded, task->work);
}

void run_crowded(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(part_of(row->burst));
    struct program *program = &task->work->program;
    program->free_percent = 5;
    program->warm_up = part_of(row->burst) / 2; /* each object once, about */
    program->rounds = part_of(row->burst) / 4;
    for (size_t rep = 0; rep < reps_at_most(REPS_CROWD); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            task->work->turns = 0;
            run_child(crowded_child, task, &row->variants->all[v]);
            samples[0][v][rep] = (program->ns[0] + program->ns[1]) / (2 * (double)program->rounds);
        }
    }
    report(row, samples, reps_at_most(REPS_CROWD));
}

/* Worker 0 sleeps as soon as it has freed its objects, and remains. */
static void asleep_child(void *context)
{
    struct task *task = context;
    worker_body *asleep = task->variant->loops->asleep;
    allocators_open();
    workers_start(2);
    task->work->program.turn = 0;
    workers_time(2, asleep, task->work);
    double before = memory_resident();
    task->work->program.turn = 1;
    workers_time(2, asleep, task->work);
    task->bytes = memory_resident() - before;
}

void run_asleep(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(part_of(row->burst));
    double objects = (double)task->work->program.size;
    for (size_t rep = 0; rep < reps_at_most(REPS_CROWD); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            run_child(asleep_child, task, &row->variants->all[v]);
            samples[0][v][rep] = task->work->program.ns[0] / objects;
            samples[1][v][rep] = task->bytes / objects;
        }
    }
    report(row, samples, reps_at_most(REPS_CROWD));
}

static sem_t used, never;

/* Uses the allocator once. */
static void *sleeper_main(void *context)
{
    struct task *task = context;
    task->variant->loops->pair(task->work, 0);
    sem_post(&used);
    for (;;)
        sem_wait(&never);
    return NULL;
}

static void start_sleepers(struct task *task)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sem_init(&used, 0, 0);
    sem_init(&never, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    task->work->rounds = 1;
    for (size_t i = 0; i < task->sleepers; i++) {
        if (pthread_create(&thread, &attributes, sleeper_main, task) != 0) {
            fprintf(stderr, "cannot start thread %zu of %zu\n", i + 1, task->sleepers);
            exit(1);
        }
    }
    for (size_t i = 0; i < task->sleepers; i++) {
        while (sem_wait(&used) != 0) {
        }
    }
}

static void beside_child(void *context)
{
    struct task *task = context;
    allocators_open();
    workers_start(1);
    start_sleepers(task);
    task->work->rounds = task->work->program.size;
    task->variant->loops->first(task->work, 0);
}

/* The last part is the multiple of the first that the one before it is. */
void run_beside(const struct row *row)
{
    static sample_set samples;
    struct task *task = task_new(part_of(row->burst));
    for (size_t rep = 0; rep < reps_at_most(REPS_CROWD); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            for (size_t crowd = 0; crowd < CROWDS; crowd++) {
                task->sleepers = part_of(crowds[crowd]);
                run_child(beside_child, task, &row->variants->all[v]);
                samples[crowd][v][rep] = task->work->first_ns[0] / (double)task->work->program.size;
            }
            samples[CROWDS][v][rep] = samples[CROWDS - 1][v][rep] / samples[0][v][rep];
        }
    }
    report(row, samples, reps_at_most(REPS_CROWD));
}
