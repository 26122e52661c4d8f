/* SPDX-License-Identifier: MIT */
/*
 * main.c - the pool and the small buffer against what one would use instead.
 *
 *     ./dev bench                        all workloads, and pictures: about 40 minutes
 *     ./dev bench --quick                hints, not figures, in less than a minute
 *     ./dev bench --workload "burst 256" those that have this in their name
 *     ./dev bench --peer malloc          against this one only; may be given several times
 *     ./dev bench --list                 the names of both
 *
 * Rows of the pool: objects have 64 bytes, and the first word of each is written after alloc;
 * batches are of 4096 objects where nothing else is said. Rows of the small buffer: elements are
 * numbers of 64 bits; a fill is of 100,000, into memory that the fills before have left.
 *
 * Figures are ns of processor time (the clock's time by the processors in use) for an object that
 * is allocated and freed, an element that is pushed, or for what the row's name says: medians of
 * interleaved repetitions. ~ marks those with an interquartile range of more than 15 %. Behind the
 * bar: what ours takes, as a ratio to the best of all peers that do the same, and what it is to be
 * at most; ! marks a ratio above. Lines that end in "/ array" or "/ 0" are multiples already, and
 * those of "growth" are bytes: there it is the figure itself that has the goal.
 *
 * Each row is measured in a process of its own, or it would find the heaps in the disorder that
 * the row before has left.
 */
#include "allocators.h"
#include "buffers.h"
#include "deferrers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEERS_MOST 16

static struct {
    const char *workload; /* those that have this in their name; NULL: all */
    const char *peers[PEERS_MOST];
    size_t peer_count; /* 0: all */
    const char *csv, *json;
    bool list;
} chosen;

static void usage(void)
{
    fprintf(stderr, "usage: veryfast-bench [--quick] [--reps N] [--workload PART_OF_NAME]\n"
                    "                      [--peer NAME]... [--csv FILE] [--json FILE] [--list]\n"
                    "                      [--calls N, for tools that count what N calls cost]\n");
    exit(2);
}

static size_t parse_number(const char *option, const char *text, size_t most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > most) {
        fprintf(stderr, "veryfast-bench: %s takes 1 to %zu\n", option, most);
        exit(2);
    }
    return number;
}

/* Of options that have a value. */
static void parse_value(const char *option, const char *value)
{
    if (strcmp(option, "--workload") == 0)
        chosen.workload = value;
    else if (strcmp(option, "--peer") == 0 && chosen.peer_count < PEERS_MOST)
        chosen.peers[chosen.peer_count++] = value;
    else if (strcmp(option, "--reps") == 0)
        options.reps = parse_number(option, value, REPS_MOST);
    else if (strcmp(option, "--calls") == 0)
        options.calls = parse_number(option, value, SIZE_MAX);
    else if (strcmp(option, "--csv") == 0)
        chosen.csv = value;
    else if (strcmp(option, "--json") == 0)
        chosen.json = value;
    else
        usage();
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            options.quick = true;
        else if (strcmp(argv[i], "--list") == 0)
            chosen.list = true;
        else if (i + 1 < argc) {
            parse_value(argv[i], argv[i + 1]);
            i++;
        } else {
            usage();
        }
    }
    if (options.reps == 0)
        options.reps = options.quick ? REPS_QUICK : REPS_USUAL;
}

/* One that is called so, or else those that have it in their name. */
static bool is_chosen(const struct row *rows, size_t n, const struct row *row)
{
    if (chosen.workload == NULL)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].name, chosen.workload) == 0)
            return row == &rows[i];
    }
    return strstr(row->name, chosen.workload) != NULL;
}

/* Ours, and what multiples are of, are always shown beside peers, but counted only when asked for.
 */
static bool is_chosen_peer(const struct variant *variant)
{
    bool always = variant->kind == OURS || variant->kind == BASE;
    if (chosen.peer_count == 0 || (always && options.calls == 0))
        return true;
    for (size_t i = 0; i < chosen.peer_count; i++) {
        if (strcmp(variant->name, chosen.peers[i]) == 0)
            return true;
    }
    return false;
}

/* Leaves the chosen columns. */
static void choose_peers(struct variants *variants)
{
    size_t kept = 0;
    for (size_t v = 0; v < variants->n; v++) {
        if (is_chosen_peer(&variants->all[v]))
            variants->all[kept++] = variants->all[v];
    }
    variants->n = kept;
}

static void run(void *row)
{
    ((const struct row *)row)->run(row);
}

static void show_progress(size_t done, size_t all, const char *name)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K[%zu of %zu] %s\r", done, all, name);
}

/* Runs the rows; how many lines they are to print. */
static unsigned run_rows(const struct row *rows, size_t n)
{
    const struct variants *columns = NULL;
    unsigned wanted = 0;
    for (size_t i = 0; i < n; i++) {
        struct row row = rows[i];
        struct variants variants = *row.variants;
        choose_peers(&variants);
        if (variants.n == 0)
            continue;
        if (row.variants != columns)
            report_header(&variants);
        columns = row.variants;
        row.variants = &variants;
        show_progress(i + 1, n, row.name);
        if (!in_child(run, &row))
            printf("%s: failed\n", row.name);
        wanted += (unsigned)row.parts;
    }
    show_progress(n, n, "");
    return wanted;
}

/* In this process, where tools find it. */
static void count_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct row row = rows[i];
        struct variants variants = *row.variants;
        choose_peers(&variants);
        row.variants = &variants;
        if (row.run == run_ordinary)
            run_calls(&row);
    }
}

static void list_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%s:", rows[i].name);
        for (size_t v = 0; v < rows[i].variants->n; v++)
            printf("%s %s", v == 0 ? "" : ",", rows[i].variants->all[v].name);
        printf("\n");
    }
}

/* The chosen ones of all rows; how many. */
static size_t choose_rows(struct row *rows)
{
    size_t n, kept = 0;
    const struct row *all = rows_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (is_chosen(all, n, &all[i]))
            rows[kept++] = all[i];
    }
    if (kept == 0) {
        fprintf(stderr, "veryfast-bench: no workload has \"%s\" in its name; --list names them\n",
                chosen.workload);
        exit(2);
    }
    return kept;
}

static int measure_rows(const struct row *rows, size_t n)
{
    totals = shared_memory(sizeof *totals);
    report_open(chosen.csv, chosen.json);
    unsigned wanted = run_rows(rows, n);
    report_close();
    printf("\n%u lines of %u, %u above their goal\n", totals->printed, wanted, totals->missed);
    if (!options.quick && totals->disturbed > 0)
        printf("other programs disturbed %.0f %% of the pieces of samples: use an idle machine\n",
               100.0 * totals->disturbed / totals->pieces);
    return totals->printed == wanted && wanted > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct row rows[ROWS_MOST];
    parse(argc, argv);
    deferrers_find();
    allocators_find();
    buffers_find();
    size_t n = choose_rows(rows);
    if (chosen.list)
        list_rows(rows, n);
    else if (options.calls > 0)
        count_rows(rows, n);
    else
        return measure_rows(rows, n);
    return 0;
}
