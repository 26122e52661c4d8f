/* SPDX-License-Identifier: MIT */
/*
 * epoch_destroy.c - P_destroy while an object is deferred, whose VF_DROP defers another, by
 * liburcu's thread: the pool must wait for a second grace period, and end when that thread has left
 * it. One that goes on after the first is gone too early, or drops the other before its time. With
 * a ROOM of 2 objects the second goes out at once; with more, and the first on its way before,
 * P_destroy must see that it was deferred.
 */
#include <assert.h>
#include <pthread.h>

#include "explore.h"
#include "grace_periods.h"

struct object {
    struct object *next;
    int dropped;
};

static void dropped(struct object *it);

#define VF_T       struct object
#define VF_NAME    nodes
#define VF_N       8
#define VF_DROP(p) dropped(p)
#define VF_EPOCH
#include <veryfast/pool.h>

static nodes *pool;
static int drops;

static void dropped(struct object *it)
{
    assert(after_grace_period && it->dropped++ == 0);
    drops++;
    while (it->next != NULL && !nodes_free_deferred(pool, it->next)) {
        sched_yield(); /* P_destroy has taken the open deferral, and its room */
    }
}

void scenario(void)
{
    pool = nodes_new(&(vf_pool_options){.max_deferred = ROOM, .rcu_flavour = &grace_periods});
    struct object *second = nodes_alloc(pool), *first = nodes_alloc(pool);
    *second = (struct object){0};
    *first = (struct object){.next = second};
    drops = 0;
    pthread_t liburcu;
    pthread_create(&liburcu, NULL, end_grace_periods, NULL);
    bool deferred = nodes_free_deferred(pool, first);
    assert(deferred);
    if (ROOM > 2) {
        vf_thread_flush();
    }
    nodes_destroy(pool);
    assert(drops == 2);
    stop_grace_periods();
    pthread_join(liburcu, NULL);
    vf_thread_flush();
    assert(explore_blocks() == 0);
}
