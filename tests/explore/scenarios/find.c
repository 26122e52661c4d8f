/* SPDX-License-Identifier: MIT */
/*
 * find.c - a thread frees an object, for which its batch is looked up, while another makes the pool
 * grow. All batches lead to the same place of the table by address, which may be replaced by a
 * larger one meanwhile (BEFORE batches are in it, of 6 it has room for), and an address that is in
 * no batch. With ELSEWHERE the other thread's batch is entered in one of the two cells where the
 * object's is looked for first. With GONE a batch in front of the object's is gone from the table,
 * and a new one takes its place; with TRIM the other thread is what gives that batch back, and then
 * takes an object from a batch with the same memory. With WORDS batches are longer than the largest
 * power of two in them, and the object is the last one.
 */
#ifdef WORDS
#    define OBJECTS_IN_BATCH 66
#else
#    define OBJECTS_IN_BATCH 1
#endif
#include "slots.h"

#ifndef BEFORE
#    define BEFORE 6
#endif
#include "region.h"

static struct object *object[BEFORE];

static void *grower(void *argument)
{
#ifdef TRIM
    give(object[1]);
    objects_trim(pool);
#endif
    take();
    return argument;
}

static void *finder(void *argument)
{
    bool owned = objects_owns(pool, object[BEFORE - 1]);
    assert(owned);
    give(object[BEFORE - 1]);
    owned = objects_owns(pool, object[1]);
    assert(owned || BEFORE < 6);
    owned = objects_owns(pool, region.block[REGION_BLOCKS - 1]); /* the pool has never had it */
    assert(!owned);
    take();
    return argument;
}

void scenario(void)
{
    vf_allocator allocator = region_allocator(sizeof(struct object) * OBJECTS_IN_BATCH);
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE, .allocator = allocator});
    for (int i = 0; i < BEFORE * OBJECTS_IN_BATCH; i++) {
        object[i / OBJECTS_IN_BATCH] = take(); /* the last of each batch */
    }
#ifdef GONE
    give(object[1]);
    size_t bytes = objects_trim(pool);
    assert(bytes == sizeof(struct object));
#endif
    run_beside(grower, finder);
#if defined(GONE) || defined(TRIM)
    assert(objects_stats(pool).live == BEFORE);
#else
    assert(objects_stats(pool).live == BEFORE * OBJECTS_IN_BATCH + 1);
#endif
    for (size_t number = 0; number < whole()->depot.batches.count; number++) {
        const vf_batch *batch = vf_batch_at(&whole()->depot.batches, number);
        uintptr_t base = (uintptr_t)batch->base;
        assert(base == 0 || vf_addresses_find(&whole()->depot.batches, base, &base) == batch);
    }
    check_nothing_lost();
}
