/* SPDX-License-Identifier: MIT */
/*
 * soak.h - the soak: all that the library can do, by 64 threads at once, for as long as asked.
 *
 *     ./stress_soak 3600     rounds for an hour; each ends with all memory back
 *
 * It has parts, each with objects of its own to work on, and in each turn a thread works on one.
 */
#ifndef TESTS_STRESS_SOAK_H
#define TESTS_STRESS_SOAK_H

#include "stress.h"

#define SOAK_THREADS 64

/* What has been done, and how often. */
struct soak_tally {
    const char *what;
    atomic_size_t times;
};

struct soak_part {
    const char *name;
    size_t weight; /* of so many turns, against the other parts */
    void (*open)(uint64_t *random);
    void (*turn)(size_t thread, uint64_t *random);
    void (*leave)(size_t thread, uint64_t *random); /* a thread's last call; may be NULL */
    void (*close)(void);        /* all threads are gone: checks that nothing is lost */
    struct soak_tally *tallies; /* up to one without a name; all must have happened */
};

extern const struct soak_part soak_pools, soak_levels, soak_buffers, soak_epochs;

static inline void soak_count(struct soak_tally *tally, size_t n)
{
    atomic_fetch_add_explicit(&tally->times, n, memory_order_relaxed);
}

#endif
