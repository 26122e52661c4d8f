/*
 * each.c - looks at all slots of a pool, or for one: P_each and P_owns.
 */
#include <assert.h>
#include <errno.h>

#include "map.h"

bool vf_pool_core_owns(const vf_pool_core *core, const void *object)
{
    vf_pool *pool = vf_pool_whole((vf_pool_core *)(uintptr_t)core);
    vf_map map = {.pool = pool};
    size_t number;
    pthread_mutex_lock(&pool->growth_lock);
    bool owns = vf_map_find(&map, object, &number);
    pthread_mutex_unlock(&pool->growth_lock);
    return owns;
}

/* A map of the free slots; false where memory is spent. */
static bool map_free(vf_map *map, vf_pool *pool)
{
    vf_threads_enter(); /* threads may end meanwhile, and move what they have to the depot */
    pthread_mutex_lock(&pool->growth_lock);
    bool made = vf_map_new(map, pool);
    if (made)
        vf_map_add_free(map);
    pthread_mutex_unlock(&pool->growth_lock);
    vf_threads_leave();
    return made;
}

bool vf_pool_core_each(vf_pool_core *core, void (*visit)(void *object, void *context),
                       void *context)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_settle(pool);
    vf_map free_slots;
    if (!map_free(&free_slots, pool)) {
        errno = ENOMEM;
        return false;
    }
    pool->walked = true; /* a free that trims would take batches away from under the map */
    for (size_t place = 0; place < vf_regions(pool); place++) {
        vf_region region = vf_region_at(pool, place);
        size_t end = region.first + region.slots;
        size_t number = vf_map_next_absent(&free_slots, region.first, end);
        for (; number < end; number = vf_map_next_absent(&free_slots, number + 1, end))
            visit(region.base + (number - region.first) * pool->stride, context);
    }
    pool->walked = false;
    vf_map_free(&free_slots);
    return true;
}
