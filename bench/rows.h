/* SPDX-License-Identifier: MIT */
/*
 * rows.h - the rows of the table: what each measures, how, and what it is to reach.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "allocator_work.h"
#include "visits.h"

#define VARIANTS_MOST 20
#define ROWS_MOST     200
#define REPS_MOST     99
#define REPS_USUAL    11
#define REPS_QUICK    3
#define PARTS_MOST    6

struct options {
    bool quick;   /* hardly anything in a sample: shows what there is, and measures little */
    size_t reps;  /* at most REPS_MOST */
    size_t calls; /* so many operations of each variant, not measured; 0: measured ones */
};
extern struct options options;

enum kind {
    OURS,  /* what has a goal */
    PEER,  /* what it is compared with, where there are several with the best */
    ASIDE, /* for information: it does less, or is no allocator or buffer at all */
    BASE,  /* the same, and what multiples are of */
};

/* A column: an allocator with its loops, or a buffer. */
struct variant {
    const char *name;
    enum kind kind;
    size_t number; /* in the order in which they were added, whether all are measured or not */
    const struct loops *loops;
    unsigned threads; /* instead of the row's; 0: the row's */
    const struct buffer_loops *buffer;
    void (*visit)(struct visits *visits);
    void (*open)(void);      /* makes what only the processes with its rows need; or NULL */
    void (*give_back)(void); /* of an allocator: gives back what is free; NULL: it does not */
};

/* What rows measure, in the order of their columns. */
struct variants {
    size_t n;
    struct variant all[VARIANTS_MOST];
};

/* The last of them, for the caller to complete. */
struct variant *variant_add(struct variants *variants, const char *name, enum kind kind);

/* The same for an allocator. */
struct variant *variant_add_loops(struct variants *variants, const char *name, enum kind kind,
                                  const struct loops *loops);

/* A line of the row. */
struct part {
    const char *name; /* behind the row's */
    double goal;      /* the ratio is to be at most this; 0: for information */
    const char *unit; /* NULL: ns */
    bool of_figure;   /* the goal is one of the figure itself */
};

struct row {
    char name[40];
    const struct variants *variants;
    void (*run)(const struct row *row);
    size_t parts;
    struct part part[PARTS_MOST];

    /* For ordinary rows, what comes first; one sample of a variant, of about *operations, which
       becomes the number that were done, in ns by the clock; what ends a variant's samples, if
       there is anything. */
    void (*open)(const struct row *row);
    double (*sample)(const struct row *row, const struct variant *variant, size_t *operations);
    void (*finish)(const struct row *row, const struct variant *variant);
    unsigned threads;
    size_t burst; /* objects that are live, or handed over, at once */
    enum order order;
    size_t size;  /* of an object */
    size_t pools; /* that take turns */
    bool gathers; /* from several threads to one, not the other way */
};

/* All rows, in order. */
const struct row *rows_all(size_t *n);

/* An ordinary row of one line and one thread, named as printf does. */
__attribute__((format(printf, 3, 4))) struct row *row_add(const struct variants *variants,
                                                          double goal, const char *format, ...);

/* A row of single calls, and how long they take: most, few, hardly any. */
void row_add_single(const struct variants *variants, const char *name);

/* The groups of rows, and what their ordinary rows open with. */
void allocator_rows_add(void);
void allocator_rows_open(const struct row *row);
void program_rows_add(void);
void visit_rows_add(void);
void handle_rows_add(void);
void buffer_rows_add(void);
void drain_rows_add(void);
void keyed_rows_add(void);
void buffer_rows_open(const struct row *row);

/* How many threads a variant runs on. */
unsigned threads_of(const struct row *row, const struct variant *variant);

/* Does so many operations of each variant of an ordinary row, without a look at the clock. */
void run_calls(const struct row *row);

/* Ordinary rows, see measure.c, and those whose every sample takes a process of its own, see
   fresh.c, growth.c, life.c, programs.c, crowds.c and visits.c. */
void run_ordinary(const struct row *row);
void run_first(const struct row *row);
void run_single(const struct row *row);
void run_walk(const struct row *row);
void run_end(const struct row *row);
void run_resident(const struct row *row);
void run_held(const struct row *row);
void run_growth(const struct row *row);
void run_waiting(const struct row *row);
void run_tree(const struct row *row);
void run_document(const struct row *row);
void run_map(const struct row *row);
void run_anew(const struct row *row);
void run_crowded(const struct row *row);
void run_asleep(const struct row *row);
void run_beside(const struct row *row);
void run_visit(const struct row *row);

/* The repetitions that were asked for, but no more than most. */
size_t reps_at_most(size_t most);

/* The repetitions of each variant, for each part of a row. */
typedef double sample_set[PARTS_MOST][VARIANTS_MOST][REPS_MOST];

/* Makes samples of a part: those of another one, as multiples of the base's. */
void samples_multiples(const struct row *row, sample_set samples, size_t part, size_t of,
                       size_t reps);

/* Where results go besides the table; NULL: nowhere. Ends the program where that cannot be written.
 */
void report_open(const char *csv, const char *json);
void report_close(void);

/* Names the columns. */
void report_header(const struct variants *variants);

/* Prints the row, from its samples, which it sorts. */
void report(const struct row *row, sample_set samples, size_t reps);

/* Lines printed, and those above their goal; pieces of samples, and those that another program
   disturbed. Also counted by children. */
struct totals {
    unsigned printed, missed;
    unsigned pieces, disturbed;
};
extern struct totals *totals;

#endif
