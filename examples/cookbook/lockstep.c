/* SPDX-License-Identifier: MIT */
/*
 * lockstep.c - a step of a game that is computed on several machines at once, or replayed: jobs
 * that any worker runs, and events in the same order whoever was faster.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_WORKERS = 4, JOBS = 500, STEPS = 10 };

struct event {
    uint32_t job, damage;
};

#define VF_T    struct event
#define VF_N    6
#define VF_NAME events
#include <veryfast/smallbuf.h>

static events step_events;
static atomic_uint next_job;

/* Some jobs have much to tell, and most have little. */
static void run_job(uint32_t job)
{
    events_writer writer;
    events_writer_open_keyed(&writer, &step_events, job);
    uint32_t hits = job % 50 == 0 ? 300 : job % 4;
    for (uint32_t i = 0; i < hits; i++) {
        if (!events_writer_push(&writer, (struct event){job, i * i}))
            abort(); /* no memory: the machines would not agree */
    }
    events_writer_close(&writer);
}

/* Whichever worker is free runs the next job. */
static void *work(void *nothing)
{
    (void)nothing;
    for (uint32_t job; (job = atomic_fetch_add(&next_job, 1)) < JOBS;)
        run_job(job);
    return NULL;
}

/* FNV-1a, of Fowler, Noll and Vo. */
static uint64_t add(uint64_t sum, uint32_t value)
{
    return (sum ^ value) * UINT64_C(1099511628211);
}

/* In ascending order of jobs, and of each in the order in which it pushed. */
static uint64_t apply(uint64_t world)
{
    struct event *span;
    events_drain drain = events_drain_begin(&step_events);
    for (size_t n; (n = events_drain_span(&drain, &span)) > 0;) {
        for (size_t i = 0; i < n; i++)
            world = add(add(world, span[i].job), span[i].damage);
    }
    events_drain_end(&drain);
    return world;
}

static uint64_t play(int workers)
{
    uint64_t world = UINT64_C(14695981039346656037);
    for (int step = 0; step < STEPS; step++) {
        pthread_t threads[MOST_WORKERS];
        atomic_store(&next_job, 0);
        for (int i = 0; i < workers; i++) {
            if (pthread_create(&threads[i], NULL, work, NULL) != 0)
                abort();
        }
        for (int i = 0; i < workers; i++)
            pthread_join(threads[i], NULL);
        world = apply(world);
    }
    return world;
}

int main(void)
{
    uint64_t alone = play(1);
    uint64_t together = play(MOST_WORKERS);
    printf("worlds of 1 and %d workers: %s\n", MOST_WORKERS,
           alone == together ? "the same" : "different");
    events_destroy(&step_events);
    return alone == together ? 0 : 1;
}
