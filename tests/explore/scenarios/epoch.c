/*
 * epoch.c - P_free_deferred by one thread, which then ends, while another takes what it has open:
 * by P_epoch_barrier, or by P_release (RELEASE). A third stands for liburcu's thread. A deferral
 * that both take, or neither, is dropped twice or never; one that is sent before the last object is
 * in it loses that; and a pool may end only when the last has been dropped and all have left it.
 * With NO_MEMBARRIER the system has none. ROOM is how many objects may wait at a time.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#include <urcu/urcu-memb.h>

#include "explore.h"

#ifndef ROOM
#    define ROOM 0
#endif

enum { OBJECTS = 2 };

struct object {
    int dropped;
};

#define VF_T       struct object
#define VF_NAME    objects
#define VF_N       8
#define VF_DROP(p) ((p)->dropped++, drops++)
#define VF_EPOCH
static int drops; /* by the worker only */
#include <veryfast/pool.h>

static objects *pool;
static struct object *object[OBJECTS];

/* ---- liburcu's part: no readers, so that each grace period is over at once ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct rcu_head *head;
    void (*call)(struct rcu_head *head);
} calls[8];
static int called, done;
static bool stopped;

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

static void *worker(void *argument)
{
    bool stop = false;
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

static void barrier(void)
{
    bool stop;
    while (waiting(&stop) > 0) {
        sched_yield();
    }
}

static void stop_worker(void)
{
    pthread_mutex_lock(&lock);
    stopped = true;
    pthread_mutex_unlock(&lock);
}

/* ---- */

static void *deferrer(void *argument)
{
    for (int i = 0; i < OBJECTS; i++) {
        while (!objects_free_deferred(pool, object[i])) {
            assert(errno == EAGAIN && ROOM > 0);
            sched_yield();
        }
    }
    return argument;
}

void scenario(void)
{
    static const struct rcu_flavor_struct flavour = {.update_call_rcu = call, .barrier = barrier};
#ifdef NO_MEMBARRIER
    explore_no_membarrier();
#endif
    pool = objects_new(&(vf_pool_options){.max_deferred = ROOM, .rcu_flavour = &flavour});
    for (int i = 0; i < OBJECTS; i++) {
        object[i] = objects_alloc(pool);
        object[i]->dropped = 0;
    }
    pthread_t a, liburcu;
    pthread_create(&a, NULL, deferrer, NULL);
    pthread_create(&liburcu, NULL, worker, NULL);
#ifdef RELEASE
    objects_release(pool);
    pthread_join(a, NULL);
#else
    objects_epoch_barrier(pool);
    pthread_join(a, NULL);
    objects_epoch_barrier(pool);
    assert(drops == OBJECTS && object[0]->dropped == 1 && object[1]->dropped == 1);
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == 0 && stats.deferred == 0);
    objects_release(pool);
#endif
    stop_worker();
    pthread_join(liburcu, NULL);
    vf_thread_flush();
    assert(drops == OBJECTS && explore_blocks() == 0);
}
