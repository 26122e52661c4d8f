/* SPDX-License-Identifier: MIT */
/*
 * measure.c - how ordinary rows are measured, see rows.h.
 *
 * All variants of a row are measured in turn, repetition after repetition, so that what the
 * machine does meanwhile falls on all alike.
 */
#include "rows.h"

#define PIECES         5 /* of a sample */
#define PIECE_NS       2e6
#define PIECE_NS_QUICK 1e5
#define AGAIN_MOST     20  /* pieces that a sample may take again */
#define LONG_NS        1e8 /* a round that takes this long is a sample of its own */
#define FEW            64  /* operations, to begin with */

unsigned threads_of(const struct row *row, const struct variant *variant)
{
    return variant->threads != 0 ? variant->threads : row->threads;
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
    double piece_ns = options.quick ? PIECE_NS_QUICK : PIECE_NS;
    size_t operations = FEW;
    double ns = sample_least(row, variant, &operations);
    while (ns < piece_ns / 4) {
        operations *= 4;
        ns = sample_least(row, variant, &operations);
    }
    if (row->finish != NULL)
        row->finish(row, variant);
    return (size_t)((double)operations * piece_ns / ns);
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
    if (row->sample(row, variant, &operations) > LONG_NS)
        pieces = again = 1;
    workers_preempted(threads);
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
    if (row->finish != NULL)
        row->finish(row, variant);
    return ns * workers_processors(threads) / (double)done;
}

void run_ordinary(const struct row *row)
{
    static sample_set samples;
    const struct variants *variants = row->variants;
    size_t operations[VARIANTS_MOST];
    row->open(row);
    for (size_t v = 0; v < variants->n; v++)
        operations[v] = calibrate(row, &variants->all[v]);
    for (size_t rep = 0; rep < options.reps; rep++) {
        for (size_t v = 0; v < variants->n; v++)
            samples[0][v][rep] = sample_cost(row, &variants->all[v], operations[v]);
    }
    report(row, samples, options.reps);
}

void run_calls(const struct row *row)
{
    row->open(row);
    for (size_t v = 0; v < row->variants->n; v++) {
        size_t operations = options.calls;
        row->sample(row, &row->variants->all[v], &operations);
    }
}
