/* SPDX-License-Identifier: MIT */
/*
 * main.c - the arguments, and one execution after another until there is no next one.
 *
 * Each begins with the program's variables as they were before the first: .data and .bss are copied
 * back, thread-local variables are set anew (threads.c), and memory is given out from the start
 * (libc.c). What the explorer itself keeps from one to the next is therefore behind pointers.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"

explorer *ex;
_Thread_local int self = -1;

enum { LEARN = 500 };

extern char __data_start[], _end[];

static void *first_thread(void *argument)
{
    scenario();
    return argument;
}

static void execute(const char *saved)
{
    memcpy(__data_start, saved, (size_t)(_end - __data_start));
    ex->cut = false;
    ex->threads = ex->position = ex->preemptions = ex->stale = ex->steps = 0;
    knowledge_reset();
    races_reset();
    memory_reset();
    libc_reset();
    thread_spawn(first_thread, NULL);
    sem_post(&ex->thread[0].baton);
    sem_wait(&ex->over);
    ex->executions++;
}

static bool next_plan(void)
{
    if (ex->replays) {
        return false;
    }
    if (ex->random) {
        return ex->executions < ex->limit;
    }
    if (next_choices()) {
        return true;
    }
    ex->passes++;
    return contended_learn();
}

/* Some schedules at random find most of what is contended, and save passes. */
static void learn_first(const char *saved)
{
    ex->random = true;
    for (int i = 0; i < LEARN; i++) {
        execute(saved);
    }
    ex->random = false;
    ex->goals = 0; /* to be met by what is enumerated */
    contended_learn();
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--must-fail") == 0) {
            ex->must_fail = true;
            continue;
        }
        if (strcmp(argv[i], "--preemptions") == 0) {
            ex->preemptions_allowed = atoi(value);
        } else if (strcmp(argv[i], "--stale") == 0) {
            ex->stale_allowed = atoi(value);
        } else if (strcmp(argv[i], "--random") == 0) {
            ex->random = true;
            ex->limit = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "--seed") == 0) {
            ex->first_seed = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "--replay") == 0) {
            ex->replays = true;
            ex->planned = (int)strnlen(value, CHOICES);
            for (int k = 0; k < ex->planned; k++) {
                ex->chosen[k] = (uint8_t)(value[k] - '0');
            }
        } else {
            fprintf(stderr, "unknown argument %s\n", argv[i]);
            exit(2);
        }
        i++;
    }
}

/* A seed of 0 stands for a fresh one. */
static void begin_random(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ex->first_seed == 0) {
        ex->first_seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    }
    ex->seed = ex->first_seed;
}

/* Handing on is quicker on one processor, and nothing ever runs at the same time. */
static void stay_on_one_processor(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv)
{
    stay_on_one_processor();
    ex = __real_calloc(1, sizeof *ex);
    ex->preemptions_allowed = ex->stale_allowed = 2;
    ex->first_seed = 1;
    threads_create();
    knowledge_create();
    races_create();
    memory_create();
    contended_create();
    libc_create();
    sem_init(&ex->over, 0, 0);
    read_arguments(argc, argv);
    begin_random();
    size_t size = (size_t)(_end - __data_start);
    char *saved = __real_calloc(1, size);
    memcpy(saved, __data_start, size);
    if (!ex->random && !ex->replays) {
        learn_first(saved);
    }
    do {
        execute(saved);
    } while (next_plan());
    bool good = ex->random || ex->replays || goals_met();
    print_bounds(good ? "no error" : "failed");
    fflush(stdout);
    _exit(good == ex->must_fail); /* the library's own end would run in no thread of the scenario */
}
