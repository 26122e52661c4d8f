/*
 * stray.c - free slots for which no magazine can be had, because memory is spent.
 *
 * A free must succeed all the same, so each slot has a bit beside its batch, set while the slot is
 * a stray. Not a link in the slot itself: who reads a free object (see "Type-stable reads" in
 * veryfast/pool.h) must find in it what it had when it was freed.
 *
 * The next alloc whose cache is empty takes them in again. All under the growth lock.
 */
#include <assert.h>

#include "map.h"

void vf_stray_put_locked(vf_pool *pool, void *slot)
{
    size_t place = vf_batch_find(pool, slot);
    assert(place < pool->batches.count);
    vf_batch *batch = pool->batches.table[place];
    size_t number = (size_t)((char *)slot - vf_batch_base(pool, batch)) / pool->stride;
    uint64_t bit = (uint64_t)1 << number % 64;
    assert((batch->strays[number / 64] & bit) == 0);
    batch->strays[number / 64] |= bit;
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

/* Up to most strays of 64 slots, the first of which is first. */
static size_t take_some(const vf_pool *pool, uint64_t *bits, char *first, void **slots, size_t most)
{
    size_t n = 0;
    for (; n < most && *bits != 0; *bits &= *bits - 1)
        slots[n++] = first + (size_t)__builtin_ctzll(*bits) * pool->stride;
    return n;
}

/* Adds all strays to the map. Growth lock, or no other call. */
void vf_strays_each(vf_pool *pool, struct vf_map *map)
{
    for (size_t place = 0; pool->batches.strays > 0 && place < pool->batches.count; place++) {
        const vf_batch *batch = pool->batches.table[place];
        char *first = vf_batch_base(pool, batch);
        for (size_t i = 0; i < vf_stray_words(pool); i++, first += 64 * pool->stride) {
            void *slots[64];
            uint64_t bits = batch->strays[i];
            vf_map_add_n(map, slots, take_some(pool, &bits, first, slots, 64));
        }
    }
}

/* Takes all strays. Growth lock. */
void vf_strays_take(vf_pool *pool, struct vf_map *hands)
{
    vf_strays_each(pool, hands);
    for (size_t place = 0; pool->batches.strays > 0 && place < pool->batches.count; place++) {
        for (size_t i = 0; i < vf_stray_words(pool); i++)
            pool->batches.table[place]->strays[i] = 0;
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
        char *first = vf_batch_base(pool, batch);
        for (size_t i = 0; n < most && i < vf_stray_words(pool); i++, first += 64 * pool->stride)
            n += take_some(pool, &batch->strays[i], first, slots + n, most - n);
    }
    if (batches->stray_hint > 0)
        batches->stray_hint--; /* the last one looked at may have more */
    vf_store_relaxed(&batches->strays, batches->strays - n);
    pthread_mutex_unlock(&pool->growth_lock);
    return n;
}
