/* SPDX-License-Identifier: MIT */
/*
 * mempool_peer.c - DPDK's rte_mempool, see allocators.h.
 *
 * Started without huge pages, devices and root. A pool has the objects it was made with and no
 * more. With caches, of the threads that DPDK knows, it may refuse while another thread's holds
 * free objects; without them each call goes to a shared ring, and the cap is exact.
 */
#include "allocators.h"

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include <sched.h>
#include <stdlib.h>

/* What the largest burst of the most threads takes, and what their caches keep back. */
#define OBJECTS ((1U << 20) + (1U << 16))

static struct rte_mempool *cached, *exact;

/* The ring for more threads than processors: the ordinary one waits for those that are not running.
 */
static struct rte_mempool *new_mempool(const char *name, unsigned cache_size)
{
    struct rte_mempool *pool = made(rte_mempool_create_empty(name, OBJECTS, sizeof(struct object),
                                                             cache_size, 0, SOCKET_ID_ANY, 0));
    if (rte_mempool_set_ops_byname(pool, "ring_mt_rts", NULL) != 0 ||
        rte_mempool_populate_default(pool) < 0)
        exit(1);
    return pool;
}

/* DPDK binds the thread that starts it to one processor, and the row's workers would inherit it. */
static void start(void)
{
    char *arguments[] = {"veryfast-bench",
                         "--no-huge",
                         "--no-pci",
                         "--no-shconf",
                         "-m",
                         "512",
                         "--log-level=lib.eal:error",
                         "--no-telemetry",
                         NULL};
    cpu_set_t processors;
    sched_getaffinity(0, sizeof processors, &processors);
    if (rte_eal_init(sizeof arguments / sizeof *arguments - 1, arguments) < 0)
        exit(1);
    sched_setaffinity(0, sizeof processors, &processors);
}

static void start_cached(void)
{
    start();
    cached = new_mempool("cached", RTE_MEMPOOL_CACHE_MAX_SIZE);
}

static void start_exact(void)
{
    start();
    exact = new_mempool("exact", 0);
}

static struct rte_mempool *cached_of_thread(void)
{
    if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() != 0)
        exit(1);
    return cached;
}

static inline void *get(struct rte_mempool *pool)
{
    void *object = NULL;
    rte_mempool_get(pool, &object);
    return object;
}

#define LOOPS         mempool
#define LOOPS_USE     struct rte_mempool *pool = cached_of_thread();
#define LOOPS_ALLOC   get(pool)
#define LOOPS_FREE(p) rte_mempool_put(pool, p)
#include "allocator_loops.h"

#define LOOPS         exact
#define LOOPS_USE     struct rte_mempool *pool = exact;
#define LOOPS_ALLOC   get(pool)
#define LOOPS_FREE(p) rte_mempool_put(pool, p)
#include "allocator_loops.h"

void mempool_find(void)
{
    fixed_peer_add("rte_mempool", &mempool_loops, start_cached);
    variant_add_loops(&variants_of_cap, "rte_mempool", PEER, &exact_loops)->open = start_exact;
}
