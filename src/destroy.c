/*
 * destroy.c - the end of a pool with all its objects: P_destroy.
 *
 * A map has the slots that are free or dropped. Objects are dropped by address, or earlier, when
 * the VF_DROP of another frees them: hence such a free asks first (claims). The pool is closed as
 * by P_release, so that all frees come here. Where memory is spent, the map is a window of few
 * slots on the stack, which passes over the pool; a slot that is freed ahead of the window is put
 * with the free ones, for the window to find.
 */
#include <assert.h>

#include "map.h"

#define WINDOW_WORDS 64

static vf_map *map_of(vf_pool *pool)
{
    return pool->core.dropped;
}

/*
 * VF_DROP is about to free an object: false where that has been dropped already. What is yet to be
 * dropped is what the map does not have, and what lies behind it.
 */
bool vf_pool_core_claim(vf_pool_core *core, const void *object)
{
    vf_map *map = core->dropped;
    size_t number;
    bool found = vf_map_find(map, object, &number);
    assert(found);
    if (!found || number < map->begin || (number < map->end && vf_map_has(map, number)))
        return false;
    vf_map_add_range(map, number, number + 1);
    return true;
}

bool vf_pool_core_cache_claim(vf_cache *fast, const void *object)
{
    vf_pool *pool = vf_cache_whole(fast)->pool;
    return map_of(pool) == NULL || vf_pool_core_claim(&pool->core, object);
}

/* A free by VF_DROP, of an object that was claimed, or taken. */
void vf_dropped_free(vf_pool *pool, void *object)
{
    vf_map *map = map_of(pool);
    size_t number;
    if (!vf_map_find(map, object, &number))
        return;
    if (number < map->end) {
        vf_map_add(map, object); /* it may have been taken, and so claimed by nobody */
        return;
    }
    if (pool->capped != NULL)
        vf_capped_free(pool, object);
    else
        vf_stray_put(pool, object);
}

/* Drops what is live in the part of the region that the map has. */
static void drop_region(vf_map *map, vf_region region, void (*drop)(void *object))
{
    size_t begin = region.first > map->begin ? region.first : map->begin;
    size_t end = region.first + region.slots < map->end ? region.first + region.slots : map->end;
    size_t number = begin < end ? vf_map_next_absent(map, begin, end) : end;
    while (number < end) {
        vf_map_add_range(map, number, number + 1);
        drop(region.base + (number - region.first) * map->pool->stride);
        number = vf_map_next_absent(map, number, end);
    }
}

static void drop_window(vf_map *map, void (*drop)(void *object))
{
    vf_pool *pool = map->pool;
    vf_map_add_free(map);
    for (size_t place = 0; place < vf_regions(pool); place++)
        drop_region(map, vf_region_at(pool, place), drop);
}

static void drop_all(vf_pool *pool, void (*drop)(void *object))
{
    vf_map map;
    pool->core.dropped = &map;
    if (vf_map_new(&map, pool)) {
        drop_window(&map, drop);
        vf_map_free(&map);
        return;
    }
    uint64_t words[WINDOW_WORDS];
    for (size_t begin = 0; begin < vf_pool_slots(pool); begin = map.end) {
        vf_map_window(&map, pool, words, WINDOW_WORDS, begin);
        drop_window(&map, drop);
    }
}

/* Sends the calls of a cache held by a caller to the slow paths, too. Its slots become strays. */
static void close_held(vf_thread_cache *cache)
{
    while (vf_cache_count(cache) > 0)
        vf_stray_put(cache->pool, *--cache->fast.top);
    cache->fast.limit = cache->fast.bottom;
}

/* No lock is held while objects are dropped: VF_DROP may do anything but allocate here. Threads may
   end meanwhile; of a closed pool they leave everything where it is. */
void vf_pool_core_destroy(vf_pool_core *core, void (*drop)(void *object))
{
    vf_pool *pool = vf_pool_whole(core);
    vf_epoch_settle(pool);
    vf_threads_enter();
    assert(!pool->closed);
    vf_pool_close(pool);
    vf_threads_leave();
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (cache->held && pool->capped == NULL)
            close_held(cache);
    }
    if (drop != NULL)
        drop_all(pool, drop);
    vf_pool_end(pool);
}
