/*
 * stray.c - free slots for which no magazine can be had, because memory is spent.
 *
 * A free must succeed all the same, so the slots are linked through themselves, the one exception
 * to "never in the objects". A slot may be a single byte; so there is a list for each 256 slots of
 * a batch, with a head beside the batch, and a slot's first byte names the next one:
 *
 *     strays[g] = 1 + 7      slot 7: 31 --> slot 31: 4 --> slot 4: 4      (itself: the end)
 *
 * The next alloc whose cache is empty takes them in again. All under the growth lock.
 */
#include <assert.h>

#include "map.h"

/* Where a free slot names the next one. A checked build leaves what was freed as it is. */
static unsigned char *link_of(const vf_pool *pool, void *slot)
{
    return (unsigned char *)slot + vf_checked_link_offset(pool->stride);
}

void vf_stray_put_locked(vf_pool *pool, void *slot)
{
    size_t place = vf_batch_find(pool, slot);
    assert(place < pool->batches.count);
    vf_batch *batch = pool->batches.table[place];
    size_t number = (size_t)((char *)slot - vf_batch_base(pool, batch)) / pool->stride;
    uint16_t *head = &batch->strays[number / VF_STRAY_GROUP];
    *link_of(pool, slot) = (unsigned char)(*head != 0 ? *head - 1U : number % VF_STRAY_GROUP);
    *head = (uint16_t)(number % VF_STRAY_GROUP + 1);
    if (place < pool->batches.stray_hint)
        pool->batches.stray_hint = place;
    /* relaxed: a hint to those who then take the lock */
    vf_store_relaxed(&pool->batches.strays, pool->batches.strays + 1);
}

void vf_stray_put(vf_pool *pool, void *slot)
{
    pthread_mutex_lock(&pool->growth_lock);
    vf_stray_put_locked(pool, slot);
    pthread_mutex_unlock(&pool->growth_lock);
}

/* Up to most strays of the 256 slots from first on. */
static size_t take_group(vf_pool *pool, uint16_t *head, char *first, void **slots, size_t most)
{
    size_t n = 0;
    while (n < most && *head != 0) {
        size_t number = (size_t)*head - 1;
        unsigned char *slot = (unsigned char *)first + number * pool->stride;
        unsigned char link = *link_of(pool, slot);
        *head = (uint16_t)(link != number ? link + 1U : 0);
        slots[n++] = slot;
    }
    return n;
}

/* Adds those of 256 slots to the map. */
static void map_group(vf_pool *pool, struct vf_map *map, uint16_t head, const char *first)
{
    while (head != 0) {
        size_t number = (size_t)head - 1;
        char *slot = (char *)(uintptr_t)first + number * pool->stride;
        vf_map_add(map, slot);
        unsigned char link = *link_of(pool, slot);
        head = (uint16_t)(link != number ? link + 1U : 0);
    }
}

/* Adds all strays to the map. Growth lock, or no other call. */
void vf_strays_each(vf_pool *pool, struct vf_map *map)
{
    for (size_t place = 0; pool->batches.strays > 0 && place < pool->batches.count; place++) {
        const vf_batch *batch = pool->batches.table[place];
        const char *base = vf_batch_base(pool, batch);
        for (size_t i = 0; i * VF_STRAY_GROUP < pool->batch_objects; i++)
            map_group(pool, map, batch->strays[i], base + i * VF_STRAY_GROUP * pool->stride);
    }
}

/* Takes all strays. Growth lock. */
void vf_strays_take(vf_pool *pool, struct vf_map *hands)
{
    vf_strays_each(pool, hands);
    for (size_t place = 0; pool->batches.strays > 0 && place < pool->batches.count; place++) {
        vf_batch *batch = pool->batches.table[place];
        for (size_t i = 0; i * VF_STRAY_GROUP < pool->batch_objects; i++)
            batch->strays[i] = 0;
    }
    vf_store_relaxed(&pool->batches.strays, (size_t)0);
}

/* Up to most strays; how many. Costs one load where there are none. */
size_t vf_stray_get(vf_pool *pool, void **slots, size_t most)
{
    vf_batches *batches = &pool->batches;
    if (vf_load_relaxed(&batches->strays) == 0)
        return 0;
    size_t n = 0;
    pthread_mutex_lock(&pool->growth_lock);
    for (; n < most && batches->strays > n; batches->stray_hint++) {
        vf_batch *batch = batches->table[batches->stray_hint];
        char *base = vf_batch_base(pool, batch);
        for (size_t i = 0; n < most && i * VF_STRAY_GROUP < pool->batch_objects; i++)
            n += take_group(pool, &batch->strays[i], base + i * VF_STRAY_GROUP * pool->stride,
                            slots + n, most - n);
    }
    if (batches->stray_hint > 0)
        batches->stray_hint--; /* the last one looked at may have more */
    vf_store_relaxed(&batches->strays, batches->strays - n);
    pthread_mutex_unlock(&pool->growth_lock);
    return n;
}
