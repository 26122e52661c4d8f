/* SPDX-License-Identifier: MIT */
/*
 * report.c - what happened in this execution, and what is printed of it when it fails:
 *
 *       T1 load         0x7f6a3c300080 0x40000002       thread, operation, address, value
 *       ...
 *     T1: data race 0x7f6a3c300104                      what failed, and where; of an assertion
 *                                                       its text, and its line as the address
 *     --preemptions 2 --stale 2 --replay 0100021...     arguments that run this schedule again
 *     failed: 327 executions in 0 passes, 2 preemptions, 2 stale reads
 */
#include "internal.h"

#include <stdio.h>
#include <unistd.h>

#include "explore.h"

void note(const char *what, uintptr_t address, uint64_t value)
{
    if (ex->threads == 1) {
        return; /* the preparation of the scenario */
    }
    if (ex->steps == STEPS) {
        failure("an execution does not end", 0);
    }
    ex->step[ex->steps].thread = self;
    ex->step[ex->steps].what = what;
    ex->step[ex->steps].address = address;
    ex->step[ex->steps++].value = value;
}

void print_bounds(const char *verdict)
{
    printf("%s: %llu executions", verdict, (unsigned long long)ex->executions);
    if (ex->random) {
        printf(", random, --seed %llu", (unsigned long long)ex->first_seed);
    } else {
        printf(" in %d passes", ex->passes);
    }
    printf(", %d preemptions, %d stale reads\n", ex->preemptions_allowed, ex->stale_allowed);
}

_Noreturn void failure(const char *what, uintptr_t address)
{
    for (int i = 0; i < ex->steps; i++) {
        printf("  T%d %-12s %#lx %#llx\n", ex->step[i].thread, ex->step[i].what,
               (unsigned long)ex->step[i].address, (unsigned long long)ex->step[i].value);
    }
    printf("T%d: %s %#lx\n", self, what, (unsigned long)address);
    printf("--preemptions %d --stale %d --replay ", ex->preemptions_allowed, ex->stale_allowed);
    for (int i = 0; i < ex->position; i++) {
        putchar('0' + ex->chosen[i]);
    }
    putchar('\n');
    ex->executions++;
    print_bounds("failed");
    fflush(stdout);
    _exit(ex->must_fail ? 0 : 1);
}

void explore_sometimes(bool met, const char *group, const char *name)
{
    int i = 0;
    while (i < ex->goals && (ex->goal[i].group != group || ex->goal[i].name != name)) {
        i++;
    }
    if (i == GOALS) {
        failure("too many goals", 0);
    }
    if (i == ex->goals) {
        ex->goal[i].group = group;
        ex->goal[i].name = name;
        ex->goal[i].met = false;
        ex->goals++;
    }
    ex->goal[i].met = ex->goal[i].met || met;
}

/* Prints those that are not. */
bool goals_met(void)
{
    bool all = true;
    for (int i = 0; i < ex->goals; i++) {
        if (!ex->goal[i].met) {
            printf("no execution: %s: %s\n", ex->goal[i].group, ex->goal[i].name);
            all = false;
        }
    }
    return all;
}
