/* SPDX-License-Identifier: MIT */
/*
 * report.c - prints the table, and writes it for other programs, see rows.h.
 */
#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOISY 0.15 /* an interquartile range of more than this part of the median is marked */

struct totals *totals;

static FILE *csv, *json;

/* Of one column. */
struct cell {
    double median, spread;
};

static FILE *open_result(const char *path)
{
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (path != NULL && file == NULL) {
        perror(path);
        exit(2);
    }
    return file;
}

void report_open(const char *csv_path, const char *json_path)
{
    csv = open_result(csv_path);
    json = open_result(json_path);
    if (csv != NULL)
        fprintf(csv, "workload,unit,peer,kind,median,spread,goal\n");
    if (json != NULL)
        fprintf(json, "[");
}

/* What could not be written is not to be missed silently. */
static void close_result(FILE *file)
{
    if (file != NULL && (ferror(file) || fclose(file) != 0)) {
        perror("veryfast-bench");
        exit(1);
    }
}

void report_close(void)
{
    if (json != NULL)
        fprintf(json, "\n]\n");
    close_result(csv);
    close_result(json);
}

void report_header(const struct variants *variants)
{
    printf("\n%-30s", "");
    for (size_t v = 0; v < variants->n; v++)
        printf(" %11s", variants->all[v].name);
    printf(" | ratio to the best, and goal\n");
}

static void print_cell(const struct cell *cell)
{
    printf(" %10.*f%c", cell->median < 1000 ? 2 : 0, cell->median,
           cell->spread > NOISY ? '~' : ' ');
}

/* Where the best takes nothing at all (of memory), all else is too much. */
static double ratio_of(double ours, double best)
{
    if (best > 0)
        return ours / best;
    return ours > 0 ? (double)INFINITY : 1;
}

/* Ratios to the best peer, if there is one, and the verdict. */
static void print_ratios(const struct variants *variants, const struct cell *cells,
                         const double *best, double goal)
{
    bool missed = false;
    printf(" |");
    for (size_t v = 0; v < variants->n; v++) {
        if (variants->all[v].kind != OURS || best == NULL)
            continue;
        double ratio = ratio_of(cells[v].median, *best);
        bool above = goal > 0 && ratio > goal;
        printf(" %.2f%c", ratio, above ? '!' : ' ');
        missed = missed || above;
    }
    if (goal > 0 && best != NULL)
        printf(" of %.2f %s", goal, missed ? "MISS" : "ok");
    printf("\n");
    totals->missed += missed;
}

static void print_line(const struct row *row, const struct part *part, const struct cell *cells)
{
    static const double itself = 1;
    const struct variants *variants = row->variants;
    const double *best = part->of_figure ? &itself : NULL;
    int name = printf("%s%s", row->name, part->name);
    printf("%*s", 30 - name, "");
    for (size_t v = 0; v < variants->n; v++) {
        print_cell(&cells[v]);
        if (variants->all[v].kind == PEER && !part->of_figure &&
            (best == NULL || cells[v].median < *best))
            best = &cells[v].median;
    }
    print_ratios(variants, cells, best, options.quick ? 0 : part->goal);
}

/* Names have neither quotes nor backslashes. */
static void write_line(const struct row *row, const struct part *part, const struct cell *cells)
{
    static const char *const kinds[] = {"ours", "peer", "aside", "base"};
    const char *unit = part->unit != NULL ? part->unit : "ns";
    const char *between = totals->printed == 0 ? "" : ",";
    if (json != NULL)
        fprintf(json, "%s\n{\"workload\": \"%s%s\", \"unit\": \"%s\", \"goal\": %g, \"peers\": {",
                between, row->name, part->name, unit, part->goal);
    for (size_t v = 0; v < row->variants->n; v++) {
        const struct variant *variant = &row->variants->all[v];
        if (csv != NULL)
            fprintf(csv, "\"%s%s\",%s,%s,%s,%g,%g,%g\n", row->name, part->name, unit, variant->name,
                    kinds[variant->kind], cells[v].median, cells[v].spread, part->goal);
        if (json != NULL)
            fprintf(json, "%s\n  \"%s\": {\"kind\": \"%s\", \"median\": %g, \"spread\": %g}",
                    v == 0 ? "" : ",", variant->name, kinds[variant->kind], cells[v].median,
                    cells[v].spread);
    }
    if (json != NULL)
        fprintf(json, "}}");
}

void samples_multiples(const struct row *row, sample_set samples, size_t part, size_t of,
                       size_t reps)
{
    size_t base = 0;
    while (row->variants->all[base].kind != BASE)
        base++;
    for (size_t v = 0; v < row->variants->n; v++) {
        for (size_t rep = 0; rep < reps; rep++)
            samples[part][v][rep] = samples[of][v][rep] / samples[of][base][rep];
    }
}

void report(const struct row *row, sample_set samples, size_t reps)
{
    for (size_t part = 0; part < row->parts; part++) {
        struct cell cells[VARIANTS_MOST];
        for (size_t v = 0; v < row->variants->n; v++)
            cells[v].median = median(samples[part][v], reps, &cells[v].spread);
        print_line(row, &row->part[part], cells);
        write_line(row, &row->part[part], cells);
        totals->printed++;
    }
    /* A row is a process of its own, and what it leaves in a buffer would be lost. */
    if (csv != NULL)
        fflush(csv);
    if (json != NULL)
        fflush(json);
}
