/*
 * rows.c - the list of rows, and how the ordinary ones are measured.
 *
 * All variants of a row are measured in turn, repetition after repetition, so that what the
 * machine does meanwhile falls on all alike.
 */
#include "rows.h"

#include <stdarg.h>
#include <stdio.h>

#define ROWS_MOST  80
#define PIECES     5 /* of a sample */
#define PIECE_NS   2e6
#define AGAIN_MOST 20 /* pieces that a sample may take again */
#define FEW        64 /* operations of a piece, in a quick run */

struct options options = {.reps = 11};

/* Every row that uses it runs in a process of its own, and finds it zeroed. */
static struct work work;

/* The permutation in which a burst is freed. */
static const uint32_t *order_of(size_t burst, enum order order)
{
    static uint32_t places[BURST_MOST];
    for (size_t i = 0; i < burst; i++)
        places[i] = (uint32_t)(order == LIFO ? burst - 1 - i : i);
    uint64_t random = 42;
    for (size_t i = burst; order == RANDOM && i-- > 1;) {
        size_t other = next_random(&random) % (i + 1);
        uint32_t place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
    return places;
}

static unsigned threads_of(const struct row *row, const struct variant *variant)
{
    return variant->threads != 0 ? variant->threads : row->threads;
}

/* Sets work.rounds to what makes about *operations, at once so many; at least one. */
static void set_rounds(size_t *operations, size_t once)
{
    work.rounds = *operations < once ? 1 : *operations / once;
    *operations = work.rounds * once;
}

static double sample_pair(const struct row *row, const struct variant *variant, size_t *operations)
{
    set_rounds(operations, row->threads);
    return workers_time(row->threads, variant->loops->pair, &work);
}

static double sample_burst(const struct row *row, const struct variant *variant, size_t *operations)
{
    unsigned threads = threads_of(row, variant);
    work.burst = row->burst;
    set_rounds(operations, row->burst * threads);
    return workers_time(threads, variant->loops->burst, &work);
}

static double sample_hand_over(const struct row *row, const struct variant *variant,
                               size_t *operations)
{
    const struct loops *loops = variant->loops;
    set_rounds(operations, row->burst);
    return workers_time(2, row->burst == ARRAY ? loops->arrays : loops->ring, &work);
}

static double sample_replace(const struct row *row, const struct variant *variant,
                             size_t *operations)
{
    work.threads = row->threads;
    set_rounds(operations, (size_t)REPLACE_TURN * row->threads);
    atomic_store(&work.turns, 0);
    return workers_time(row->threads, variant->loops->replace, &work);
}

/* The next variant cannot free what this one has left. */
static void finish_replace(const struct row *row, const struct variant *variant)
{
    workers_time(row->threads, variant->loops->clear, &work);
}

static void finish_nothing(const struct row *row, const struct variant *variant)
{
    (void)row;
    (void)variant;
}

/* The quickest of some samples: caches grow in the first, and another may be disturbed. */
static double sample_least(const struct row *row, const struct variant *variant, size_t *operations)
{
    double least = row->sample(row, variant, operations);
    for (int i = 0; i < 3 && !options.quick; i++) {
        double ns = row->sample(row, variant, operations);
        least = ns < least ? ns : least;
    }
    return least;
}

/* How many operations of the variant make a piece. */
static size_t calibrate(const struct row *row, const struct variant *variant)
{
    size_t operations = FEW;
    double ns = sample_least(row, variant, &operations);
    while (!options.quick && ns < PIECE_NS / 4) {
        operations *= 4;
        ns = sample_least(row, variant, &operations);
    }
    row->finish(row, variant);
    return options.quick ? FEW : (size_t)((double)operations * PIECE_NS / ns);
}

/*
 * Processor time of an operation, in ns, over some pieces. One before them does not count: the
 * other variants' objects have driven ours from the processor's caches. A piece in which another
 * program held up a worker is taken again, within limits, since on a busy machine all may be.
 */
static double sample_cost(const struct row *row, const struct variant *variant, size_t operations)
{
    unsigned threads = threads_of(row, variant);
    unsigned pieces = options.quick ? 1 : PIECES;
    unsigned again = options.quick ? 0 : AGAIN_MOST;
    double ns = 0;
    size_t done = 0;
    row->sample(row, variant, &operations);
    for (unsigned piece = 0; piece < pieces;) {
        double piece_ns = row->sample(row, variant, &operations);
        bool disturbed = workers_preempted(threads);
        if (disturbed && again > 0) {
            again--;
            continue;
        }
        ns += piece_ns;
        done += operations;
        piece++;
        totals->pieces++;
        totals->disturbed += disturbed;
    }
    row->finish(row, variant);
    return ns * workers_processors(threads) / (double)done;
}

static void run_ordinary(const struct row *row)
{
    static sample_set samples;
    const struct variants *variants = row->variants;
    size_t operations[VARIANTS_MOST];
    allocators_open();
    workers_start(row->threads);
    work.order = order_of(row->burst, row->order);
    for (size_t i = 0; i < ARRAYS; i++)
        ring_put(&work.empty, work.array[i]);
    for (size_t v = 0; v < variants->n; v++)
        operations[v] = calibrate(row, &variants->all[v]);
    for (size_t rep = 0; rep < options.reps; rep++) {
        for (size_t v = 0; v < variants->n; v++)
            samples[0][v][rep] = sample_cost(row, &variants->all[v], operations[v]);
    }
    report(row, samples, options.reps);
}

static struct row rows[ROWS_MOST];
static size_t row_count;

/* A row, of one line, named as printf does. */
__attribute__((format(printf, 3, 4))) static struct row *add(const struct variants *variants,
                                                             double goal, const char *format, ...)
{
    struct row *row = &rows[row_count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->name, sizeof row->name, format, arguments);
    va_end(arguments);
    row->variants = variants;
    row->run = run_ordinary;
    row->finish = finish_nothing;
    row->parts = 1;
    row->part[0] = (struct part){"", goal};
    row->threads = 1;
    return row;
}

static void add_pair(const struct variants *variants, double goal, const char *name)
{
    add(variants, goal, "%s", name)->sample = sample_pair;
}

/* A burst by threads, in the given order. */
static void add_burst(const struct variants *variants, double goal, const char *prefix,
                      size_t burst, enum order order, unsigned threads)
{
    static const char *const orders[] = {"LIFO", "FIFO", "random"};
    struct row *row =
        add(variants, goal, "%sburst %zu %s %uT", prefix, burst, orders[order], threads);
    row->sample = sample_burst;
    row->burst = burst;
    row->order = order;
    row->threads = threads;
}

static void add_against_peers(void)
{
    static const size_t bursts[] = {32, 256, 4096, 65536};
    static const unsigned threads[] = {1, 2, 16};
    add_pair(&variants_of_n, 0.55, "pair");
    for (size_t b = 0; b < 4; b++) {
        double goal = bursts[b] < 65536 ? 0.7 : 0.9;
        for (size_t t = 0; t < 3; t++) {
            for (enum order order = LIFO; order <= RANDOM; order++)
                add_burst(&variants_of_n, goal, "", bursts[b], order, threads[t]);
        }
    }
    for (unsigned n = 1; n <= 2; n++) {
        struct row *row = add(&variants_of_pool, 0.9, "replace in 4096 %uT", n);
        row->sample = sample_replace;
        row->finish = finish_replace;
        row->threads = n;
    }
    for (size_t burst = 1; burst <= ARRAY; burst += ARRAY - 1) {
        struct row *row = add(&variants_of_ring, 0.6, "hand over %zu at a time", burst);
        row->sample = sample_hand_over;
        row->burst = burst;
        row->threads = 2;
    }
}

static void add_fresh(void)
{
    struct row *first = add(&variants_of_pool, 0, "first 10M,");
    first->run = run_first;
    first->parts = 4;
    first->part[0] = (struct part){" alloc", 1.0};
    first->part[1] = (struct part){" free", 0};
    first->part[2] = (struct part){" alloc again", 0};
    first->part[3] = (struct part){" free and alloc again", 1.0};
    struct row *single = add(&variants_of_pool, 0, "call of 10M,");
    single->run = run_single;
    single->parts = 3;
    single->part[0] = (struct part){" 99.99 %", 1.0};
    single->part[1] = (struct part){" slowest", 1.0};
    single->part[2] = (struct part){" slowest each time", 1.0};
}

static void add_among_ours(void)
{
    static const size_t bursts[] = {32, 256, 4096};
    static const unsigned threads[] = {1, 2, 16};
    for (size_t b = 0; b < 3; b++) {
        for (enum order order = LIFO; order <= RANDOM; order++)
            add_burst(&variants_of_threads, 1.15, "scaling, ", bursts[b], order, 2);
    }
    add_pair(&variants_of_held, 0.75, "held cache, pair");
    for (size_t b = 0; b < 3; b++)
        add_burst(&variants_of_held, 0.75, "held cache, ", bursts[b], LIFO, 1);
    add_burst(&variants_of_bulk, 0.35, "bulk, ", 32, FIFO, 1);
    add_pair(&variants_of_cap, 1.0, "capped, pair");
    for (size_t b = 0; b < 2; b++) {
        for (size_t t = 0; t < 3; t++)
            add_burst(&variants_of_cap, 1.0, "capped, ", bursts[b], LIFO, threads[t]);
    }
}

const struct row *rows_all(size_t *n)
{
    if (row_count == 0) {
        add_against_peers();
        add_fresh();
        add_among_ours();
    }
    *n = row_count;
    return rows;
}
