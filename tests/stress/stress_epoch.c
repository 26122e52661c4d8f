/* SPDX-License-Identifier: MIT */
/*
 * stress_epoch.c - readers without a lock, writers that replace what they read, all flavours.
 *
 *     places:  [ node | node | node | ... ]      readers: in a read section, the node stays whole
 *                 ^ exchange                     writers: defer the node that was there before
 *
 * A node is written once before it is published and once by VF_DROP, so a reader that finds it
 * dropped, or anything but what was published, has been let down; and so has a writer that is given
 * a node which was not dropped. Writers flush, wait at barriers, meet the bound, end and begin, and
 * are registered readers or are not. At last the pool is released with everything deferred, and its
 * memory comes back by itself.
 */
#include <pthread.h>
#include <sched.h>

#include <urcu/urcu-memb.h>

#include "allocator.h"
#include "readers.h"
#include "stress.h"

/* liburcu's header declares that of the flavour which is included first. */
extern const struct rcu_flavor_struct urcu_qsbr_flavor, urcu_mb_flavor, urcu_bp_flavor;

enum { PLACES = 64, READERS = 2, WRITERS = 2, WORDS = 6, LIFETIMES = 4 };
#define DROPPED UINT64_MAX
#define FRESH   UINT64_C(0xA5A5A5A5A5A5A5A5) /* what the allocator fills with */

struct node {
    uint64_t words[WORDS]; /* all the same */
};

static atomic_size_t drops;

static void drop(struct node *node)
{
    readers_have_left();
    uint64_t value = node->words[0];
    CHECK(value != DROPPED && value != FRESH);
    for (size_t i = 0; i < WORDS; i++) {
        CHECK(node->words[i] == value);
        node->words[i] = DROPPED;
    }
    atomic_fetch_add(&drops, 1);
}

#define VF_T       struct node
#define VF_N       128
#define VF_DROP(p) drop(p)
#define VF_EPOCH
#include <veryfast/pool.h>

static struct {
    const struct rcu_flavor_struct *flavour;
    pool_node_128 *pool;
    struct node *_Atomic places[PLACES];
    atomic_size_t writers; /* at work */
    atomic_size_t reads, allocs, refusals;
    size_t replacements; /* by a writer in a lifetime */
} test;

static void read_one(uint64_t *random)
{
    test.flavour->read_lock();
    struct node *node = atomic_load(&test.places[stress_chance(random, PLACES)]);
    uint64_t seen = node->words[0];
    CHECK(seen != DROPPED && seen != FRESH);
    if (stress_chance(random, 100) == 0)
        sched_yield(); /* others have time to do the wrong thing */
    for (size_t i = 0; i < WORDS; i++)
        CHECK(node->words[i] == seen);
    readers_leave();
    test.flavour->read_unlock();
    test.flavour->read_quiescent_state();
}

static void *reader(void *number)
{
    uint64_t random = stress_random_state((uint64_t)(uintptr_t)number);
    test.flavour->register_thread();
    size_t reads = 0;
    for (; atomic_load(&test.writers) > 0 || reads < 1000; reads++)
        read_one(&random);
    atomic_fetch_add(&test.reads, reads);
    test.flavour->unregister_thread();
    return NULL;
}

/* A new node; where the cap is reached, once others have had their grace period. */
static struct node *new_node(uint64_t value)
{
    struct node *node;
    while ((node = pool_node_128_alloc(test.pool)) == NULL)
        pool_node_128_epoch_barrier(test.pool);
    CHECK(node->words[0] == FRESH || node->words[0] == DROPPED);
    for (size_t i = 0; i < WORDS; i++)
        node->words[i] = value;
    atomic_fetch_add(&test.allocs, 1);
    return node;
}

static void defer(struct node *node)
{
    while (!pool_node_128_free_deferred(test.pool, node)) {
        atomic_fetch_add(&test.refusals, 1);
        pool_node_128_epoch_barrier(test.pool);
    }
}

static void replace_one(uint64_t *random)
{
    struct node *node = new_node(test_random(random) >> 1);
    defer(atomic_exchange(&test.places[stress_chance(random, PLACES)], node));
    size_t chance = stress_chance(random, 2000);
    if (chance == 0)
        pool_node_128_epoch_barrier(test.pool);
    else if (chance < 10)
        vf_thread_flush();
}

static void *one_lifetime(void *random)
{
    bool registered = stress_chance(random, 2) == 0;
    if (registered)
        test.flavour->register_thread();
    for (size_t i = 0; i < test.replacements; i++) {
        replace_one(random);
        if (registered)
            test.flavour->read_quiescent_state();
    }
    if (registered)
        test.flavour->unregister_thread();
    return NULL;
}

static void *writer(void *number)
{
    uint64_t random = stress_random_state((uint64_t)(uintptr_t)number);
    for (size_t i = 0; i < LIFETIMES; i++) {
        void *context = &random;
        test_run_threads(1, one_lifetime, &context);
    }
    atomic_fetch_sub(&test.writers, 1);
    return NULL;
}

static void *reader_or_writer(void *number)
{
    return (uintptr_t)number < READERS ? reader(number) : writer(number);
}

static void run(const struct rcu_flavor_struct *flavour, size_t max_objects, size_t max_deferred)
{
    static test_allocator allocator;
    vf_pool_options options = {.allocator = test_allocator_hook(&allocator),
                               .max_objects = max_objects,
                               .max_deferred = max_deferred,
                               .rcu_flavour = flavour};
    test.flavour = flavour;
    test.pool = pool_node_128_new(&options);
    CHECK(test.pool != NULL);
    atomic_store(&drops, 0);
    atomic_store(&test.allocs, 0);
    atomic_store(&test.reads, 0);
    for (size_t i = 0; i < PLACES; i++)
        atomic_store(&test.places[i], new_node(i));
    atomic_store(&test.writers, WRITERS);
    void *numbers[READERS + WRITERS];
    for (size_t i = 0; i < READERS + WRITERS; i++)
        numbers[i] = (void *)(uintptr_t)i;
    test_run_threads(READERS + WRITERS, reader_or_writer, numbers);
    for (size_t i = 0; i < PLACES; i++)
        defer(atomic_load(&test.places[i]));
    CHECK(pool_node_128_stats(test.pool).deferred <= max_deferred);
    pool_node_128_release(test.pool);
    while (atomic_load(&allocator.bytes) > 0)
        sched_yield();
    CHECK(atomic_load(&test.allocs) == PLACES + WRITERS * LIFETIMES * test.replacements);
    CHECK(atomic_load(&drops) == atomic_load(&test.allocs));
    CHECK(atomic_load(&test.reads) >= READERS * 1000);
}

int main(void)
{
    static const struct {
        const char *name;
        const struct rcu_flavor_struct *flavour;
    } flavours[] = {{"memb", &urcu_memb_flavor},
                    {"qsbr", &urcu_qsbr_flavor},
                    {"mb", &urcu_mb_flavor},
                    {"bp", &urcu_bp_flavor}};
    stress_begin("stress_epoch");
    test.replacements = stress_count(8000, 2000);
    for (size_t i = 0; i < sizeof flavours / sizeof *flavours; i++) {
        run(flavours[i].flavour, 0, 5000);
        run(flavours[i].flavour, 5000, 4000);
        stress_passed(flavours[i].name);
        printf("%zu reads, %zu refusals\n", atomic_load(&test.reads), atomic_load(&test.refusals));
    }
    return stress_end();
}
