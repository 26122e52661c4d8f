/* SPDX-License-Identifier: MIT */
/*
 * buffers.c - the small buffer's forms and its peers in C, see buffers.h.
 */
#include "buffers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t u64;

#define VF_T u64
#define VF_N 6
#include <veryfast/smallbuf.h>
#define VF_T u64
#define VF_N 8
#include <veryfast/smallbuf.h>
#define VF_T u64
#define VF_N 1000
#include <veryfast/smallbuf.h>
#define VF_T u64
#define VF_N 8
#define VF_FLIP
#define VF_NAME flipbuf
#include <veryfast/smallbuf.h>
#define VF_T u64
#define VF_N 8
#define VF_LANES
#define VF_NAME lanebuf
#include <veryfast/smallbuf.h>
#define VF_T u64
#define VF_N 8
#define VF_LANES
#define VF_FLIP
#define VF_NAME laneflipbuf
#include <veryfast/smallbuf.h>

/* ---- the small buffer ---- */

/* The declarations and statements that all its forms have in common. */
#define ZERO(b) memset(b, 0, sizeof *(b));
#define DRAIN(name, begin, b, sum)                                                                 \
    name##_drain drain = name##_##begin(b);                                                        \
    u64 *span;                                                                                     \
    for (size_t n; (n = name##_drain_span(&drain, &span)) > 0;) {                                  \
        for (size_t k = 0; k < n; k++)                                                             \
            (sum) += span[k];                                                                      \
    }                                                                                              \
    name##_drain_end(&drain);

#define LOOPS         push_8
#define LOOPS_TYPE    smallbuf_u64_8
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) smallbuf_u64_8_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(smallbuf_u64_8, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     smallbuf_u64_8_destroy(b);
#include "buffer_loops.h"

#define LOOPS         writer
#define LOOPS_TYPE    smallbuf_u64_8
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)                                                                          \
    smallbuf_u64_8_writer open;                                                                    \
    smallbuf_u64_8_writer_open(&open, b);
#define LOOPS_PUSH(b, v)    smallbuf_u64_8_writer_push(&open, v);
#define LOOPS_PRODUCED      smallbuf_u64_8_writer_close(&open);
#define LOOPS_DRAIN(b, sum) DRAIN(smallbuf_u64_8, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     smallbuf_u64_8_destroy(b);
#include "buffer_loops.h"

#define LOOPS         lanes
#define LOOPS_TYPE    lanebuf
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) lanebuf_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(lanebuf, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     lanebuf_destroy(b);
#include "buffer_loops.h"

#define LOOPS         push_6
#define LOOPS_TYPE    smallbuf_u64_6
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) smallbuf_u64_6_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(smallbuf_u64_6, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     smallbuf_u64_6_destroy(b);
#include "buffer_loops.h"

#define LOOPS         push_1000
#define LOOPS_TYPE    smallbuf_u64_1000
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) smallbuf_u64_1000_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(smallbuf_u64_1000, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     smallbuf_u64_1000_destroy(b);
#define LOOPS_CLEAR(b)      smallbuf_u64_1000_clear(b);
#include "buffer_loops.h"

#define LOOPS         exclusive
#define LOOPS_TYPE    smallbuf_u64_1000
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) smallbuf_u64_1000_push_exclusive(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(smallbuf_u64_1000, drain_begin, b, sum)
#define LOOPS_UNMAKE(b)     smallbuf_u64_1000_destroy(b);
#define LOOPS_CLEAR(b)      smallbuf_u64_1000_clear(b);
#include "buffer_loops.h"

#define LOOPS         flip
#define LOOPS_TYPE    flipbuf
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) flipbuf_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(flipbuf, flip, b, sum)
#define LOOPS_UNMAKE(b)     flipbuf_destroy(b);
#include "buffer_loops.h"

#define LOOPS         lanes_flip
#define LOOPS_TYPE    laneflipbuf
#define LOOPS_MAKE(b) ZERO(b)
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) laneflipbuf_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) DRAIN(laneflipbuf, flip, b, sum)
#define LOOPS_UNMAKE(b)     laneflipbuf_destroy(b);
#include "buffer_loops.h"

static void push_n_fill(void *context, unsigned worker)
{
    size_t each = ((const struct buffer_work *)context)->each;
    u64 values[PUSH_N];
    for (size_t i = 0; i < each; i += PUSH_N) {
        size_t n = each - i < PUSH_N ? each - i : PUSH_N;
        for (size_t k = 0; k < n; k++)
            values[k] = element(worker, i + k);
        smallbuf_u64_8_push_n(&push_8_hot, values, n);
    }
}

static const struct buffer_loops push_n_loops = {
    .make = push_8_make, .fill = push_n_fill, .drain = push_8_drain};

/* ---- the limits: an array that has room for all, and what counts its elements ---- */

struct array {
    u64 tail;
    u64 slots[131072];
};

struct array_8 {
    u64 tail;
    u64 slots[8];
};

#define SUM_UP(b, sum)                                                                             \
    u64 count = (b)->tail;                                                                         \
    for (u64 k = 0; k < count; k++)                                                                \
        (sum) += (b)->slots[k];                                                                    \
    (b)->tail = 0;

#define LOOPS         array
#define LOOPS_TYPE    struct array
#define LOOPS_MAKE(b) (b)->tail = 0;
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) (b)->slots[__atomic_fetch_add(&(b)->tail, 1, __ATOMIC_RELAXED)] = v;
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) SUM_UP(b, sum)
#define LOOPS_UNMAKE(b)
#define LOOPS_CLEAR(b) (b)->tail = 0;
#include "buffer_loops.h"

#define LOOPS         array_8
#define LOOPS_TYPE    struct array_8
#define LOOPS_MAKE(b) (b)->tail = 0;
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) (b)->slots[__atomic_fetch_add(&(b)->tail, 1, __ATOMIC_RELAXED)] = v;
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) SUM_UP(b, sum)
#define LOOPS_UNMAKE(b)
#include "buffer_loops.h"

#define LOOPS         counted
#define LOOPS_TYPE    struct array
#define LOOPS_MAKE(b) (b)->tail = 0;
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) (b)->slots[(b)->tail++] = v;
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) SUM_UP(b, sum)
#define LOOPS_UNMAKE(b)
#define LOOPS_CLEAR(b) (b)->tail = 0;
#include "buffer_loops.h"

#define LOOPS         counter
#define LOOPS_TYPE    struct array_8
#define LOOPS_MAKE(b) (b)->tail = 0;
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) __atomic_fetch_add(&(b)->tail, v - v + 1, __ATOMIC_RELAXED);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum) (b)->tail = 0;
#define LOOPS_UNMAKE(b)
#include "buffer_loops.h"

/* ---- a mutex and an array that grows ---- */

struct locked {
    pthread_mutex_t lock;
    u64 *elements;
    size_t count, room;
};

static inline void locked_push(struct locked *locked, u64 value)
{
    pthread_mutex_lock(&locked->lock);
    if (locked->count == locked->room) {
        locked->room = locked->room == 0 ? FEW_PUSH : locked->room * 2;
        locked->elements = realloc(locked->elements, locked->room * sizeof(u64));
    }
    locked->elements[locked->count++] = value;
    pthread_mutex_unlock(&locked->lock);
}

static void locked_push_n(struct locked *locked, const u64 *values, size_t n)
{
    pthread_mutex_lock(&locked->lock);
    while (locked->count + n > locked->room) {
        locked->room = locked->room == 0 ? FEW_PUSH : locked->room * 2;
        locked->elements = realloc(locked->elements, locked->room * sizeof(u64));
    }
    memcpy(&locked->elements[locked->count], values, n * sizeof *values);
    locked->count += n;
    pthread_mutex_unlock(&locked->lock);
}

#define LOOPS         locked
#define LOOPS_TYPE    struct locked
#define LOOPS_MAKE(b) *(b) = (struct locked){.lock = PTHREAD_MUTEX_INITIALIZER};
#define LOOPS_PRODUCER(b)
#define LOOPS_PUSH(b, v) locked_push(b, v);
#define LOOPS_PRODUCED
#define LOOPS_DRAIN(b, sum)                                                                        \
    for (size_t k = 0; k < (b)->count; k++)                                                        \
        (sum) += (b)->elements[k];                                                                 \
    (b)->count = 0;
#define LOOPS_UNMAKE(b) free((b)->elements);
#include "buffer_loops.h"

/* Many by one call: under one lock, and copied. */
static void locked_n_fill(void *context, unsigned worker)
{
    size_t each = ((const struct buffer_work *)context)->each;
    u64 values[PUSH_N];
    for (size_t i = 0; i < each; i += PUSH_N) {
        size_t n = each - i < PUSH_N ? each - i : PUSH_N;
        for (size_t k = 0; k < n; k++)
            values[k] = element(worker, i + k);
        locked_push_n(&locked_hot, values, n);
    }
}

static const struct buffer_loops locked_n_loops = {
    .make = locked_make, .fill = locked_n_fill, .drain = locked_drain};

/* ---- liburcu's wait-free queue ---- */

#if HAVE_URCU
#    define _LGPL_SOURCE /* its inline functions */
#    include <urcu/wfcqueue.h>

struct queue {
    struct cds_wfcq_head head;
    struct cds_wfcq_tail tail;
};

struct queued {
    struct cds_wfcq_node node;
    u64 value;
};

#    define VF_T struct queued
#    define VF_N 4096
#    include <veryfast/pool.h>

static pool_queued_4096 *queued_pool;

static inline void queue_push(struct queue *queue, struct queued *queued, u64 value)
{
    queued->value = value;
    cds_wfcq_node_init(&queued->node);
    cds_wfcq_enqueue(&queue->head, &queue->tail, &queued->node);
}

#    define TAKE_ALL(b, sum, give_back)                                                            \
        struct queue taken;                                                                        \
        struct cds_wfcq_node *node, *next;                                                         \
        cds_wfcq_init(&taken.head, &taken.tail);                                                   \
        __cds_wfcq_splice_blocking(&taken.head, &taken.tail, &(b)->head, &(b)->tail);              \
        __cds_wfcq_for_each_blocking_safe(&taken.head, &taken.tail, node, next)                    \
        {                                                                                          \
            struct queued *queued = (struct queued *)node;                                         \
            (sum) += queued->value;                                                                \
            give_back;                                                                             \
        }

#    define LOOPS         wfcqueue
#    define LOOPS_TYPE    struct queue
#    define LOOPS_MAKE(b) cds_wfcq_init(&(b)->head, &(b)->tail);
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) queue_push(b, malloc(sizeof(struct queued)), v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum) TAKE_ALL(b, sum, free(queued))
#    define LOOPS_UNMAKE(b)     cds_wfcq_destroy(&(b)->head, &(b)->tail);
#    include "buffer_loops.h"

#    define LOOPS         pooled
#    define LOOPS_TYPE    struct queue
#    define LOOPS_MAKE(b) cds_wfcq_init(&(b)->head, &(b)->tail);
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) queue_push(b, pool_queued_4096_alloc(queued_pool), v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum) TAKE_ALL(b, sum, pool_queued_4096_free(queued_pool, queued))
#    define LOOPS_UNMAKE(b)     cds_wfcq_destroy(&(b)->head, &(b)->tail);
#    include "buffer_loops.h"
#endif

/* ---- Concurrency Kit's ring, of pointers ---- */

#if HAVE_CK
#    include <ck_ring.h>

struct ring_of_all {
    ck_ring_t ring;
    ck_ring_buffer_t slots[131072];
};

#    define LOOPS         ring
#    define LOOPS_TYPE    struct ring_of_all
#    define LOOPS_MAKE(b) ck_ring_init(&(b)->ring, 131072);
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) ck_ring_enqueue_mpsc(&(b)->ring, (b)->slots, (void *)(uintptr_t)(v));
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum)                                                                    \
        for (void *v; ck_ring_dequeue_mpsc(&(b)->ring, (b)->slots, &v);)                           \
            (sum) += (uintptr_t)v;
#    define LOOPS_UNMAKE(b)
#    include "buffer_loops.h"
#endif

/* ---- the columns ---- */

struct variants buffers_inside, buffers_exclusive, buffers_limit, buffers_flip, buffers_fresh,
    buffers_push, buffers_push_n, buffers_writer, buffers_lanes, buffers_drain, buffers_many,
    buffers_calls, buffers_single_or_n, buffers_lanes_flip;

static void add(struct variants *variants, const char *name, enum kind kind,
                const struct buffer_loops *buffer)
{
    variant_add(variants, name, kind)->buffer = buffer;
}

/* The small buffer's forms and the limits, before the peers. */
static void add_forms(void)
{
    add(&buffers_inside, "push", OURS, &push_1000_loops);
    add(&buffers_inside, "fetch+store", PEER, &array_loops);
    add(&buffers_exclusive, "exclusive", OURS, &exclusive_loops);
    add(&buffers_exclusive, "array", PEER, &counted_loops);
    add(&buffers_limit, "push", OURS, &push_8_loops);
    add(&buffers_limit, "fetch+store", PEER, &array_loops);
    add(&buffers_limit, "fetch_add", ASIDE, &counter_loops);
    add(&buffers_flip, "flip", OURS, &flip_loops);
    add(&buffers_flip, "push", PEER, &push_8_loops);
    add(&buffers_fresh, "push", OURS, &push_8_loops);
    add(&buffers_fresh, "fetch+store", PEER, &array_8_loops);
    add(&buffers_push, "push", OURS, &push_8_loops);
    add(&buffers_push_n, "push_n", OURS, &push_n_loops);
    add(&buffers_push_n, "push", ASIDE, &push_8_loops);
    add(&buffers_single_or_n, "push_n", OURS, &push_n_loops);
    add(&buffers_single_or_n, "push", PEER, &push_8_loops);
    add(&buffers_writer, "writer", OURS, &writer_loops);
    add(&buffers_writer, "fetch+store", ASIDE, &array_loops);
    add(&buffers_lanes, "lanes", OURS, &lanes_loops);
    add(&buffers_lanes, "push", PEER, &push_8_loops);
    add(&buffers_lanes, "writer", ASIDE, &writer_loops);
    add(&buffers_lanes_flip, "lanes+flip", OURS, &lanes_flip_loops);
    add(&buffers_lanes_flip, "flip", PEER, &flip_loops);
    add(&buffers_lanes_flip, "lanes", ASIDE, &lanes_loops);
    add(&buffers_drain, "spans", OURS, &push_8_loops);
    add(&buffers_drain, "array", PEER, &array_loops);
    add(&buffers_many, "push", OURS, &push_6_loops);
    add(&buffers_calls, "push", OURS, &push_8_loops);
}

/* A peer in all rows that it can be in. */
static void add_peer(const char *name, const struct buffer_loops *buffer)
{
    add(&buffers_fresh, name, PEER, buffer);
    add(&buffers_push, name, PEER, buffer);
    add(&buffers_writer, name, PEER, buffer);
    add(&buffers_lanes, name, PEER, buffer);
    add(&buffers_drain, name, PEER, buffer);
    add(&buffers_many, name, PEER, buffer);
    add(&buffers_calls, name, PEER, buffer);
}

static void note_missing(bool found, const char *what)
{
    if (!found && !SANITIZED)
        fprintf(stderr, "missing: %s\n", what);
}

static void find_in_c(void)
{
    add(&buffers_fresh, "mutex+array", PEER, &locked_loops);
    add(&buffers_push, "mutex+array", PEER, &locked_loops);
    add(&buffers_push_n, "mutex+array", PEER, &locked_n_loops);
    add(&buffers_writer, "mutex+array", PEER, &locked_loops);
    add(&buffers_many, "mutex+array", PEER, &locked_loops);
    add(&buffers_calls, "mutex+array", PEER, &locked_loops);
#if HAVE_URCU
    add_peer("wfcqueue", &wfcqueue_loops);
    add(&buffers_writer, "wfcq+pool", PEER, &pooled_loops);
#endif
#if HAVE_CK
    add(&buffers_writer, "ck_ring", PEER, &ring_loops);
#endif
}

static void find_in_cpp(void)
{
#if HAVE_TBB
    add_peer("tbb vector", &tbb_vector_loops);
    add(&buffers_writer, "tbb queue", PEER, &tbb_queue_loops);
#endif
#if HAVE_CONCURRENTQUEUE
    add(&buffers_fresh, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_push, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_calls, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_push_n, "moodycamel", PEER, &moodycamel_bulk_loops);
    add(&buffers_writer, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_lanes, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_lanes, "with tokens", PEER, &moodycamel_token_loops);
    add(&buffers_lanes_flip, "moodycamel", PEER, &moodycamel_loops);
    add(&buffers_lanes_flip, "with tokens", PEER, &moodycamel_token_loops);
    add(&buffers_writer, "with tokens", PEER, &moodycamel_token_loops);
    add(&buffers_drain, "moodycamel", PEER, &moodycamel_token_loops);
#endif
}

void buffers_find(void)
{
    add_forms();
    find_in_c();
    find_in_cpp();
    note_missing(HAVE_URCU, "liburcu's wfcqueue (Debian: liburcu-dev)");
    note_missing(HAVE_CK, "Concurrency Kit (Debian: libck-dev)");
    note_missing(HAVE_TBB, "oneTBB (Debian: libtbb-dev)");
    note_missing(HAVE_CONCURRENTQUEUE, "moodycamel (Debian: libconcurrentqueue-dev)");
}

void buffers_open(void)
{
#if HAVE_URCU
    queued_pool = made(pool_queued_4096_new(NULL));
#endif
}

void buffers_single(const struct buffer_loops *buffer, size_t n, float *single_ns)
{
    struct buffer_work work = {.each = n, .single_ns = single_ns};
    buffers_open();
    workers_start(1);
    buffer->make(&work, 0);
    buffer->single(&work, 0);
}
