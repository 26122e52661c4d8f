/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - the rows of what several threads push and one takes in an order that does not depend on
 * the schedule: jobs, which the threads take as they come, and whose elements come out by job.
 */
#include "keyed.h"
#include "buffer_work.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

typedef uint64_t u64;

#define VF_T u64
#define VF_N 8
#include <veryfast/smallbuf.h>
#define VF_T    struct keyed
#define VF_N    8
#define VF_NAME sortables
#include <veryfast/smallbuf.h>

/* ---- jobs ---- */

static struct {
    size_t jobs, each; /* elements of a job */
    unsigned next;     /* atomic: how many were taken */
    u64 sum;           /* of the elements and their places */
} work;

/* The next job; in any order, but each once. False: there is no more. */
static bool take_job(u64 *job)
{
    size_t turn = __atomic_fetch_add(&work.next, 1, __ATOMIC_RELAXED);
    *job = turn * 7919 % work.jobs; /* a prime number */
    return turn < work.jobs;
}

/* Whoever takes the elements in another order has another sum. */
static inline u64 add_at(u64 sum, u64 place, u64 value)
{
    return sum + place * value;
}

static u64 sum_of_all(void)
{
    u64 sum = 0;
    for (u64 job = 0, place = 0; job < work.jobs; job++) {
        for (u64 i = 0; i < work.each; i++, place++)
            sum = add_at(sum, place, element((unsigned)job, i));
    }
    return sum;
}

/* ---- the ways ---- */

static smallbuf_u64_8 buffer;

static void by_key(void *none, unsigned worker)
{
    (void)none;
    (void)worker;
    for (u64 job; take_job(&job);) {
        smallbuf_u64_8_writer writer;
        smallbuf_u64_8_writer_open_keyed(&writer, &buffer, job);
        for (size_t i = 0; i < work.each; i++)
            smallbuf_u64_8_writer_push(&writer, element((unsigned)job, i));
        smallbuf_u64_8_writer_close(&writer);
    }
}

static void without_key(void *none, unsigned worker)
{
    (void)none;
    (void)worker;
    smallbuf_u64_8_writer writer;
    smallbuf_u64_8_writer_open(&writer, &buffer);
    for (u64 job; take_job(&job);) {
        for (size_t i = 0; i < work.each; i++)
            smallbuf_u64_8_writer_push(&writer, element((unsigned)job, i));
    }
    smallbuf_u64_8_writer_close(&writer);
}

static void take(void *none, unsigned worker)
{
    u64 *span, sum = 0, place = 0;
    (void)none;
    (void)worker;
    smallbuf_u64_8_drain drain = smallbuf_u64_8_drain_begin(&buffer);
    for (size_t n; (n = smallbuf_u64_8_drain_span(&drain, &span)) > 0;) {
        for (size_t i = 0; i < n; i++)
            sum = add_at(sum, place++, span[i]);
    }
    smallbuf_u64_8_drain_end(&drain);
    work.sum = sum;
}

/* A writer, and a sort of all elements. */
static sortables unsorted;
static struct keyed *sorted;

static void sortable(void *none, unsigned worker)
{
    (void)none;
    (void)worker;
    sortables_writer writer;
    sortables_writer_open(&writer, &unsorted);
    for (u64 job; take_job(&job);) {
        for (size_t i = 0; i < work.each; i++) {
            struct keyed keyed = {job << 32 | i, element((unsigned)job, i)};
            sortables_writer_push(&writer, keyed);
        }
    }
    sortables_writer_close(&writer);
}

static int compare(const void *a, const void *b)
{
    u64 one = ((const struct keyed *)a)->key, other = ((const struct keyed *)b)->key;
    return (one > other) - (one < other);
}

static void sort_and_take(void *none, unsigned worker)
{
    struct keyed *span;
    size_t all = 0;
    u64 sum = 0;
    (void)none;
    (void)worker;
    sortables_drain drain = sortables_drain_begin(&unsorted);
    for (size_t n; (n = sortables_drain_span(&drain, &span)) > 0; all += n)
        memcpy(&sorted[all], span, n * sizeof *span);
    sortables_drain_end(&drain);
    qsort(sorted, all, sizeof *sorted, compare);
    for (size_t i = 0; i < all; i++)
        sum = add_at(sum, i, sorted[i].value);
    work.sum = sum;
}

#if HAVE_CPP
static void into_vector(void *none, unsigned worker)
{
    (void)none;
    for (u64 job; take_job(&job);)
        keyed_vector_push(worker, job, work.each);
}

static void sort_vectors(void *none, unsigned worker)
{
    (void)none;
    (void)worker;
    work.sum = keyed_vectors_take();
}
#endif

/* ---- the rows ---- */

static const struct way {
    const char *name;
    enum kind kind;
    worker_body *fill, *take;
} ways[] = {
    {"keyed", OURS, by_key, take},
    {"writer+qsort", PEER, sortable, sort_and_take},
#if HAVE_CPP
    {"vectors+sort", PEER, into_vector, sort_vectors},
#endif
    {"no order", ASIDE, without_key, take},
};

/* A fill and what takes it out, which has a turn while the other threads wait. */
static double sample_jobs(const struct row *row, const struct variant *variant, size_t *operations)
{
    const struct way *way = &ways[variant->number];
    unsigned threads = row->threads;
    work.each = row->burst;
    work.jobs = FILL / work.each;
    size_t once = work.jobs * work.each;
    size_t rounds = *operations / once + 1;
    double ns = 0;
    *operations = rounds * once;
    for (; rounds > 0; rounds--) {
        work.next = 0;
        ns += workers_time(threads, way->fill, NULL);
        ns += workers_time(1, way->take, NULL) / workers_processors(threads);
    }
    if (way->kind != ASIDE && work.sum != sum_of_all()) {
        fprintf(stderr, "%s: is not in order\n", way->name);
        exit(1);
    }
    return ns;
}

static void open_jobs(const struct row *row)
{
    sorted = made(malloc(FILL * sizeof *sorted));
    workers_start(row->threads);
}

void keyed_rows_add(void)
{
    static struct variants variants;
    static const size_t sizes[] = {1562, 100, 3};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        variant_add(&variants, ways[i].name, ways[i].kind);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            struct row *row =
                row_add(&variants, 1.0, "jobs of %zu in order, %uT", sizes[i], threads);
            row->sample = sample_jobs;
            row->open = open_jobs;
            row->threads = threads;
            row->burst = sizes[i];
        }
    }
}
