/* SPDX-License-Identifier: MIT */
/*
 * allocator_work.c - see allocator_work.h.
 */
#include "allocator_work.h"

struct work *work_new(void)
{
    struct work *work = shared_memory(sizeof *work);
    work->size = sizeof(struct object);
    return work;
}

/* The permutation in which a burst is freed. */
static const uint32_t *order_of(size_t burst, enum order order)
{
    uint32_t *places = shared_memory(burst * sizeof *places);
    for (size_t i = 0; i < burst; i++)
        places[i] = (uint32_t)(order == LIFO ? burst - 1 - i : i);
    uint64_t random = 42;
    for (size_t i = burst; order == RANDOM && i-- > 1;) {
        size_t other = next_random(&random) % (i + 1);
        uint32_t place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
    return places;
}

void work_burst(struct work *work, unsigned threads, size_t burst, enum order order)
{
    work->burst = burst;
    work->order = order_of(burst, order);
    work->slots = shared_memory(threads * burst * sizeof *work->slots);
}
