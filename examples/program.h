/* SPDX-License-Identifier: MIT */
/*
 * program.h - what the example programs have in common: numbers as arguments, time, memory,
 * threads. They define _DEFAULT_SOURCE, which glibc and musl want for what is not C's own; where
 * macOS and the BSDs hear of a standard, they hide what is not in that.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "barrier.h"

#define MOST_THREADS 1024

static inline size_t processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

static inline double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A program's last lines: the most memory that it had, or 0 where the system does not say, and the
   time taken. */
static inline void print_end(double time)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
#ifdef __APPLE__ /* which counts bytes */
        usage.ru_maxrss /= 1024;
#endif
        printf("peak %ld KiB\n", usage.ru_maxrss);
    }
    printf("time %.3f s\n", time);
}

/* False where the text is no number, or one that is out of range. */
static inline bool parse_number(const char *text, size_t least, size_t most, size_t *number)
{
    char *end;
    errno = 0;
    uintmax_t value = strtoumax(text, &end, 10);
    *number = (size_t)value;
    return *text >= '0' && *text <= '9' && !*end && !errno && value >= least && value <= most;
}

/* The next random number: the generator SplitMix64. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

/* 0 .. n - 1 */
static inline size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)(next_random(state) % n);
}

struct team {
    void (*run)(void *context);
    void *context;
    pthread_mutex_t gate; /* held until all threads are there and the barrier knows how many */
    bool called_off;
};

static inline void *team_member(void *argument)
{
    struct team *team = (struct team *)argument; /* in C++ too */
    pthread_mutex_lock(&team->gate);
    pthread_mutex_unlock(&team->gate);
    if (!team->called_off)
        team->run(team->context);
    return NULL;
}

/*
 * Runs run(context) on this thread and others, fewer than asked for where the system refuses them,
 * and returns how many they were. The barrier, if one is given, is made for them all while this
 * runs; where that fails nothing is run, and the result is 0.
 */
static inline size_t run_threads(size_t threads, void (*run)(void *context), void *context,
                                 struct barrier *barrier)
{
    struct team team = {run, context, PTHREAD_MUTEX_INITIALIZER, false};
    pthread_t others[MOST_THREADS];
    size_t started = 0;
    pthread_mutex_lock(&team.gate);
    while (started + 1 < threads && !pthread_create(&others[started], NULL, team_member, &team))
        started++;
    team.called_off = barrier && !barrier_init(barrier, started + 1);
    pthread_mutex_unlock(&team.gate);
    team_member(&team);
    for (size_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    if (barrier && !team.called_off)
        barrier_destroy(barrier);
    return team.called_off ? 0 : started + 1;
}

#endif
