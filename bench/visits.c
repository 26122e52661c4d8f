/* SPDX-License-Identifier: MIT */
/*
 * visits.c - a visit to all live objects, of which there are more or fewer among the slots, as a
 * multiple of what it takes where just the live ones lie side by side in an array. Every sample
 * takes a process of its own.
 */
#include "visits.h"

#include "rows.h"

#include <stdlib.h>

#define OBJECTS     200000
#define REPS_VISITS 11 /* at most */
#define QUICK       20 /* parts of the objects of a real run */

#define VF_T    struct object
#define VF_N    4096
#define VF_NAME visited
#include <veryfast/pool.h>

static const unsigned percent[VISIT_SHARES] = {100, 50, 10}; /* that are live */

/* The objects that live as long as the share, or longer. */
static bool is_live(const struct visits *visits, size_t i, size_t share)
{
    return visits->share[i] >= share;
}

/* ---- the pool ---- */

static void visit_one(struct object *object, void *sum)
{
    visit(object, sum);
}

/* Passes over the pool: how long they took. */
typedef double passes_time(struct visits *visits, visited *pool);

static double each_time(struct visits *visits, visited *pool)
{
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
        if (!visited_each(pool, visit_one, &visits->sum))
            exit(1);
    }
    return clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static double walk_time(struct visits *visits, visited *pool)
{
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
        visited_walk walk = visited_walk_begin(pool);
        for (struct object *object; (object = visited_walk_next(&walk)) != NULL;)
            visit(object, &visits->sum);
    }
    return clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* What two workers share; each has a sum on a line of its own. */
struct parts {
    visited *pool;
    struct {
        _Alignas(64) uint64_t sum;
    } of[2];
};

static void walk_part(void *context, unsigned worker)
{
    struct parts *parts = context;
    for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
        visited_walk walk = visited_walk_part(parts->pool, worker, 2);
        for (struct object *object; (object = visited_walk_next(&walk)) != NULL;)
            visit(object, &parts->of[worker].sum);
    }
}

static double two_time(struct visits *visits, visited *pool)
{
    struct parts parts = {.pool = pool};
    double ns = workers_time(2, walk_part, &parts);
    visits->sum += parts.of[0].sum + parts.of[1].sum;
    return ns;
}

static void visit_pool(struct visits *visits, passes_time *time_of)
{
    visited *pool = made(visited_new(NULL));
    struct object **objects = made(calloc(visits->objects, sizeof(struct object *)));
    for (size_t i = 0; i < visits->objects; i++) {
        objects[i] = made(visited_alloc(pool));
        *objects[i] = (struct object){{i}};
    }
    for (size_t share = 0; share < VISIT_SHARES; share++) {
        for (size_t i = 0; i < visits->objects; i++) {
            if (!is_live(visits, i, share)) {
                visited_free(pool, objects[i]);
                objects[i] = NULL;
            }
        }
        visits->ns[share] = time_of(visits, pool);
    }
}

static void visit_by_each(struct visits *visits)
{
    visit_pool(visits, each_time);
}

static void visit_by_walk(struct visits *visits)
{
    visit_pool(visits, walk_time);
}

static void visit_by_two(struct visits *visits)
{
    visit_pool(visits, two_time);
}

/* ---- arrays: of the objects, and of pointers to them, with those that are gone squeezed out ----
 */

static void array_passes(struct visits *visits, struct object *objects, size_t live)
{
    for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
        for (size_t i = 0; i < live; i++)
            visit(&objects[i], &visits->sum);
    }
}

static void visit_array(struct visits *visits)
{
    struct object *objects = made(calloc(visits->objects, sizeof(struct object)));
    for (size_t i = 0; i < visits->objects; i++)
        objects[i] = (struct object){{i}};
    for (size_t share = 0; share < VISIT_SHARES; share++) {
        double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        array_passes(visits, objects, visits->live[share]);
        visits->ns[share] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
}

static size_t squeeze(const struct visits *visits, size_t share, struct object *objects,
                      struct object **pointers)
{
    size_t live = 0;
    for (size_t i = 0; i < visits->objects; i++) {
        if (is_live(visits, i, share))
            pointers[live++] = &objects[i];
    }
    return live;
}

static void visit_pointers(struct visits *visits)
{
    struct object *objects = made(calloc(visits->objects, sizeof(struct object)));
    struct object **pointers = made(calloc(visits->objects, sizeof(struct object *)));
    for (size_t i = 0; i < visits->objects; i++)
        objects[i] = (struct object){{i}};
    for (size_t share = 0; share < VISIT_SHARES; share++) {
        size_t live = squeeze(visits, share, objects, pointers);
        double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t pass = 0; pass < VISIT_PASSES; pass++) {
            for (size_t i = 0; i < live; i++)
                visit(pointers[i], &visits->sum);
        }
        visits->ns[share] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
}

/* ---- the row ---- */

static struct variants variants_of_visit;

static void find_visits(void)
{
    variant_add(&variants_of_visit, "P_each", OURS)->visit = visit_by_each;
    variant_add(&variants_of_visit, "P_walk", OURS)->visit = visit_by_walk;
    variant_add(&variants_of_visit, "two walk", ASIDE)->visit = visit_by_two;
    variant_add(&variants_of_visit, "array", BASE)->visit = visit_array;
    variant_add(&variants_of_visit, "pointers", ASIDE)->visit = visit_pointers;
#if HAVE_COLONY
    variant_add(&variants_of_visit, "plf::colony", PEER)->visit = visit_colony;
#endif
}

static struct visits *visits_new(void)
{
    struct visits *visits = shared_memory(sizeof *visits);
    visits->objects = options.quick ? OBJECTS / QUICK : OBJECTS;
    uint8_t *share_of = shared_memory(visits->objects);
    uint64_t random = 42;
    for (size_t i = 0; i < visits->objects; i++) {
        uint64_t place = next_random(&random) % 100;
        for (size_t share = 0; share < VISIT_SHARES && place < percent[share]; share++) {
            share_of[i] = (uint8_t)share;
            visits->live[share]++;
        }
    }
    visits->share = share_of;
    return visits;
}

/* What a child is to do. */
struct task {
    void (*visit)(struct visits *visits);
    struct visits *visits;
};

static void visit_child(void *context)
{
    struct task *task = context;
    workers_start(2);
    task->visit(task->visits);
}

void run_visit(const struct row *row)
{
    static sample_set samples;
    struct visits *visits = visits_new();
    size_t reps = reps_at_most(REPS_VISITS);
    for (size_t rep = 0; rep < reps; rep++) {
        for (size_t v = 0; v < row->variants->n; v++) {
            struct task task = {row->variants->all[v].visit, visits};
            if (!in_child(visit_child, &task))
                exit(1);
            for (size_t share = 0; share < VISIT_SHARES; share++)
                samples[share][v][rep] =
                    visits->ns[share] / (double)(VISIT_PASSES * visits->live[share]);
        }
    }
    for (size_t share = 0; share < VISIT_SHARES; share++)
        samples_multiples(row, samples, VISIT_SHARES + share, share, reps);
    report(row, samples, reps);
}

void visit_rows_add(void)
{
    find_visits();
    struct row *row = row_add(&variants_of_visit, 0, "visit,");
    row->run = run_visit;
    row->parts = 2 * VISIT_SHARES;
    row->part[0] = (struct part){.name = " 100 % live"};
    row->part[1] = (struct part){.name = " 50 % live"};
    row->part[2] = (struct part){.name = " 10 % live"};
    row->part[3] = (struct part){" 100 % live / array", 1.3, "times", true};
    row->part[4] = (struct part){" 50 % live / array", 3, "times", true};
    row->part[5] = (struct part){" 10 % live / array", 6, "times", true};
}
