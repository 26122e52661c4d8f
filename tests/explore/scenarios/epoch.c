/* SPDX-License-Identifier: MIT */
/*
 * epoch.c - P_free_deferred by one thread, which then ends, while another takes what it has open:
 * by P_epoch_barrier, or by P_release (RELEASE). A third is liburcu's. A deferral that both take,
 * or neither, is dropped twice or never; one that is sent before the last object is in it loses
 * that; and a pool may end only when the last has been dropped and all have left it. With
 * NO_MEMBARRIER the system has none. ROOM is how many objects may wait at a time. With STATS the
 * other asks how many do, with BOTH it defers one of its own. With WAITS there is no other, and the
 * pool is released first: an object goes out at once, or at the end of another's grace period.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

#include "explore.h"
#include "grace_periods.h"

#ifndef ROOM
#    define ROOM 0
#endif

enum { OBJECTS = 2 };

struct object {
    int dropped;
};

static int drops; /* by liburcu's thread only */
static atomic_bool all_are_dropped;

static void dropped(struct object *it)
{
    it->dropped++;
    if (++drops == OBJECTS)
        atomic_store_explicit(&all_are_dropped, true, memory_order_relaxed);
}

#define VF_T       struct object
#define VF_NAME    nodes
#define VF_N       8
#define VF_DROP(p) dropped(p)
#define VF_EPOCH
#include <veryfast/pool.h>

#include "pool/pool.h"

static nodes *pool;
static struct object *object[OBJECTS + 1]; /* the last is the main thread's */
static atomic_bool first_is_deferred;

static void defer(struct object *it)
{
    while (!nodes_free_deferred(pool, it)) {
        assert(errno == EAGAIN && ROOM > 0);
        sched_yield();
    }
}

static void *deferrer(void *argument)
{
    defer(object[0]);
    atomic_store_explicit(&first_is_deferred, true, memory_order_release);
    defer(object[1]);
#ifdef WAITS
    while (!atomic_load_explicit(&all_are_dropped, memory_order_relaxed)) {
        sched_yield();
    }
#endif
    return argument;
}

#ifndef WAITS
/* The main thread's part beside the deferrer. */
static void beside(void)
{
#    if defined(RELEASE)
    nodes_release(pool);
#    elif defined(STATS)
    assert(nodes_stats(pool).deferred <= OBJECTS);
#    elif defined(BOTH)
    defer(object[OBJECTS]);
#    else
    bool first = atomic_load_explicit(&first_is_deferred, memory_order_acquire);
    nodes_epoch_barrier(pool);
    assert(!first || object[0]->dropped == 1);
#    endif
}
#endif

void scenario(void)
{
#ifdef NO_MEMBARRIER
    explore_no_membarrier();
#endif
    pool = nodes_new(&(vf_pool_options){.max_deferred = ROOM, .rcu_flavour = &grace_periods});
#ifdef BOTH
    const int all = OBJECTS + 1;
#else
    const int all = OBJECTS;
#endif
    for (int i = 0; i < all; i++) {
        object[i] = nodes_alloc(pool);
        object[i]->dropped = 0;
    }
    pthread_t liburcu;
    pthread_create(&liburcu, NULL, end_grace_periods, NULL);
#ifdef WAITS
    nodes_release(pool);
    deferrer(NULL);
#else
    pthread_t a;
    pthread_create(&a, NULL, deferrer, NULL);
    beside();
    pthread_join(a, NULL);
#endif
#if !defined(RELEASE) && !defined(WAITS)
    nodes_epoch_barrier(pool);
    assert(drops == all && object[0]->dropped == 1 && object[1]->dropped == 1);
    vf_pool_stats stats = nodes_stats(pool);
    assert(stats.live == 0 && stats.deferred == 0);
    const vf_epoch *epoch = &vf_pool_whole((vf_pool_core *)pool)->epoch;
    assert(epoch->reserved == 0 && epoch->in_flight == 0);
    nodes_release(pool);
#endif
    stop_grace_periods();
    pthread_join(liburcu, NULL);
    vf_thread_flush();
    assert(drops == all && explore_blocks() == 0);
}
