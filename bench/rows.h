/*
 * rows.h - the rows of the table: what each measures, how, and what it is to reach.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include "harness.h"

#define VARIANTS_MOST 12
#define REPS_MOST     99
#define PARTS_MOST    4

struct options {
    bool quick;  /* every row once, and hardly anything in it */
    size_t reps; /* at most REPS_MOST */
};
extern struct options options;

enum kind {
    OURS,  /* what has a goal */
    PEER,  /* what it is compared with, where there are several with the best */
    ASIDE, /* for information */
};

/* A column: an allocator with its loops, or a buffer. */
struct variant {
    const char *name;
    enum kind kind;
    const struct loops *loops;
    unsigned threads; /* instead of the row's; 0: the row's */
    const struct buffer_loops *buffer;
    void (*give_back)(void); /* of an allocator: gives back what is free; NULL: it does not */
};

/* What rows measure, in the order of their columns. */
struct variants {
    size_t n;
    struct variant all[VARIANTS_MOST];
};

enum order { LIFO, FIFO, RANDOM };

/* A line of the row. */
struct part {
    const char *name; /* behind the row's */
    double goal;      /* the ratio is to be at most this; 0: for information */
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
};

/* All rows, in order. */
const struct row *rows_all(size_t *n);

/* An ordinary row of one line and one thread, named as printf does. */
__attribute__((format(printf, 3, 4))) struct row *row_add(const struct variants *variants,
                                                          double goal, const char *format, ...);

/* The groups of rows, and what their ordinary rows open with. */
void allocator_rows_add(void);
void allocator_rows_open(const struct row *row);
void buffer_rows_add(void);
void buffer_rows_open(const struct row *row);

/* How many threads a variant runs on. */
unsigned threads_of(const struct row *row, const struct variant *variant);

/* Ordinary rows, see measure.c, and those whose every sample takes a process of its own, see
   fresh.c and life.c. */
void run_ordinary(const struct row *row);
void run_first(const struct row *row);
void run_single(const struct row *row);
void run_walk(const struct row *row);
void run_end(const struct row *row);
void run_resident(const struct row *row);
void run_waiting(const struct row *row);

/* The repetitions of each variant, for each part of a row. */
typedef double sample_set[PARTS_MOST][VARIANTS_MOST][REPS_MOST];

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
