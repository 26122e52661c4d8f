/* SPDX-License-Identifier: MIT */
/*
 * attach.c - see attach.h.
 *
 *     thread 5:  vf_thread_index = 5 -> pool A's table: [ -  -  c  c  -  C ]
 *                                       pool B's table: [ -  -  -  c ]         no cache: too short
 *
 *     entries:  [ what the fast paths find ... | what is attached ... ]
 *                 0 .. size - 1                  size .. 2 * size - 1
 *
 * Both halves are the same until the pool is released, or P_trim looks at a cache: then the first
 * has vf_attach_no_cache. Index 0 has it always. An entry is written by the thread whose index it
 * is, when it attaches; by its exit; by P_release and P_trim. All that happens under the threads'
 * lock, and so does growth: no entry gets lost. A table that was replaced stays until the pool
 * ends, because a thread may still be reading it.
 */
#include "attach.h"

#include <assert.h>

#include "../platform/tsan.h"
#include "release.h"

#define FIRST_SIZE 16

vf_cache vf_attach_no_cache = {
    .freed = &vf_generation_none,
    .published = &vf_generation_none,
};

static struct {
    vf_table table;
    vf_cache *entries[2];
} no_threads = {{1, NULL}, {&vf_attach_no_cache, &vf_attach_no_cache}};

vf_cache **const vf_attach_no_entries = no_threads.entries;

/* ---- the table ---- */

static size_t table_bytes(size_t size)
{
    return sizeof(vf_table) + 2 * size * sizeof(vf_cache *);
}

void vf_attach_set_fast(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    assert(vf_lock_held());
    /* release: pairs with the acquire in vf_seize_begin_call, when the owner gets its cache back */
    vf_store_release(&pool->core.entries[index], cache);
}

/* What is attached. */
static void set_attached(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    vf_cache **entries = pool->core.entries;
    vf_store_relaxed(&entries[vf_table_of(entries)->size + index], cache);
}

void vf_attach_close(vf_pool *pool)
{
    assert(vf_lock_held() && !pool->closed);
    /* relaxed: a free that does not see it yet is one that was caught half way */
    vf_store_relaxed(&pool->closed, true);
    for (uint32_t i = 1; i < vf_table_of(pool->core.entries)->size; i++)
        vf_attach_set_fast(pool, i, &vf_attach_no_cache);
}

vf_pool_cache *vf_attach_own(vf_pool *pool)
{
    vf_cache **entries = vf_load_consume(&pool->core.entries); /* as in vf_pool_core_find */
    size_t size = vf_table_of(entries)->size;
    if (vf_thread_own() >= size)
        return NULL;
    vf_cache *cache = vf_load_relaxed(&entries[size + vf_thread_own()]);
    return cache != &vf_attach_no_cache ? vf_cache_whole(cache) : NULL;
}

bool vf_attach_reach(vf_pool *pool, uint32_t index)
{
    assert(vf_lock_held());
    vf_table *old = vf_table_of(pool->core.entries);
    if (index < old->size)
        return true;
    size_t size = FIRST_SIZE;
    while (size <= index)
        size *= 2;
    vf_table *table = vf_memory_alloc(&pool->memory, table_bytes(size), _Alignof(vf_table));
    if (table == NULL)
        return false;
    table->older = old;
    table->size = size;
    vf_cache **entries = vf_table_entries(table);
    vf_cache **before = pool->core.entries;
    for (size_t i = 0; i < size; i++) {
        entries[i] = i < old->size ? before[i] : &vf_attach_no_cache;
        entries[size + i] = i < old->size ? before[old->size + i] : &vf_attach_no_cache;
    }
    vf_tsan_release(&pool->core.entries);
    /* pairs with the consume in vf_pool_core_find */
    vf_store_release(&pool->core.entries, entries);
    return true;
}

void vf_attach_free(vf_pool *pool)
{
    vf_table *older, *table = vf_table_of(pool->core.entries);
    for (; table != &no_threads.table; table = older) {
        older = table->older;
        vf_memory_free(&pool->memory, table, table_bytes(table->size), _Alignof(vf_table));
    }
}

/* ---- owners ---- */

vf_pool_cache *vf_attach_adopt(vf_pool *pool)
{
    assert(vf_lock_held());
    vf_pool_cache *cache = pool->idle;
    if (cache != NULL) {
        vf_cache_unlink(cache);
        return cache;
    }
    cache = vf_cache_new(pool, &pool->depot, pool->cache_limit);
    if (cache != NULL)
        vf_cache_add(&pool->caches, cache);
    return cache;
}

void vf_attach_add_idle(vf_pool_cache *cache)
{
    vf_cache_link(&cache->pool->idle, cache); /* asserts the lock */
}

vf_pool_cache *vf_attach_new(vf_pool *pool, vf_pool_cache **list)
{
    assert(vf_attach_own(pool) == NULL);
    vf_pool_cache *cache = vf_attach_adopt(pool); /* asserts the lock */
    if (cache != NULL) {
        cache->thread = vf_thread_own();
        vf_cache_link(list, cache);
    }
    return cache;
}

void vf_attach_show(vf_pool *pool, vf_pool_cache *cache)
{
    assert(vf_lock_held() && cache->thread == vf_thread_own());
    if (!pool->uncached)
        vf_attach_set_fast(pool, vf_thread_own(), &cache->fast);
    set_attached(pool, vf_thread_own(), &cache->fast);
}

vf_pool_cache *vf_attach_take_first(vf_pool_cache **list)
{
    vf_pool_cache *cache = *list;
    vf_cache_unlink(cache); /* asserts the lock */
    vf_attach_set_fast(cache->pool, cache->thread, &vf_attach_no_cache);
    set_attached(cache->pool, cache->thread, &vf_attach_no_cache);
    cache->thread = 0;
    return cache;
}

void vf_attach_detach(vf_pool_cache *cache)
{
    assert(vf_lock_held() && cache->thread == 0);
    vf_pool *pool = cache->pool;
    bool last;
    if (vf_load_relaxed(&pool->closed) && !cache->held) {
        last = vf_release_settle(pool, cache, 0);
    } else {
        vf_cache_flush(cache);
        int64_t in = cache->in;
        /* in this order, so that a thread which adds both up does not count what is live twice */
        vf_store_relaxed(&cache->in, 0);
        last = vf_release_return(pool, -in);
    }
    if (cache->held)
        cache->held = false; /* of a thread's it is not written: P_destroy may be looking at it */
    vf_tsan_release(&pool->memory);
    vf_attach_add_idle(cache);
    if (last)
        vf_release_end(pool);
}
