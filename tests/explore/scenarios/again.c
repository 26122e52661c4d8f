/* SPDX-License-Identifier: MIT */
/*
 * again.c - one thread: batches come and go while the table by address is replaced, and their
 * memory is used again for others. A batch that is in the table twice, or still, is found for an
 * object of another batch.
 */
#define OBJECTS_IN_BATCH 1
#include "slots.h"

#define ROTATES
#include "region.h"

enum { BATCHES = 6 };

static void check_table(void)
{
    for (size_t number = 0; number < whole()->depot.batches.count; number++) {
        const vf_batch *batch = vf_batch_at(&whole()->depot.batches, number);
        uintptr_t base = (uintptr_t)batch->base;
        assert(base == 0 || vf_addresses_find(&whole()->depot.batches, base, &base) == batch);
    }
}

/* Its batch is gone, and another has its record. */
static struct object *another(struct object *it)
{
    give(it);
    size_t bytes = objects_trim(pool);
    assert(bytes == sizeof(struct object));
    check_table();
    it = take();
    check_table();
    return it;
}

void scenario(void)
{
    vf_allocator allocator = region_allocator(sizeof(struct object));
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE, .allocator = allocator});
    struct object *object[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        object[i] = take();
    }
    for (int round = 0; round < 4; round++) {
        object[1] = another(object[1]);
        object[4] = another(object[4]);
    }
    take();
    check_table();
    take();
    check_table();
    objects_release(pool);
}
