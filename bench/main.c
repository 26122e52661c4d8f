/*
 * main.c - the pool and the small buffer against what one would use instead.
 *
 *     ./dev bench                      all rows, about ten minutes
 *     ./dev bench --row "burst 256"    those that have this in their name
 *     ./dev bench --list               their names
 *
 * Rows of the pool: objects have 64 bytes, and the first word of each is written after alloc;
 * batches are of 4096 objects where nothing else is said. Rows of the small buffer: elements are
 * numbers of 64 bits; a fill is of 100,000, into memory that the fills before have left.
 *
 * Figures are ns of processor time (the clock's time by the processors in use) for an object that
 * is allocated and freed, an element that is pushed, or for what the row's name says: medians of
 * interleaved repetitions. ~ marks those with an interquartile range of more than 15 %. Behind the
 * bar: what ours takes, as a ratio to its quickest peer, and what it is to be at most; ! marks a
 * ratio above.
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

static struct {
    const char *only; /* rows that have this in their name; NULL: all */
    bool list;
} chosen;

static void usage(void)
{
    fprintf(stderr, "usage: veryfast-bench [--quick] [--reps N] [--row PART_OF_NAME] [--list]\n");
    exit(2);
}

static size_t parse_reps(const char *text)
{
    char *end;
    unsigned long reps = strtoul(text, &end, 10);
    if (*end != '\0' || reps < 1 || reps > REPS_MOST) {
        fprintf(stderr, "veryfast-bench: --reps takes 1 to %d\n", REPS_MOST);
        exit(2);
    }
    return reps;
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--quick") == 0) {
            options.quick = true;
            options.reps = 1;
        } else if (strcmp(argv[i], "--list") == 0) {
            chosen.list = true;
        } else if (strcmp(argv[i], "--row") == 0 && more) {
            chosen.only = argv[++i];
        } else if (strcmp(argv[i], "--reps") == 0 && more) {
            options.reps = parse_reps(argv[++i]);
        } else {
            usage();
        }
    }
}

static bool is_chosen(const struct row *row)
{
    return chosen.only == NULL || strstr(row->name, chosen.only) != NULL;
}

static void run(void *row)
{
    ((const struct row *)row)->run(row);
}

/* Runs the chosen rows; how many lines they are to print. */
static unsigned run_rows(const struct row *rows, size_t n)
{
    const struct variants *columns = NULL;
    unsigned wanted = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_chosen(&rows[i]))
            continue;
        if (rows[i].variants != columns)
            report_header(rows[i].variants);
        columns = rows[i].variants;
        struct row row = rows[i];
        if (!in_child(run, &row))
            printf("%s: failed\n", row.name);
        wanted += (unsigned)row.parts;
    }
    return wanted;
}

int main(int argc, char **argv)
{
    size_t n;
    parse(argc, argv);
    allocators_find();
    deferrers_find();
    buffers_find();
    const struct row *rows = rows_all(&n);
    if (chosen.list) {
        for (size_t i = 0; i < n; i++) {
            if (is_chosen(&rows[i]))
                printf("%s\n", rows[i].name);
        }
        return 0;
    }
    totals = shared_memory(sizeof *totals);
    unsigned wanted = run_rows(rows, n);
    if (wanted == 0) {
        fprintf(stderr, "veryfast-bench: no row has \"%s\" in its name; --list names them\n",
                chosen.only);
        return 2;
    }
    printf("\n%u lines of %u, %u above their goal\n", totals->printed, wanted, totals->missed);
    if (!options.quick && totals->disturbed > 0)
        printf("other programs disturbed %.0f %% of the pieces of samples: use an idle machine\n",
               100.0 * totals->disturbed / totals->pieces);
    return totals->printed == wanted ? 0 : 1;
}
