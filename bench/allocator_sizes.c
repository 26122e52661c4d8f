/* SPDX-License-Identifier: MIT */
/*
 * allocator_sizes.c - pools of several sizes, and several pools, see allocators.h.
 */
#include "allocators.h"

const size_t sizes_all[SIZES] = {8, 16, 64, 256, 1024};
const size_t turns_all[TURNS] = {2, 8, 64};

struct variants variants_of_size[SIZES], variants_of_neighbours, variants_of_turns;

#define SIZE 8
#include "sized_pool.h"
#define SIZE 16
#include "sized_pool.h"
#define SIZE 64
#include "sized_pool.h"
#define SIZE 256
#include "sized_pool.h"
#define SIZE 1024
#include "sized_pool.h"

/* Pools that take turns, object by object. Objects are freed in the order of their allocation, of
   which there is a multiple of the pools. */
#define TURNS_MOST 64
static packed_64 *pools[TURNS_MOST];

#define LOOPS turns
#define LOOPS_USE                                                                                  \
    size_t mask = ((const struct work *)context)->pools - 1;                                       \
    size_t next_alloc = 0, next_free = 0;                                                          \
    (void)next_alloc, (void)next_free;
#define LOOPS_ALLOC   packed_64_alloc(pools[next_alloc++ & mask])
#define LOOPS_FREE(p) packed_64_free(pools[next_free++ & mask], (struct bytes_64 *)(p))
#include "allocator_loops.h"

void sizes_find(void)
{
    static const struct loops *const packed[SIZES] = {
        &packed_8_loops, &packed_16_loops, &packed_64_loops, &packed_256_loops, &packed_1024_loops};
    static const struct loops *const aligned[SIZES] = {&aligned_8_loops, &aligned_16_loops,
                                                       &aligned_64_loops, &aligned_256_loops,
                                                       &aligned_1024_loops};
    for (size_t s = 0; s < SIZES; s++) {
        variant_add_loops(&variants_of_size[s], "veryfast", OURS, packed[s]);
        variant_add_loops(&variants_of_size[s], "aligned", OURS, aligned[s]);
    }
    variant_add_loops(&variants_of_neighbours, "aligned", OURS, &aligned_16_loops);
    variant_add_loops(&variants_of_neighbours, "veryfast", PEER, &packed_16_loops);
    variant_add_loops(&variants_of_turns, "veryfast", OURS, &turns_loops);
}

void sizes_add_peer(const char *name, const struct loops *loops)
{
    for (size_t s = 0; s < SIZES; s++)
        variant_add_loops(&variants_of_size[s], name, PEER, loops);
    variant_add_loops(&variants_of_neighbours, name, PEER, loops);
    variant_add_loops(&variants_of_turns, name, PEER, loops);
}

void sizes_open(void)
{
    open_8();
    open_16();
    open_64();
    open_256();
    open_1024();
    for (size_t i = 0; i < TURNS_MOST; i++)
        pools[i] = made(packed_64_new(NULL));
}
