/* SPDX-License-Identifier: MIT */
/*
 * A lock-free stack and a lock-free hash set, whose nodes come from pools.
 *
 *     build/demo/examples/treiber [--threads N] [--operations N] [--seed N]
 *
 * Prints what was done, what the pools hold at the end, and the time taken; fails if what went in
 * is not what came out and what is left.
 *
 * What it shows: VF_EPOCH. A thread that pops looks into the top node before it knows whether the
 * node is its own: another may have popped it, and must not give it back to the pool meanwhile. So
 * readers stay inside a read section of liburcu (rcu_read_lock), and nodes are freed by
 * P_free_deferred, which waits with the reuse, though not with the return, until all threads that
 * may look at them have left. That is also why Treiber's stack (1986) needs no tag here: while a
 * thread compares the top with a node that it has seen, that node cannot have come back as another
 * one.
 *
 * The set is liburcu's own (rculfhash); it keeps its link inside the nodes, and a node has no
 * rcu_head: the pool asks for one grace period for 60 of them.
 *
 * What readers look at is atomic, and a key is released and acquired, because ThreadSanitizer does
 * not see into liburcu, which orders it all.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <urcu.h>
#include <urcu/rculfhash.h>

#include "program.h"

enum { BUCKETS = 1024, KEYS = 4096, SLICE = 256 };

struct item {
    _Atomic(struct item *) below;
    uint64_t value; /* looked at by its owner only */
};

#define VF_T struct item
#define VF_N 512
#define VF_EPOCH
#include <veryfast/pool.h>

struct member {
    struct cds_lfht_node link;
    _Atomic uint64_t key;
};

#define VF_T struct member
#define VF_N 512
#define VF_EPOCH
#include <veryfast/pool.h>

/* What a thread has done. */
struct tally {
    uint64_t pushed, popped, push_sum, pop_sum;   /* sums of values */
    uint64_t added, removed, add_sum, remove_sum; /* sums of keys */
    uint64_t found;
};

struct playground {
    pool_item_512 *items;
    pool_member_512 *members;
    _Atomic(struct item *) top;
    struct cds_lfht *set;
    atomic_size_t operations; /* left to do */
    atomic_uint_fast64_t next_seed;
    atomic_bool out_of_memory;
    pthread_mutex_t lock; /* of total */
    struct tally total;
};

/* ---- the stack ---- */

static bool stack_push(struct playground *ground, uint64_t value)
{
    struct item *item = pool_item_512_alloc(ground->items);
    if (!item)
        return false;
    item->value = value;
    struct item *top = atomic_load_explicit(&ground->top, memory_order_relaxed);
    do {
        atomic_store_explicit(&item->below, top, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&ground->top, &top, item, memory_order_release,
                                                    memory_order_relaxed));
    return true;
}

/* At the bound it waits, outside the read section, for what was deferred before. */
static void item_free(struct playground *ground, struct item *item)
{
    while (!pool_item_512_free_deferred(ground->items, item))
        pool_item_512_epoch_barrier(ground->items);
}

static bool stack_pop(struct playground *ground, uint64_t *value)
{
    rcu_read_lock();
    struct item *top = atomic_load_explicit(&ground->top, memory_order_acquire);
    /* below may be out of date, but is never another node's: top cannot be reused before we leave
     */
    while (top && !atomic_compare_exchange_weak_explicit(
                      &ground->top, &top, atomic_load_explicit(&top->below, memory_order_relaxed),
                      memory_order_acquire, memory_order_acquire)) {
    }
    rcu_read_unlock();
    if (!top)
        return false;
    *value = top->value;
    item_free(ground, top);
    return true;
}

/* ---- the set ---- */

static unsigned long hash(uint64_t key)
{
    return (unsigned long)next_random(&key);
}

static struct member *member_of(struct cds_lfht_node *link)
{
    return (struct member *)(void *)((char *)link - offsetof(struct member, link));
}

static int has_key(struct cds_lfht_node *link, const void *key)
{
    return atomic_load_explicit(&member_of(link)->key, memory_order_acquire) ==
           *(const uint64_t *)key;
}

static void member_free(struct playground *ground, struct member *member)
{
    while (!pool_member_512_free_deferred(ground->members, member))
        pool_member_512_epoch_barrier(ground->members);
}

/* *added: it was not there. */
static bool set_add(struct playground *ground, uint64_t key, bool *added)
{
    struct member *member = pool_member_512_alloc(ground->members);
    if (!member)
        return false;
    cds_lfht_node_init(&member->link);
    atomic_store_explicit(&member->key, key, memory_order_release);
    rcu_read_lock();
    *added =
        cds_lfht_add_unique(ground->set, hash(key), has_key, &key, &member->link) == &member->link;
    rcu_read_unlock();
    if (!*added)
        pool_member_512_free(ground->members, member); /* nobody has seen it */
    return true;
}

static bool set_has(struct playground *ground, uint64_t key)
{
    struct cds_lfht_iter iterator;
    rcu_read_lock();
    cds_lfht_lookup(ground->set, hash(key), has_key, &key, &iterator);
    struct cds_lfht_node *link = cds_lfht_iter_get_node(&iterator);
    bool found = link && has_key(link, &key);
    rcu_read_unlock();
    return found;
}

static bool set_remove(struct playground *ground, uint64_t key)
{
    struct cds_lfht_iter iterator;
    rcu_read_lock();
    cds_lfht_lookup(ground->set, hash(key), has_key, &key, &iterator);
    struct cds_lfht_node *link = cds_lfht_iter_get_node(&iterator);
    bool removed = link && !cds_lfht_del(ground->set, link);
    rcu_read_unlock();
    if (removed)
        member_free(ground, member_of(link));
    return removed;
}

/* ---- threads ---- */

/* False when out of memory. */
static bool operate(struct playground *ground, struct tally *tally, uint64_t random)
{
    uint64_t value = random >> 32, key = value % KEYS;
    bool good = true, added = false;
    switch (random % 6) {
    case 0:
        if ((good = stack_push(ground, value))) {
            tally->pushed++;
            tally->push_sum += value;
        }
        break;
    case 1:
        if (stack_pop(ground, &value)) {
            tally->popped++;
            tally->pop_sum += value;
        }
        break;
    case 2:
        good = set_add(ground, key, &added);
        tally->added += added;
        tally->add_sum += added ? key : 0;
        break;
    case 3:
        if (set_remove(ground, key)) {
            tally->removed++;
            tally->remove_sum += key;
        }
        break;
    default:
        tally->found += set_has(ground, key);
    }
    return good;
}

/* How many operations this thread is to do next; 0: all are done. */
static size_t take_slice(struct playground *ground)
{
    size_t left = atomic_load(&ground->operations), taken;
    do {
        taken = left < SLICE ? left : SLICE;
    } while (!atomic_compare_exchange_weak(&ground->operations, &left, left - taken));
    return taken;
}

static void add_tally(struct playground *ground, const struct tally *tally)
{
    struct tally *total = &ground->total;
    pthread_mutex_lock(&ground->lock);
    total->pushed += tally->pushed;
    total->popped += tally->popped;
    total->push_sum += tally->push_sum;
    total->pop_sum += tally->pop_sum;
    total->added += tally->added;
    total->removed += tally->removed;
    total->add_sum += tally->add_sum;
    total->remove_sum += tally->remove_sum;
    total->found += tally->found;
    pthread_mutex_unlock(&ground->lock);
}

static void play(void *context)
{
    struct playground *ground = context;
    struct tally tally = {0};
    uint64_t random = atomic_fetch_add(&ground->next_seed, 1);
    rcu_register_thread();
    bool good = true;
    for (size_t n = 1; good && n && !atomic_load(&ground->out_of_memory);) {
        n = take_slice(ground);
        for (size_t i = 0; i < n && good; i++)
            good = operate(ground, &tally, next_random(&random));
    }
    if (!good)
        atomic_store(&ground->out_of_memory, true);
    rcu_unregister_thread();
    add_tally(ground, &tally);
}

/* ---- the beginning and the end ---- */

static bool ground_init(struct playground *ground, size_t operations, uint64_t seed)
{
    ground->items = pool_item_512_new(NULL);
    ground->members = pool_member_512_new(NULL);
    ground->set = cds_lfht_new_flavor(BUCKETS, BUCKETS, BUCKETS, 0, &rcu_flavor, NULL);
    pthread_mutex_init(&ground->lock, NULL);
    atomic_store(&ground->operations, operations);
    atomic_store(&ground->next_seed, seed * MOST_THREADS);
    return ground->items && ground->members && ground->set;
}

/* Empties both structures into the tally, and gives all memory back. */
static void ground_fini(struct playground *ground)
{
    uint64_t value;
    rcu_register_thread();
    while (ground->items && stack_pop(ground, &value)) {
        ground->total.popped++;
        ground->total.pop_sum += value;
    }
    for (uint64_t key = 0; ground->set && key < KEYS; key++) {
        if (set_remove(ground, key)) {
            ground->total.removed++;
            ground->total.remove_sum += key;
        }
    }
    rcu_unregister_thread();
    if (ground->set)
        cds_lfht_destroy(ground->set, NULL);
    if (ground->items)
        pool_item_512_epoch_barrier(ground->items);
    if (ground->members)
        pool_member_512_epoch_barrier(ground->members);
}

/* Is what went in what came out? Prints it, too. */
static bool ground_print(struct playground *ground)
{
    const struct tally *total = &ground->total;
    vf_pool_stats items = pool_item_512_stats(ground->items);
    vf_pool_stats members = pool_member_512_stats(ground->members);
    printf("%" PRIu64 " pushed, %" PRIu64 " popped\n", total->pushed, total->popped);
    printf("%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " found\n", total->added,
           total->removed, total->found);
    vf_pool_stats_print(stdout, "items", &items);
    vf_pool_stats_print(stdout, "members", &members);
    return total->pushed == total->popped && total->push_sum == total->pop_sum &&
           total->added == total->removed && total->add_sum == total->remove_sum &&
           items.live == 0 && members.live == 0;
}

struct settings {
    size_t threads, operations, seed;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option known[] = {{"threads", required_argument, NULL, 't'},
                                          {"operations", required_argument, NULL, 'o'},
                                          {"seed", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    bool good = true;
    for (int letter; good && (letter = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        if (letter == 't')
            good = parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else if (letter == 'o')
            good = parse_number(optarg, 1, SIZE_MAX, &settings->operations);
        else
            good = letter == 's' && parse_number(optarg, 0, SIZE_MAX, &settings->seed);
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: treiber [--threads N] [--operations N] [--seed N]\n");
    return good && optind == count;
}

int main(int count, char **arguments)
{
    static struct playground ground;
    struct settings settings = {.threads = processors(), .operations = 1000000, .seed = 1};
    if (!parse(count, arguments, &settings))
        return 2;
    double start = seconds();
    bool good = ground_init(&ground, settings.operations, settings.seed) &&
                run_threads(settings.threads, play, &ground, NULL) > 0 &&
                !atomic_load(&ground.out_of_memory);
    ground_fini(&ground);
    bool balanced = !good || ground_print(&ground);
    if (good)
        print_end(seconds() - start);
    pool_item_512_release(ground.items);
    pool_member_512_release(ground.members);
    if (!good)
        fprintf(stderr, "treiber: %s\n", strerror(ENOMEM));
    if (!balanced)
        fprintf(stderr, "treiber: what came out is not what went in\n");
    return good && balanced && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
