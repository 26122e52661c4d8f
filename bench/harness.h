/* SPDX-License-Identifier: MIT */
/*
 * harness.h - time, medians, threads and processes for benchmarks. Read by C and C++, which has no
 * <stdatomic.h> yet: hence the compilers' own atomic operations.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WORKERS_MOST 64

static inline double clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* xorshift64*, Vigna 2016 */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* In a loop that waits for another thread: which, with fewer processors, may not be running. */
static inline void wait_a_little(unsigned *spins)
{
    if (++*spins % 1024 == 0)
        sched_yield();
}

/* Waits until n threads have arrived, as often as they do. Arrivals start at 0. */
static inline void meet(unsigned *arrivals, unsigned n)
{
    unsigned all = (__atomic_fetch_add(arrivals, 1, __ATOMIC_ACQ_REL) / n + 1) * n;
    unsigned spins = 0;
    while ((int)(__atomic_load_n(arrivals, __ATOMIC_ACQUIRE) - all) < 0)
        wait_a_little(&spins);
}

#ifdef __cplusplus
extern "C" {
#endif

/* Sorts the n samples; their median. *spread: their interquartile range, as a part of it. */
double median(double *samples, size_t n, double *spread);

typedef void worker_body(void *context, unsigned worker);

/*
 * Starts n workers, who then sleep. Nothing is measured before: in a process that has one thread
 * only, glibc leaves the atomic operations out of its locks, and its figures mean nothing.
 */
void workers_start(unsigned n);

/* The first n workers run the body: ns from when the first begins until the last is done. */
double workers_time(unsigned n, worker_body *body, void *context);

/* Was a worker held up by another program, since this was last asked? Never where n workers share
   processors: there they hold up one another. */
bool workers_preempted(unsigned n);

/* How many processors n workers use: two at most. */
double workers_processors(unsigned n);

/* Runs the body in a process of its own; false if that did not end well. */
bool in_child(void (*body)(void *context), void *context);

/* Bytes of the process that are in memory, and that it shares with nobody; the most that it ever
   had there. */
double memory_resident(void);
double memory_peak(void);

/* Zeroed memory that a child's writes to are seen by its parent; touched already, so that timed
   loops find no page missing. Not from malloc, which is among the measured. */
void *shared_memory(size_t size);

/* What was made; ends the program if that is nothing. */
void *made(void *what);

#ifdef __cplusplus
}
#endif

#endif
