/* SPDX-License-Identifier: MIT */
/*
 * grace_periods.h - liburcu's part in a scenario: a thread that ends grace periods one after the
 * other. Nobody reads, so that each may be over at once.
 */
#ifndef EXPLORE_GRACE_PERIODS_H
#define EXPLORE_GRACE_PERIODS_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#include <urcu/urcu-memb.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct rcu_head *head;
    void (*call)(struct rcu_head *head);
} calls[8];
static int called, done;
static bool stopped;
static _Thread_local bool after_grace_period; /* of the thread that ends them */

static void call(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
    pthread_mutex_lock(&lock);
    calls[called].head = head;
    calls[called++].call = function;
    pthread_mutex_unlock(&lock);
}

/* How many of the calls are still to be done. */
static int waiting(bool *stop)
{
    pthread_mutex_lock(&lock);
    int n = called - done;
    *stop = stopped;
    pthread_mutex_unlock(&lock);
    return n;
}

/* What the thread runs, until it is stopped and no call is left. */
static void *end_grace_periods(void *argument)
{
    bool stop = false;
    after_grace_period = true;
    for (int n; (n = waiting(&stop)) > 0 || !stop;) {
        if (n == 0) {
            sched_yield();
            continue;
        }
        calls[done].call(calls[done].head);
        pthread_mutex_lock(&lock);
        done++;
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void stop_grace_periods(void)
{
    pthread_mutex_lock(&lock);
    stopped = true;
    pthread_mutex_unlock(&lock);
}

static int so_far(const int *number)
{
    pthread_mutex_lock(&lock);
    int n = *number;
    pthread_mutex_unlock(&lock);
    return n;
}

/* As liburcu's, it does not wait for what is called meanwhile. */
static void barrier(void)
{
    int last = so_far(&called);
    while (so_far(&done) < last) {
        sched_yield();
    }
}

static const struct rcu_flavor_struct grace_periods = {.update_call_rcu = call, .barrier = barrier};

#endif
