/*
 * explore.h - runs a scenario under every schedule of its threads within bounds.
 *
 * The library's own sources and the scenario are compiled with -fsanitize=thread and linked with
 * this runtime in place of the sanitizer's. One thread runs at a time; each atomic operation is a
 * point where another may go on (schedule.c). A load may return an older value where C11's orders
 * permit it, and plain accesses are checked for races (memory.c). Then the next schedule.
 *
 * A scenario is a file in scenarios/ that defines scenario(); it asserts what must hold, and its
 * name goes into meson.build. To run one, with the bounds and then with random schedules:
 *
 *     build/tests/explore/explore_depot_aba --preemptions 4 --stale 2
 *     build/tests/explore/explore_depot_aba --random 100000 --seed 7
 *
 * A failure prints what the threads did and the choices that led there; --replay CHOICES runs that
 * schedule again, with the same bounds. --seed 0 takes a fresh seed, and prints it. --must-fail
 * turns the verdict round, for a mutation that has to be found.
 *
 * Schedules that differ from another only in the order of what commutes are left out: see
 * contended.c, and schedule_wake in schedule.c. That costs no preemption, so the bounds hold.
 *
 * What it does not see: more preemptions or stale reads than the bounds; stores to one location
 * in another order than they ran in; loads that see stores from their future; a weak swap that
 * fails for no reason; sequential consistency is approximated from the strong side. It is stricter
 * than C11 in that a relaxed store ends a release sequence, as in C++20. Only "no error
 * within the bounds" follows from a run without one.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include <stddef.h>

void scenario(void);

/* Blocks of memory that the scenario and the library have; those of realloc apart. */
long explore_blocks(void);
size_t explore_bytes(void);

/* Of the allocations from now on, the first-th to the last-th are refused. */
void explore_refuse(long first, long last);

/* The system has no membarrier. */
void explore_no_membarrier(void);

#endif
