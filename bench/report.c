/*
 * report.c - prints the table, see rows.h.
 */
#include "rows.h"

#include <stdio.h>

#define NOISY 0.15 /* an interquartile range of more than this part of the median is marked */

struct totals *totals;

void report_header(const struct variants *variants)
{
    printf("\n%-30s", "ns");
    for (size_t v = 0; v < variants->n; v++)
        printf(" %10s ", variants->all[v].name);
    printf("| ratio to the best, and goal\n");
}

/* The median of one cell, printed. */
static double report_cell(double *cell, size_t reps)
{
    double spread;
    double ns = median(cell, reps, &spread);
    printf(" %10.*f%c", ns < 1000 ? 2 : 0, ns, spread > NOISY ? '~' : ' ');
    return ns;
}

/* Ratios to the best peer, and the verdict. */
static void report_ratios(const struct variants *variants, const double *ns, double best,
                          double goal)
{
    bool missed = false;
    printf("|");
    for (size_t v = 0; v < variants->n; v++) {
        if (variants->all[v].kind != OURS)
            continue;
        double ratio = ns[v] / best;
        bool above = goal > 0 && ratio > goal;
        printf(" %.2f%c", ratio, above ? '!' : ' ');
        missed = missed || above;
    }
    if (goal > 0)
        printf(" of %.2f %s", goal, missed ? "MISS" : "ok");
    printf("\n");
    totals->missed += missed;
}

void report(const struct row *row, sample_set samples, size_t reps)
{
    const struct variants *variants = row->variants;
    for (size_t part = 0; part < row->parts; part++) {
        double ns[VARIANTS_MOST];
        double best = 0;
        int name = printf("%s%s", row->name, row->part[part].name);
        printf("%*s", 30 - name, "");
        for (size_t v = 0; v < variants->n; v++) {
            ns[v] = report_cell(samples[part][v], reps);
            if (variants->all[v].kind == PEER && (best <= 0 || ns[v] < best))
                best = ns[v];
        }
        report_ratios(variants, ns, best, options.quick ? 0 : row->part[part].goal);
        totals->printed++;
    }
}
