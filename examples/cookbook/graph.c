/* SPDX-License-Identifier: MIT */
/*
 * graph.c - a graph that readers walk without a lock while a writer replaces its nodes: what was
 * replaced is freed when no reader can see it any more.
 *
 *     cc graph.c $(pkg-config --cflags --libs veryfast liburcu-memb) -o graph
 */
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { NODES = 100, ROUNDS = 20000 };

struct node {
    long version, check; /* check is 3 * version, in each node that a reader may see */
    int neighbour;       /* by number: an edge is followed to what is there now */
};

#define VF_T    struct node
#define VF_N    512
#define VF_NAME nodes
#define VF_EPOCH
#include <veryfast/pool.h>

static struct node *graph[NODES]; /* written by one thread, read by all */
static nodes *pool;
static atomic_int running = 1;
static atomic_long torn;

static void *read_on(void *none)
{
    urcu_memb_register_thread();
    for (int at = 0; atomic_load(&running);) {
        urcu_memb_read_lock();
        for (int step = 0; step < 20; step++) { /* no node goes away before the unlock */
            const struct node *node = rcu_dereference(graph[at]);
            if (node->check != 3 * node->version)
                atomic_fetch_add(&torn, 1);
            at = node->neighbour;
        }
        urcu_memb_read_unlock();
    }
    urcu_memb_unregister_thread();
    return none;
}

/* A new node in the place of another. False: out of memory, and all is as it was. */
static int replace(int at, long version, int neighbour)
{
    struct node *old = graph[at];
    struct node *node = nodes_push(pool, (struct node){version, 3 * version, neighbour});
    if (node == NULL)
        return 0;
    rcu_assign_pointer(graph[at], node);
    while (old != NULL && !nodes_free_deferred(pool, old)) /* EAGAIN: too many wait already */
        nodes_epoch_barrier(pool);
    return 1;
}

int main(void)
{
    pthread_t readers[2];
    urcu_memb_register_thread();
    pool = nodes_new(NULL);
    for (int i = 0; i < NODES; i++) {
        if (pool == NULL || !replace(i, 1, (i + 1) % NODES))
            return 1;
    }
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&readers[i], NULL, read_on, NULL) != 0)
            return 1;
    }
    for (int i = 0; i < ROUNDS; i++) {
        if (!replace(i * 7 % NODES, i, i * 13 % NODES))
            return 1;
    }
    atomic_store(&running, 0);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    nodes_epoch_barrier(pool); /* nothing waits any more */
    size_t live = nodes_stats(pool).live;
    printf("%d nodes replaced, %zu live, %ld seen that were gone\n", ROUNDS, live,
           atomic_load(&torn));
    nodes_destroy(pool);
    urcu_memb_unregister_thread();
    return live == NODES && atomic_load(&torn) == 0 ? 0 : 1;
}
