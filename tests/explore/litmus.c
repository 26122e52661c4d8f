/* SPDX-License-Identifier: MIT */
/*
 * litmus.c - tests of the explorer itself: small programs of two to four threads, each with the
 * outcomes that C11 allows. Each of these must come out in some execution, and no other in any.
 *
 * x, y and z begin as 0. What a thread reads goes to r[], and an outcome is the digits in r[]. The
 * first choice of an execution is which of the tests it is.
 * Where the explorer does not model what C11 allows, the line in the table says so.
 *
 * With BROKEN in the environment it is one program with an error that must be found, for replay.py.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explore.h"
#include "internal.h"

enum { MOST_THREADS = 4, RESULTS = 4 };

static atomic_int x, y, z;
static int r[RESULTS], data;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, two = PTHREAD_MUTEX_INITIALIZER;

#define STORE(at, value, order)    atomic_store_explicit(&(at), value, memory_order_##order)
#define LOAD(at, order)            atomic_load_explicit(&(at), memory_order_##order)
#define ADD(at, value, order)      atomic_fetch_add_explicit(&(at), value, memory_order_##order)
#define EXCHANGE(at, value, order) atomic_exchange_explicit(&(at), value, memory_order_##order)
#define SWAP(at, seen, to, order)  SWAP2(at, seen, to, order, order)
#define SWAP2(at, seen, to, order, failure)                                                        \
    atomic_compare_exchange_strong_explicit(&(at), &(seen), to, memory_order_##order,              \
                                            memory_order_##failure)
#define FENCE(order) atomic_thread_fence(memory_order_##order)
#define THREAD(name, ...)                                                                          \
    static void name(void)                                                                         \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

/* ---- message passing: x is the message, y says that it is there ---- */

THREAD(send_relaxed, STORE(x, 1, relaxed), STORE(y, 1, relaxed))
THREAD(send_release, STORE(x, 1, relaxed), STORE(y, 1, release))
THREAD(send_fence, STORE(x, 1, relaxed), FENCE(release), STORE(y, 1, relaxed))
THREAD(receive_relaxed, r[0] = LOAD(y, relaxed), r[1] = LOAD(x, relaxed))
THREAD(receive_acquire, r[0] = LOAD(y, acquire), r[1] = LOAD(x, relaxed))
THREAD(receive_fence, r[0] = LOAD(y, relaxed), FENCE(acquire), r[1] = LOAD(x, relaxed))
/* a swap that fails reads, by the order that it has for that */
THREAD(fail_acquire, r[0] = 7, SWAP2(y, r[0], 8, acquire, acquire), r[1] = LOAD(x, relaxed))
THREAD(fail_relaxed, r[0] = 7, SWAP2(y, r[0], 8, acquire, relaxed), r[1] = LOAD(x, relaxed))
/* and may read an older value than the one it compares with */
THREAD(fail_stale, r[0] = LOAD(y, relaxed); int seen = 1; r[1] = SWAP(x, seen, 3, relaxed))
/* the message is plain; 2: it is not looked at */
THREAD(send_plain, data = 1, STORE(y, 1, release))
THREAD(receive_plain, r[0] = LOAD(y, acquire), r[1] = r[0] ? data : 2)
THREAD(send_plain_relaxed, data = 1, STORE(y, 1, relaxed))
THREAD(receive_plain_barrier, r[0] = LOAD(y, relaxed);
       syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), r[1] = r[0] ? data : 2)
THREAD(lock_and_send, pthread_mutex_lock(&one), data = 1, pthread_mutex_unlock(&one))
THREAD(lock_and_receive, pthread_mutex_lock(&one), r[0] = data, pthread_mutex_unlock(&one))

/* ---- release sequences: what continues that of send_release ---- */

THREAD(replace_one, int seen = 1; SWAP(y, seen, 2, relaxed))
THREAD(store_two, if (LOAD(y, relaxed) == 1) STORE(y, 2, relaxed))
THREAD(send_twice, STORE(x, 1, relaxed), STORE(y, 1, release), STORE(y, 2, relaxed))

/* ---- store buffering ---- */

THREAD(x_then_y_relaxed, STORE(x, 1, relaxed), r[0] = LOAD(y, relaxed))
THREAD(y_then_x_relaxed, STORE(y, 1, relaxed), r[1] = LOAD(x, relaxed))
THREAD(x_then_y_release, STORE(x, 1, release), r[0] = LOAD(y, acquire))
THREAD(y_then_x_release, STORE(y, 1, release), r[1] = LOAD(x, acquire))
THREAD(x_then_y_seq_cst, STORE(x, 1, seq_cst), r[0] = LOAD(y, seq_cst))
THREAD(y_then_x_seq_cst, STORE(y, 1, seq_cst), r[1] = LOAD(x, seq_cst))
THREAD(swap_x_then_y_seq_cst, r[2] = EXCHANGE(x, 1, seq_cst), r[0] = LOAD(y, seq_cst))
THREAD(swap_y_then_x_seq_cst, r[3] = EXCHANGE(y, 1, seq_cst), r[1] = LOAD(x, seq_cst))
THREAD(swap_x_then_y_acquire, r[2] = EXCHANGE(x, 1, seq_cst), r[0] = LOAD(y, acquire))
THREAD(swap_y_then_x_acquire, r[3] = EXCHANGE(y, 1, seq_cst), r[1] = LOAD(x, acquire))
THREAD(x_then_y_fence, STORE(x, 1, relaxed), FENCE(seq_cst), r[0] = LOAD(y, relaxed))
THREAD(y_then_x_fence, STORE(y, 1, relaxed), FENCE(seq_cst), r[1] = LOAD(x, relaxed))
THREAD(y_then_x_barrier, STORE(y, 1, relaxed),
       syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), r[1] = LOAD(x, relaxed))

/* ---- load buffering ---- */

THREAD(read_x_write_y, r[0] = LOAD(x, relaxed), STORE(y, 1, relaxed))
THREAD(read_y_write_x, r[1] = LOAD(y, relaxed), STORE(x, 1, relaxed))

/* ---- coherence: one location ---- */

THREAD(write_one_two, STORE(x, 1, relaxed), STORE(x, 2, relaxed))
THREAD(write_two, STORE(x, 2, relaxed))
THREAD(read_twice, r[0] = LOAD(x, relaxed), r[1] = LOAD(x, relaxed))
THREAD(write_and_read, STORE(x, 1, relaxed), r[0] = LOAD(x, relaxed))
THREAD(read_and_write, r[0] = LOAD(x, relaxed), STORE(x, 1, relaxed))
THREAD(add_first, r[0] = ADD(x, 1, relaxed))
THREAD(add_second, r[1] = ADD(x, 1, relaxed))

/* ---- two locations: who sees which first, and which store is last ---- */

THREAD(write_x_release, STORE(x, 1, release))
THREAD(write_y_release, STORE(y, 1, release))
THREAD(write_x_seq_cst, STORE(x, 1, seq_cst))
THREAD(write_y_seq_cst, STORE(y, 1, seq_cst))
THREAD(x_y_acquire, r[0] = LOAD(x, acquire), r[1] = LOAD(y, acquire))
THREAD(y_x_acquire, r[2] = LOAD(y, acquire), r[3] = LOAD(x, acquire))
THREAD(x_y_seq_cst, r[0] = LOAD(x, seq_cst), r[1] = LOAD(y, seq_cst))
THREAD(y_x_seq_cst, r[2] = LOAD(y, seq_cst), r[3] = LOAD(x, seq_cst))
THREAD(x_one_y_two, STORE(x, 1, relaxed), STORE(y, 2, relaxed))
THREAD(y_one_x_two, STORE(y, 1, relaxed), STORE(x, 2, relaxed))

typedef void part(void);

static part *running[MOST_THREADS];

static void *run_part(void *argument)
{
    part **it = argument;
    (*it)();
    return NULL;
}

static void run(part *const *parts)
{
    pthread_t thread[MOST_THREADS];
    int n = 0;
    for (; n < MOST_THREADS && parts[n]; n++) {
        running[n] = parts[n];
        pthread_create(&thread[n], NULL, run_part, &running[n]);
    }
    for (int i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
    }
}

/* What comes before a thread it knows, and who joins it knows what it did. */
THREAD(look_and_write, r[0] = LOAD(x, relaxed), STORE(y, 1, relaxed))
THREAD(create_and_join, STORE(x, 1, relaxed), run((part *[MOST_THREADS]){look_and_write}),
       r[1] = LOAD(y, relaxed))
THREAD(last_stores, run((part *[MOST_THREADS]){x_one_y_two, y_one_x_two}), r[0] = LOAD(x, relaxed),
       r[1] = LOAD(y, relaxed))

static const struct litmus {
    const char *name;
    part *thread[MOST_THREADS];
    int results;
    const char *outcomes;
} tests[] = {
    {"message, relaxed", {send_relaxed, receive_relaxed}, 2, "00 01 10 11"},
    {"message, release only", {send_release, receive_relaxed}, 2, "00 01 10 11"},
    {"message, acquire only", {send_relaxed, receive_acquire}, 2, "00 01 10 11"},
    {"message, release and acquire", {send_release, receive_acquire}, 2, "00 01 11"},
    {"message, fences", {send_fence, receive_fence}, 2, "00 01 11"},
    {"message, release fence only", {send_fence, receive_relaxed}, 2, "00 01 10 11"},
    {"message, acquire fence only", {send_relaxed, receive_fence}, 2, "00 01 10 11"},
    {"message, failed swap", {send_release, fail_acquire}, 2, "00 01 11"},
    {"message, failed swap, relaxed", {send_release, fail_relaxed}, 2, "00 01 10 11"},
    {"message, stale failure", {send_relaxed, fail_stale}, 2, "00 01 10 11"},
    {"message, plain", {send_plain, receive_plain}, 2, "02 11"},
    {"message, plain, membarrier", {send_plain_relaxed, receive_plain_barrier}, 2, "02 11"},
    {"message, mutex", {lock_and_send, lock_and_receive}, 1, "0 1"},
    {"sequence, swap", {send_release, replace_one, receive_acquire}, 2, "00 01 11 21"},
    {"sequence, store", {send_release, store_two, receive_acquire}, 2, "00 01 11 20 21"},
    {"sequence, own store", {send_twice, receive_acquire}, 2, "00 01 11 20 21"},
    {"stores, relaxed", {x_then_y_relaxed, y_then_x_relaxed}, 2, "00 01 10 11"},
    {"stores, release", {x_then_y_release, y_then_x_release}, 2, "00 01 10 11"},
    {"stores, seq_cst", {x_then_y_seq_cst, y_then_x_seq_cst}, 2, "01 10 11"},
    {"stores, one seq_cst", {x_then_y_seq_cst, y_then_x_release}, 2, "00 01 10 11"},
    {"stores, swapped", {swap_x_then_y_seq_cst, swap_y_then_x_seq_cst}, 2, "01 10 11"},
    {"stores, swapped, one acquire",
     {swap_x_then_y_seq_cst, swap_y_then_x_acquire},
     2,
     "00 01 10 11"},
    {"stores, swapped, acquire", {swap_x_then_y_acquire, swap_y_then_x_acquire}, 2, "00 01 10 11"},
    {"stores, fences", {x_then_y_fence, y_then_x_fence}, 2, "01 10 11"},
    {"stores, one fence", {x_then_y_fence, y_then_x_relaxed}, 2, "00 01 10 11"},
    {"stores, membarrier", {x_then_y_relaxed, y_then_x_barrier}, 2, "01 10 11"},
    /* C11 allows 11 */
    {"loads", {read_x_write_y, read_y_write_x}, 2, "00 01 10"},
    {"coherence, two reads", {write_one_two, read_twice}, 2, "00 01 02 11 12 22"},
    {"coherence, write and read", {write_and_read, write_two}, 1, "1 2"},
    {"coherence, read and write", {read_and_write, write_two}, 1, "0 2"},
    {"coherence, adds", {add_first, add_second}, 2, "01 10"},
    {"thread, begin and end", {create_and_join}, 2, "11"},
    /* each order of the two stores is seen by one; with seq_cst both see the same */
    {"four, acquire",
     {write_x_release, write_y_release, x_y_acquire, y_x_acquire},
     4,
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1010 1011 1100 1101 1110 1111"},
    {"four, seq_cst",
     {write_x_seq_cst, write_y_seq_cst, x_y_seq_cst, y_x_seq_cst},
     4,
     "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111"},
    /* C11 allows 11 */
    {"last stores", {last_stores}, 2, "12 21 22"},
};

/* Is this outcome among those of the test? Each of those is a goal, known by its place in them. */
static bool meet(const struct litmus *it, const char *outcome)
{
    bool among = false;
    for (const char *at = it->outcomes;; at += it->results + 1) {
        bool same = strncmp(at, outcome, (size_t)it->results) == 0;
        among = among || same;
        explore_sometimes(same, it->name, at);
        if (at[it->results] == '\0') {
            return among;
        }
    }
}

static void check(const struct litmus *it)
{
    char outcome[RESULTS + 1] = {0};
    for (int i = 0; i < it->results; i++) {
        outcome[i] = (char)('0' + r[i]);
    }
    if (!meet(it, outcome)) {
        failure(it->name, strtoul(outcome, NULL, 16));
    }
}

/* ---- errors ---- */

THREAD(receive_racing, if (LOAD(y, relaxed)) data = 2)
THREAD(write_low, ((char *)&data)[0] = 1)
THREAD(write_high, ((char *)&data)[1] = 1)
THREAD(write_all, data = 1)
THREAD(one_two, pthread_mutex_lock(&one), pthread_mutex_lock(&two))
THREAD(two_one, pthread_mutex_lock(&two), pthread_mutex_lock(&one))

static void *block;
THREAD(free_block, free(block), STORE(y, 1, release))
THREAD(use_block, if (LOAD(y, acquire)) LOAD(*(atomic_int *)block, relaxed))
THREAD(allocate, block = calloc(1, sizeof(int)))

/* 0 1 2 3 in turn takes two preemptions, and 100 two stale reads */
THREAD(add_twice, r[0] = ADD(x, 1, relaxed), r[1] = ADD(x, 1, relaxed))
THREAD(add_two_more, r[2] = ADD(x, 1, relaxed), r[3] = ADD(x, 1, relaxed))
THREAD(not_in_turn, assert(!(r[0] == 0 && r[2] == 1 && r[1] == 2)))
THREAD(send_three, STORE(x, 1, relaxed), STORE(y, 1, relaxed), STORE(z, 1, relaxed))
THREAD(receive_three, r[0] = LOAD(z, relaxed), r[1] = LOAD(y, relaxed), r[2] = LOAD(x, relaxed))
THREAD(not_two_stale, assert(!(r[0] == 1 && r[1] == 0 && r[2] == 0)))
THREAD(nothing, )
THREAD(never, explore_sometimes(false, "goal", "never met"))

static const struct broken {
    const char *name;
    part *thread[MOST_THREADS];
    part *after;
} broken[] = {
    {"race", {send_plain, receive_racing}, nothing},
    {"race_low", {write_low, write_all}, nothing},
    {"no_race", {write_low, write_high}, nothing},
    {"deadlock", {one_two, two_one}, nothing},
    {"freed", {free_block, use_block}, nothing},
    {"turns", {add_twice, add_two_more}, not_in_turn},
    {"stale", {send_three, receive_three}, not_two_stale},
    {"goal", {write_two}, never},
};

static void run_broken(const char *name)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        if (strcmp(broken[i].name, name) == 0) {
            run(broken[i].thread);
            broken[i].after();
            return;
        }
    }
    abort();
}

void scenario(void)
{
    const char *name = getenv("BROKEN");
    allocate();
    if (name) {
        run_broken(name);
        return;
    }
    enum { TESTS = sizeof tests / sizeof *tests };
    int which = choose(TESTS);
    for (int i = 0; which == 0 && i < TESTS; i++) {
        meet(&tests[i], "none"); /* goals even if no execution comes to the test */
    }
    run(tests[which].thread);
    check(&tests[which]);
}
