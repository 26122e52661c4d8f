/* SPDX-License-Identifier: MIT */
/*
 * schedule.c - who runs next.
 *
 *     point of A            point of A              A has nothing to do, waits, or ends
 *         |                     |                           |
 *      A goes on            A is preempted: costs one   another goes on: costs none
 *         |                     B goes on                   B goes on
 *
 * A point is before each atomic operation, each lock of a mutex, each membarrier. Everything else
 * that a thread does is its own, or races, which the first execution shows (races.c): to hand on
 * there would add nothing.
 */
#include "internal.h"

static bool can_run(int i)
{
    switch (ex->thread[i].state) {
    case RUNS:
        return true;
    case JOINS:
        return ex->thread[ex->thread[i].joined].state == ENDED;
    case LOCKS:
        return mutex_is_free(ex->thread[i].mutex);
    case SLEEPS:
        return ex->thread[i].woken;
    default:
        return false;
    }
}

/* Those that can run: the ones that sleep only if there is no other. */
static int others(int *list, int n, bool asleep)
{
    for (int i = 0; i < ex->threads; i++) {
        if (i != self && can_run(i) && ex->thread[i].asleep == asleep) {
            list[n++] = i;
        }
    }
    return n;
}

int threads_alive(void)
{
    int n = 0;
    for (int i = 0; i < ex->threads; i++) {
        n += ex->thread[i].state != ENDED;
    }
    return n;
}

static void hand_on(int next)
{
    sem_post(&ex->thread[next].baton);
    sem_wait(&ex->thread[self].baton);
}

/*
 * A thread that was preempted before an operation sleeps until another does something that this
 * depends on: if it went on before that, the same would happen as if it had been preempted behind
 * the operation. Where only such threads are left, the rest has been, or will be, run in that way.
 * (Godefroid's sleep sets; they cost no preemption, so that the bounds mean what they say.)
 */
void schedule_wake(uintptr_t address, bool writes)
{
    for (int i = 0; i < ex->threads; i++) {
        bool same = address == 0 || ex->thread[i].pending == 0 || ex->thread[i].pending == address;
        if (i != self && same && (writes || ex->thread[i].pending_writes)) {
            ex->thread[i].asleep = false;
        }
    }
}

/* Before an operation on the address, 0: on all: another thread may go on here. */
void schedule_point(uintptr_t address, bool writes)
{
    int list[THREADS] = {self};
    if (ex->cut || ex->preemptions == ex->preemptions_allowed) {
        return;
    }
    int n = others(list, 1, false);
    if (n == 1) {
        return;
    }
    /* a choice in any case, so that --replay needs not know what was found to be contended */
    bool matters = ex->random || ex->replays || contended(address);
    int next = list[matters ? choose_mostly_first(n) : choose_nothing()];
    if (next != self) {
        ex->preemptions++;
        ex->thread[self].asleep = true;
        ex->thread[self].pending = address;
        ex->thread[self].pending_writes = writes;
        hand_on(next);
        ex->thread[self].asleep = false;
    }
}

/* One of the list, or of those that sleep; -1: none can run. */
static int choose_of(const int *awake, int n)
{
    int list[THREADS];
    if (n > 0) {
        return awake[choose(n)];
    }
    n = others(list, 0, true);
    ex->cut = ex->cut || (n > 0 && !ex->random && !ex->replays);
    return n > 0 ? list[choose(n)] : -1;
}

static int choose_other(void)
{
    int list[THREADS];
    return choose_of(list, others(list, 0, false));
}

/* This thread waits: another must go on, if there is one that can. */
void schedule_others(void)
{
    int next = choose_other();
    if (next >= 0) {
        hand_on(next);
    } else if (!can_run(self)) {
        failure("deadlock", 0);
    }
}

/* Those of the list that have not yielded. */
static int unyielded(int *list, int n)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (!ex->thread[list[i]].yielded) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

/* This thread has nothing to do until another has done something. Who has yielded has no turn by
   the yield of another until all have: otherwise two could hand on to each other for ever. */
void schedule_yield(void)
{
    int list[THREADS];
    note("yield", 0, 0);
    ex->thread[self].yielded = true;
    int awake = others(list, 0, false);
    int n = unyielded(list, awake);
    if (n == 0 && others(list, 0, true) == 0) {
        for (int i = 0; i < ex->threads; i++) {
            ex->thread[i].yielded = i == self;
        }
        n = others(list, 0, false);
    }
    int next = choose_of(list, n);
    if (next >= 0) {
        hand_on(next);
    }
}

void thread_ended(void)
{
    ex->thread[self].state = ENDED;
    int next = choose_other();
    if (next >= 0) {
        sem_post(&ex->thread[next].baton);
        return;
    }
    for (int i = 0; i < ex->threads; i++) {
        if (ex->thread[i].state != ENDED) {
            failure("deadlock", 0);
        }
    }
    sem_post(&ex->over);
}
