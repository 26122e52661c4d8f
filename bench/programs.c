/* SPDX-License-Identifier: MIT */
/*
 * programs.c - rows of programs that use what they allocate, see program_loops.h. Every sample
 * takes a process of its own, whose heap some rounds have warmed up and mixed.
 */
#include "allocators.h"
#include "rows.h"

#include <stdlib.h>

#define REPS_PROGRAM 5 /* at most: they take long */
#define LEVELS       9 /* of a tree, below its root */
#define LEVELS_QUICK 5
#define QUICK        50 /* parts of the rest of a real run */

/* Which of the loops is meant. */
typedef worker_body *choice(const struct loops *loops);

/* What a child is to do, and where its figures go. */
struct task {
    worker_body *body;
    struct work *work; /* shared with the parent */
};

static struct work *program_work(struct program program)
{
    struct work *work = work_new();
    work->program = program;
    work->program.clock = CLOCK_THREAD_CPUTIME_ID;
    return work;
}

static size_t part_of(size_t amount)
{
    return options.quick ? amount / QUICK : amount;
}

/* Beside a worker that sleeps. */
static void program_child(void *context)
{
    struct task *task = context;
    allocators_open();
    workers_start(1);
    task->body(task->work, 0);
}

/* Makes the samples of so many parts, from the given one on: ns of an operation, of which each part
   has as many as said. */
static void sample_programs(const struct row *row, struct work *work, choice *chosen, size_t from,
                            size_t parts, const size_t *operations, sample_set samples)
{
    for (size_t rep = 0; rep < reps_at_most(REPS_PROGRAM); rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            struct task task = {chosen(row->variants->all[v].loops), work};
            for (size_t part = 0; part < parts; part++)
                work->program.ns[part] = 0;
            if (!in_child(program_child, &task))
                exit(1);
            for (size_t part = 0; part < parts; part++)
                samples[from + part][v][rep] = work->program.ns[part] / (double)operations[part];
        }
    }
}

/* What is built, walked and dropped, and all of it first. */
static void sample_rounds(const struct row *row, struct work *work, choice *chosen, size_t nodes,
                          sample_set samples)
{
    size_t each = nodes * work->program.rounds;
    const size_t operations[] = {each, each, each};
    sample_programs(row, work, chosen, 1, 3, operations, samples);
    for (size_t v = 0; v < row->variants->n; v++) {
        for (size_t rep = 0; rep < reps_at_most(REPS_PROGRAM); rep++)
            samples[0][v][rep] = samples[1][v][rep] + samples[2][v][rep] + samples[3][v][rep];
    }
}

static worker_body *tree_of(const struct loops *loops)
{
    return loops->tree;
}

void run_tree(const struct row *row)
{
    static sample_set samples;
    size_t levels = options.quick ? LEVELS_QUICK : LEVELS;
    size_t nodes = 1;
    for (size_t level = 0; level < levels; level++)
        nodes = nodes * 4 + 1;
    struct work *work = program_work((struct program){.size = levels, .warm_up = 16, .rounds = 4});
    sample_rounds(row, work, tree_of, nodes, samples);
    samples_multiples(row, samples, 4, 2, reps_at_most(REPS_PROGRAM));
    report(row, samples, reps_at_most(REPS_PROGRAM));
}

static worker_body *document_of(const struct loops *loops)
{
    return loops->document;
}

/* About the same number of nodes, in one large document or in many. Small ones take less than the
   question for a thread's own clock should. */
void run_document(const struct row *row)
{
    static sample_set samples;
    size_t nodes = row->burst > 1000 ? part_of(row->burst) : row->burst;
    size_t rounds = part_of(560000) / nodes;
    struct work *work =
        program_work((struct program){.size = nodes, .warm_up = 2 * rounds, .rounds = rounds});
    if (nodes < 1000)
        work->program.clock = CLOCK_MONOTONIC;
    sample_rounds(row, work, document_of, nodes, samples);
    report(row, samples, reps_at_most(REPS_PROGRAM));
}

static worker_body *map_of(const struct loops *loops)
{
    return loops->map;
}

void run_map(const struct row *row)
{
    static sample_set samples;
    size_t entries = part_of(row->burst);
    struct work *work =
        program_work((struct program){.size = entries, .warm_up = 2 * entries, .rounds = entries});
    work->program.keys = shared_memory(entries * sizeof *work->program.keys);
    const size_t operations[] = {work->program.rounds, entries};
    sample_programs(row, work, map_of, 0, 2, operations, samples);
    report(row, samples, reps_at_most(REPS_PROGRAM));
}

static worker_body *anew_of(const struct loops *loops)
{
    return loops->anew;
}

void run_anew(const struct row *row)
{
    static sample_set samples;
    size_t objects = part_of(row->burst);
    struct work *work = program_work((struct program){.warm_up = 1});
    work_burst(work, 1, objects, RANDOM);
    const size_t operations[] = {objects, objects};
    sample_programs(row, work, anew_of, 0, 2, operations, samples);
    report(row, samples, reps_at_most(REPS_PROGRAM));
}
