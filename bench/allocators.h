/* SPDX-License-Identifier: MIT */
/*
 * allocators.h - what is measured: the pool's forms, and its peers.
 */
#ifndef BENCH_ALLOCATORS_H
#define BENCH_ALLOCATORS_H

#include "allocator_work.h"
#include "rows.h"

extern struct variants variants_of_pool; /* of one VF_N, and peers */
extern struct variants variants_of_n;    /* of three, peers, and limits */
extern struct variants variants_of_ring; /* and the ring without an allocator */
extern struct variants variants_of_made; /* by threads that are made for it */
extern struct variants variants_of_use;  /* by programs; also an array, instead of an allocator */
extern struct variants variants_of_map;  /* the same without the array */
extern struct variants variants_of_walk, variants_of_end, variants_of_memory;
extern struct variants variants_of_threads, variants_of_held, variants_of_bulk, variants_of_cap;

/* Of objects of the size, of neighbours, and of several pools that take turns. */
#define SIZES 5
#define TURNS 3
extern const size_t sizes_all[SIZES], turns_all[TURNS];
extern struct variants variants_of_size[SIZES], variants_of_neighbours, variants_of_turns;

/* Looks for the peers and adds them; names those that are missing. */
void allocators_find(void);

/* Makes the pools, in the process that is to measure them. */
void allocators_open(void);

/* ---- among the files of allocators ---- */

enum fits {
    ANY_SIZE = 1, /* it allocates any size */
    LIMIT = 2,    /* no allocator, and of use in few rows */
};

/* Adds a peer wherever it fits; give_back is what gives back what is free, or NULL. */
void peer_add(const char *name, const struct loops *loops, unsigned fits, void (*give_back)(void));
/* The same for one that has so many objects and no more: for rows that never need more. */
void fixed_peer_add(const char *name, const struct loops *loops, void (*open)(void));
void peers_find(void);

#if HAVE_DPDK
void mempool_find(void);
#endif

void sizes_find(void);
void sizes_add_peer(const char *name, const struct loops *loops);
void sizes_open(void);

extern const struct loops *const list_peer, *const no_pool_peer;

#endif
