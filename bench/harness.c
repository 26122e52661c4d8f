/* SPDX-License-Identifier: MIT */
/*
 * harness.c - see harness.h.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct worker {
    sem_t start;
    double began, ended;
    long switches; /* that it did not ask for, while it worked */
} workers[WORKERS_MOST];

/* What they are to do; written while all of them sleep. */
static struct {
    worker_body *body;
    void *context;
    unsigned active;
    unsigned arrivals;
    sem_t done;
} task;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *samples, size_t n, double *spread)
{
    qsort(samples, n, sizeof *samples, by_value);
    double middle = samples[n / 2];
    *spread = middle > 0 ? (samples[n * 3 / 4] - samples[n / 4]) / middle : 0;
    return middle;
}

/* The first and the last processor that the system lets us have: neighbours may be hyperthreads of
   one. False where it is one and the same. */
static bool find_processors(size_t ends[2])
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        fail("sched_getaffinity");
    ends[0] = 0;
    while (!CPU_ISSET(ends[0], &allowed))
        ends[0]++;
    ends[1] = CPU_SETSIZE - 1;
    while (!CPU_ISSET(ends[1], &allowed))
        ends[1]--;
    return ends[0] != ends[1];
}

double workers_processors(unsigned n)
{
    size_t ends[2];
    return n >= 2 && find_processors(ends) ? 2 : 1;
}

static long own_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static void *worker_main(void *number)
{
    unsigned id = (unsigned)(uintptr_t)number;
    struct worker *self = &workers[id];
    for (;;) {
        while (sem_wait(&self->start) != 0) {
        }
        meet(&task.arrivals, task.active);
        self->switches -= own_switches();
        self->began = now_ns();
        task.body(task.context, id);
        self->ended = now_ns();
        self->switches += own_switches();
        sem_post(&task.done);
    }
    return NULL;
}

/* Worker threads stay on their processor: left to itself the system wakes both of a pair on that
   of the thread that wakes them, and takes longer than a sample to part them. */
static void start_worker(unsigned id, size_t processor)
{
    pthread_t thread;
    cpu_set_t place;
    CPU_ZERO(&place);
    CPU_SET(processor, &place);
    sem_init(&workers[id].start, 0, 0);
    if (pthread_create(&thread, NULL, worker_main, (void *)(uintptr_t)id) != 0)
        fail("pthread_create");
    pthread_setaffinity_np(thread, sizeof place, &place);
    pthread_detach(thread);
}

void workers_start(unsigned n)
{
    size_t ends[2];
    find_processors(ends);
    sem_init(&task.done, 0, 0);
    for (unsigned id = 0; id < n; id++)
        start_worker(id, ends[id % 2]);
}

double workers_time(unsigned n, worker_body *body, void *context)
{
    task.body = body;
    task.context = context;
    task.active = n;
    task.arrivals = 0;
    for (unsigned id = 0; id < n; id++)
        sem_post(&workers[id].start);
    for (unsigned id = 0; id < n; id++) {
        while (sem_wait(&task.done) != 0) {
        }
    }
    double began = workers[0].began;
    double ended = workers[0].ended;
    for (unsigned id = 1; id < n; id++) {
        began = workers[id].began < began ? workers[id].began : began;
        ended = workers[id].ended > ended ? workers[id].ended : ended;
    }
    return ended - began;
}

bool workers_preempted(unsigned n)
{
    long switches = 0;
    for (unsigned id = 0; id < n; id++) {
        switches += workers[id].switches;
        workers[id].switches = 0;
    }
    return switches > 0 && n <= workers_processors(n);
}

bool in_child(void (*body)(void *context), void *context)
{
    fflush(NULL); /* or the child would write it too */
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        body(context);
        fflush(stdout);
        _exit(0);
    }
    int status;
    return waitpid(child, &status, 0) == child && status == 0;
}

double memory_resident(void)
{
    unsigned long size, all, shared;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu %lu", &size, &all, &shared) != 3)
        fail("/proc/self/statm");
    fclose(file);
    return (double)(all - shared) * (double)sysconf(_SC_PAGESIZE);
}

double memory_peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

void *made(void *what)
{
    if (what == NULL)
        fail("veryfast");
    return what;
}

void *shared_memory(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}
