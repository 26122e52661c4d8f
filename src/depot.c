/*
 * depot.c - what threads leave for one another, each on a shelf.
 *
 *     shelf 0   full -> [m 64] -> [m 64] -> [m 17] -> ...      empty -> [m 0] -> [m 0] -> ...
 *     shelf 1   full -> [m 64] -> ...                          empty
 *     ...
 *
 * A thread puts magazines on its own shelf and takes them from there, or else from the next that
 * has any. The full stacks' magazines have at least one slot; most have 64. A magazine is used by
 * the thread that popped it and by no other, so its count and slots are plain.
 */
#include <assert.h>
#include <string.h>

#include "depot.h"
#include "pool.h"

/* Gives the spare magazines beyond keep to the depot, as one chain. */
void vf_spares_trim(vf_pool *pool, vf_spares *spares, uint32_t keep)
{
    if (spares->count <= keep)
        return;
    vf_magazine *first = spares->top;
    vf_magazine *last = first;
    while (--spares->count > keep)
        last = vf_magazine_at(&pool->depot, vf_load_relaxed(&last->link));
    spares->top = keep > 0 ? vf_magazine_at(&pool->depot, vf_load_relaxed(&last->link)) : NULL;
    vf_stack_push(&pool->depot.shelves[spares->shelf].empty, first, last);
}

static void add_spare(vf_pool *pool, vf_spares *spares, vf_magazine *magazine)
{
    assert(magazine->count == 0);
    if (spares->count == VF_SPARES_MOST)
        vf_spares_trim(pool, spares, VF_SPARES_MOST / 2);
    vf_store_relaxed(&magazine->link, spares->count > 0 ? spares->top->index : 0);
    spares->top = magazine;
    spares->count++;
}

/* An empty magazine, from the spares if there is one; NULL where memory is spent. */
static vf_magazine *empty_magazine(vf_pool *pool, vf_spares *spares)
{
    vf_magazine *magazine = spares->top;
    if (spares->count == 0)
        return vf_magazine_new(pool, spares->shelf);
    if (--spares->count > 0)
        spares->top = vf_magazine_at(&pool->depot, vf_load_relaxed(&magazine->link));
    return magazine;
}

/* Moves up to most slots out of the magazine; how many. */
static uint32_t unload(vf_magazine *magazine, void **slots, size_t most)
{
    assert(magazine->count > 0 && magazine->count <= VF_MAGAZINE_SLOTS);
    uint32_t n = magazine->count < most ? magazine->count : (uint32_t)most;
    magazine->count -= n;
    memcpy(slots, &magazine->slots[magazine->count], n * sizeof *slots);
    return n;
}

/*
 * Up to most slots from as many magazines as that takes, by one compare-and-swap; how many. 0: the
 * depot is empty. What does not fit goes back.
 */
size_t vf_depot_get(vf_pool *pool, void **slots, size_t most, vf_spares *spares)
{
    assert(most > 0);
    vf_depot *depot = &pool->depot;
    uint32_t left = 0;
    size_t wanted = (most + VF_MAGAZINE_SLOTS - 1) / VF_MAGAZINE_SLOTS;
    vf_stack *own = &depot->shelves[spares->shelf].full;
    vf_magazine *magazine = vf_shelves_pop(depot, VF_FULL, spares->shelf, (uint32_t)wanted, &left);
    size_t n = 0;
    while (left-- > 0) {
        uint32_t next = vf_load_relaxed(&magazine->link);
        n += unload(magazine, slots + n, most - n);
        if (magazine->count > 0)
            vf_stack_push(own, magazine, magazine);
        else
            add_spare(pool, spares, magazine);
        if (left > 0)
            magazine = vf_magazine_at(depot, next);
    }
    return n;
}

/* Moves up to n slots that end at end to the magazine on top of a full stack, if that has room;
   how many. Keeps threads that give few slots each from making a magazine for every few. */
static size_t top_up(vf_stack *full, vf_depot *depot, void *const *end, size_t n)
{
    uint32_t one;
    vf_magazine *magazine = vf_stack_pop(depot, full, 1, &one);
    if (magazine == NULL)
        return 0;
    size_t room = VF_MAGAZINE_SLOTS - magazine->count;
    size_t taken = room < n ? room : n;
    memcpy(&magazine->slots[magazine->count], end - taken, taken * sizeof *end);
    magazine->count += (uint32_t)taken;
    vf_stack_push(full, magazine, magazine);
    return taken;
}

/*
 * Takes all of the n slots: whole magazines as one chain, by one compare-and-swap. Where no
 * magazine can be had the slots become strays. Never fails.
 */
void vf_depot_put(vf_pool *pool, void *const *slots, size_t n, vf_spares *spares)
{
    vf_stack *full = &pool->depot.shelves[spares->shelf].full;
    if (n % VF_MAGAZINE_SLOTS != 0)
        n -= top_up(full, &pool->depot, slots + n, n % VF_MAGAZINE_SLOTS);

    vf_magazine *first = NULL;
    vf_magazine *last = NULL;
    while (n > 0) {
        vf_magazine *magazine = empty_magazine(pool, spares);
        if (magazine == NULL)
            break;
        size_t part = n < VF_MAGAZINE_SLOTS ? n : VF_MAGAZINE_SLOTS;
        n -= part;
        memcpy(magazine->slots, slots + n, part * sizeof *slots);
        magazine->count = (uint32_t)part;
        if (first == NULL)
            last = magazine;
        else
            vf_store_relaxed(&magazine->link, first->index); /* published by the push */
        first = magazine;
    }
    if (first != NULL)
        vf_stack_push(full, first, last);
    while (n > 0)
        vf_stray_put(pool, slots[--n]);
}

static size_t get_one(vf_pool *pool, void **slot, vf_spares *spares)
{
    size_t n = vf_depot_get(pool, slot, 1, spares);
    return n > 0 ? n : vf_stray_get(pool, slot, 1);
}

/* For a thread without a cache: one slot; NULL where memory is spent. */
void *vf_depot_alloc(vf_pool *pool)
{
    void *slots[VF_MAGAZINE_SLOTS];
    vf_spares spares = {NULL, 0, 0};
    size_t n = get_one(pool, slots, &spares);
    if (n == 0) {
        /* 64 at a time, as all do: carves that are no multiple would let caches share lines */
        n = vf_batch_carve(pool, slots, VF_MAGAZINE_SLOTS);
        if (n > 1)
            vf_depot_put(pool, slots, n - 1, &spares);
    }
    if (n == 0 && vf_threads_reap())
        n = get_one(pool, slots, &spares);
    vf_spares_trim(pool, &spares, 0);
    return n > 0 ? slots[n - 1] : NULL;
}

/* From a thread without a cache: one slot. Never fails. */
void vf_depot_free(vf_pool *pool, void *slot)
{
    vf_spares none = {NULL, 0, 0};
    vf_depot_put(pool, &slot, 1, &none);
}
