/* SPDX-License-Identifier: MIT */
/*
 * soak_epochs.c - what waits for readers: objects that are replaced while others read them, and a
 * buffer whose flip waits for a grace period. See soak.h.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <urcu/urcu-memb.h>

#include "allocator.h"
#include "readers.h"
#include "soak.h"

#define WORDS   6
#define DROPPED UINT64_MAX

struct node {
    uint64_t words[WORDS]; /* all the same */
};

static atomic_size_t drops;

static void drop(struct node *node)
{
    readers_have_left();
    for (size_t i = 1; i < WORDS; i++)
        CHECK(node->words[i] == node->words[0] && node->words[i] != DROPPED);
    for (size_t i = 0; i < WORDS; i++)
        node->words[i] = DROPPED;
    atomic_fetch_add(&drops, 1);
}

#define VF_T       struct node
#define VF_N       128
#define VF_DROP(p) drop(p)
#define VF_EPOCH
#include <veryfast/pool.h>

#define VF_T    uint64_t
#define VF_N    8
#define VF_NAME counted
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

#define PLACES 64

static struct {
    test_allocator memory;
    vf_pool_options options;
    pool_node_128 *pool;
    struct node *_Atomic places[PLACES];
    atomic_size_t nodes; /* allocated */

    vf_smallbuf_options buffer_options;
    counted buffer;
    pthread_mutex_t drainer;
    atomic_size_t accepted;
    size_t taken; /* the drainer's */
} test;

static bool registered[SOAK_THREADS];

enum { READ, REPLACED, REFUSED, BARRIER, PUSHED, FLIPPED, TALLIES };
static struct soak_tally tallies[TALLIES + 1] = {
    {"read", 0}, {"replaced", 0}, {"refused", 0}, {"barriers", 0}, {"pushed", 0}, {"flips", 0},
};

static struct node *new_node(uint64_t value)
{
    struct node *node = pool_node_128_alloc(test.pool);
    CHECK(node != NULL);
    for (size_t i = 0; i < WORDS; i++)
        node->words[i] = value;
    atomic_fetch_add(&test.nodes, 1);
    return node;
}

/* False: it had to wait for others' before. */
static bool defer(struct node *node)
{
    if (pool_node_128_free_deferred(test.pool, node))
        return true;
    do {
        CHECK(errno == EAGAIN);
        soak_count(&tallies[REFUSED], 1);
        pool_node_128_epoch_barrier(test.pool);
    } while (!pool_node_128_free_deferred(test.pool, node));
    return false;
}

static void read_some(uint64_t *random)
{
    urcu_memb_read_lock();
    for (size_t n = 0; n < 20; n++) {
        struct node *node = atomic_load(&test.places[stress_chance(random, PLACES)]);
        uint64_t seen = node->words[0];
        CHECK(seen != DROPPED);
        if (stress_chance(random, 500) == 0)
            sched_yield(); /* others have time to do the wrong thing */
        for (size_t i = 0; i < WORDS; i++)
            CHECK(node->words[i] == seen);
    }
    readers_leave();
    urcu_memb_read_unlock();
    soak_count(&tallies[READ], 20);
}

static void replace_some(uint64_t *random)
{
    size_t n = stress_chance(random, 100);
    bool waited = false;
    for (size_t i = 0; i < n && !waited; i++) {
        struct node *node = new_node(test_random(random) >> 1);
        waited = !defer(atomic_exchange(&test.places[stress_chance(random, PLACES)], node));
        soak_count(&tallies[REPLACED], 1);
    }
}

static void push(uint64_t *random)
{
    size_t n = stress_chance(random, 40);
    urcu_memb_read_lock();
    for (size_t i = 0; i < n; i++)
        CHECK(counted_push(&test.buffer, i));
    readers_leave();
    urcu_memb_read_unlock();
    atomic_fetch_add(&test.accepted, n);
    soak_count(&tallies[PUSHED], n);
}

static void flip(void)
{
    if (pthread_mutex_trylock(&test.drainer) != 0)
        return;
    counted_flip_begin(&test.buffer);
    urcu_memb_synchronize_rcu();
    readers_have_left();
    counted_drain drain = counted_flip_finish(&test.buffer);
    CHECK(counted_drain_refused(&drain) == 0);
    for (uint64_t number; counted_drain_next(&drain, &number);)
        test.taken++;
    counted_drain_end(&drain);
    soak_count(&tallies[FLIPPED], 1);
    pthread_mutex_unlock(&test.drainer);
}

static void open_round(uint64_t *random)
{
    static size_t round; /* in some all wait for each other, in most hardly anybody does */
    (void)random;
    urcu_memb_register_thread();
    atomic_store(&drops, 0);
    atomic_store(&test.nodes, 0);
    atomic_store(&test.accepted, 0);
    test.taken = 0;
    test.options = (vf_pool_options){.allocator = test_allocator_hook(&test.memory),
                                     .max_deferred = round++ % 8 == 0 ? 2000 : 30000};
    CHECK((test.pool = pool_node_128_new(&test.options)) != NULL);
    for (size_t i = 0; i < PLACES; i++)
        atomic_store(&test.places[i], new_node(i));
    CHECK(pthread_mutex_init(&test.drainer, NULL) == 0);
    test.buffer_options = (vf_smallbuf_options){.allocator = test_allocator_hook(&test.memory)};
    counted_init(&test.buffer, &test.buffer_options);
}

static void turn(size_t thread, uint64_t *random)
{
    size_t what = stress_chance(random, 1000);
    if (!registered[thread])
        urcu_memb_register_thread();
    registered[thread] = true;
    if (what < 400) {
        read_some(random);
    } else if (what < 700) {
        replace_some(random);
    } else if (what < 980) {
        push(random);
    } else if (what < 990) {
        flip();
    } else if (what < 992) {
        pool_node_128_epoch_barrier(test.pool);
        soak_count(&tallies[BARRIER], 1);
    }
}

static void leave(size_t thread, uint64_t *random)
{
    (void)random;
    if (registered[thread])
        urcu_memb_unregister_thread();
    registered[thread] = false;
}

/* The pool is released with everything deferred, and its memory comes back by itself. */
static void close_round(void)
{
    counted_drain rest = counted_drain_begin(&test.buffer);
    for (uint64_t number; counted_drain_next(&rest, &number);)
        test.taken++;
    counted_drain_end(&rest);
    CHECK(test.taken == atomic_load(&test.accepted));
    counted_destroy(&test.buffer);
    pthread_mutex_destroy(&test.drainer);
    for (size_t i = 0; i < PLACES; i++)
        defer(atomic_load(&test.places[i]));
    pool_node_128_release(test.pool);
    while (atomic_load(&test.memory.bytes) > 0)
        sched_yield();
    CHECK(atomic_load(&test.memory.blocks) == 0);
    CHECK(atomic_load(&drops) == atomic_load(&test.nodes));
    urcu_memb_unregister_thread();
}

const struct soak_part soak_epochs = {
    .name = "epochs",
    .weight = 2,
    .open = open_round,
    .turn = turn,
    .leave = leave,
    .close = close_round,
    .tallies = tallies,
};
