/* SPDX-License-Identifier: MIT */
/*
 * explore.h - runs a scenario under every schedule of its threads within bounds.
 *
 * README.md says how it works, what is bounded, and what it does not see.
 *
 * A scenario is a file in scenarios/ that defines scenario(); it asserts what must hold, and its
 * name goes into meson.build. To run one, with the bounds and then with random schedules:
 *
 *     build/tests/explore/explore_lost_level --preemptions 4 --stale 2
 *     build/tests/explore/explore_lost_level --random 100000 --seed 7
 *
 * A failure prints what the threads did and the choices that led there; --replay CHOICES runs that
 * schedule again, with the same bounds. --seed 0 takes a fresh seed, and prints it. --must-fail
 * turns the verdict round, for a mutation that has to be found.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stdbool.h>
#include <stddef.h>

void scenario(void);

/* A goal, known by its group and its name, both of which are constants: of all executions that the
   bounds allow, one must meet it. Schedules at random need not. */
void explore_sometimes(bool met, const char *group, const char *name);

/* Blocks of memory that the scenario and the library have; those of realloc apart. */
long explore_blocks(void);
size_t explore_bytes(void);

/* Of the allocations from now on, the first-th to the last-th are refused. */
void explore_refuse(long first, long last);

/* Calls that wake a thread which sleeps, whether one does or not. */
long explore_wakes(void);

/* The system has no membarrier. */
void explore_no_membarrier(void);

#endif
