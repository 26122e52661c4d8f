/*
 * allocators.h - what is measured: the pool's forms, and its peers.
 */
#ifndef BENCH_ALLOCATORS_H
#define BENCH_ALLOCATORS_H

#include "allocator_work.h"
#include "rows.h"

extern struct variants variants_of_pool; /* of one VF_N, and peers */
extern struct variants variants_of_n;    /* of three, and peers */
extern struct variants variants_of_ring; /* and the ring without an allocator */
extern struct variants variants_of_walk, variants_of_end, variants_of_memory;
extern const struct variants variants_of_threads, variants_of_held, variants_of_bulk,
    variants_of_cap;

/* Looks for the peers and adds them; names those that are missing. */
void allocators_find(void);

/* Makes the pools, in the process that is to measure them. */
void allocators_open(void);

#endif
