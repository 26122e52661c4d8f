/*
 * allocators.h - what is measured: the pool's forms, and its peers.
 */
#ifndef BENCH_ALLOCATORS_H
#define BENCH_ALLOCATORS_H

#include "work.h"

#define VARIANTS_MOST 8

enum kind {
    OURS,  /* what has a goal */
    PEER,  /* what it is compared with, where there are several with the best */
    ASIDE, /* for information */
};

struct variant {
    const char *name;
    enum kind kind;
    const struct loops *loops;
    unsigned threads; /* instead of the row's; 0: the row's */
};

/* What rows measure, in the order of their columns. */
struct variants {
    size_t n;
    struct variant all[VARIANTS_MOST];
};

extern struct variants variants_of_pool; /* of one VF_N, and peers */
extern struct variants variants_of_n;    /* of three, and peers */
extern struct variants variants_of_ring; /* and the ring without an allocator */
extern const struct variants variants_of_threads, variants_of_held, variants_of_bulk,
    variants_of_cap;

/* Looks for the peers and adds them; names those that are missing. */
void allocators_find(void);

/* Makes the pools, in the process that is to measure them. */
void allocators_open(void);

#endif
