/* SPDX-License-Identifier: MIT */
/* internal.h - what the parts of the explorer share; README.md says how they work together. */
#ifndef EXPLORE_INTERNAL_H
#define EXPLORE_INTERNAL_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THREADS = 8, MUTEXES = 64, CHOICES = 1 << 14, STEPS = 1 << 14, GOALS = 256 };

enum thread_state { RUNS, JOINS, LOCKS, SLEEPS, ENDED };

typedef struct explorer {
    /* the bounds, and what has been used of them */
    int preemptions_allowed, stale_allowed, preemptions, stale;
    /* the choices of this execution; those before `planned` are given */
    uint8_t chosen[CHOICES], options[CHOICES];
    int position, planned;
    bool random, replays, must_fail;
    bool cut; /* the rest of this execution is like that of another */
    uint64_t seed, first_seed, executions, limit;
    int passes;
    /* the threads; the one that holds the baton runs */
    struct {
        sem_t baton;
        enum thread_state state;
        int joined;
        void *mutex;
        uintptr_t word; /* until somebody wakes who waits for it */
        bool woken;
        /* preempted before this operation, and nothing has been done since that it depends on */
        bool asleep, pending_writes;
        uintptr_t pending;
        bool yielded;
    } thread[THREADS];
    int threads;
    sem_t over;
    /* what happened, for the report of a failure */
    struct {
        int thread;
        const char *what;
        uintptr_t address;
        uint64_t value;
    } step[STEPS];
    int steps;
    /* what has to happen in some execution */
    struct {
        const char *group, *name;
        bool met;
    } goal[GOALS];
    int goals;
} explorer;

/* All state lies behind pointers: the program's own data is set back for each execution. */
extern explorer *ex;
extern _Thread_local int self; /* -1: not a thread of the scenario */

/* The C library's own; calloc without it is that of the scenario. */
extern void *__real_calloc(size_t, size_t);

/* choices.c */
int choose(int n);
int choose_mostly_first(int n);
int choose_nothing(void);
bool next_choices(void);

/* schedule.c */
void schedule_point(uintptr_t address, bool writes);
void schedule_wake(uintptr_t address, bool writes);
void schedule_others(void);
void schedule_yield(void);
int threads_alive(void);
void thread_ended(void);

/* threads.c */
void threads_create(void);
int thread_spawn(void *(*call)(void *), void *argument);

/* report.c */
void note(const char *what, uintptr_t address, uint64_t value);
void print_bounds(const char *verdict);
_Noreturn void failure(const char *what, uintptr_t address);
bool goals_met(void);

/* contended.c */
void contended_create(void);
void contended_touch(uintptr_t address, bool writes);
bool contended(uintptr_t address);
bool contended_learn(void);

/* libc.c */
void libc_create(void);
void libc_reset(void);
bool mutex_is_free(const void *mutex);
bool memory_is_dead(uintptr_t address, size_t size);
void libc_thread_exit(void);

/* knowledge.c */
void knowledge_create(void);
void knowledge_reset(void);
void knowledge_spawn(int child);
void knowledge_join(int child);
void knowledge_lock(int mutex);
void knowledge_unlock(int mutex);
void knowledge_fence(int order);
void knowledge_full_barrier(void);

/* races.c */
void races_create(void);
void races_reset(void);

/* memory.c */
void memory_create(void);
void memory_reset(void);
void memory_plain(uintptr_t address, size_t size, bool writes);
uint64_t memory_load(uintptr_t address, size_t size, int order);
void memory_store(uintptr_t address, size_t size, uint64_t value, int order);
uint64_t memory_change(uintptr_t address, size_t size, uint64_t (*change)(uint64_t, uint64_t),
                       uint64_t operand, int order);
bool memory_swap(uintptr_t address, size_t size, uint64_t *expected, uint64_t desired, int order,
                 int failure_order);

#endif
