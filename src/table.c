/*
 * table.c - each pool's table from thread index to cache: what the fast paths look up.
 *
 *     thread 5:  vf_thread_index = 5 -> pool A's table: [ -  -  c  c  -  C  - ... ]
 *                                       pool B's table: [ -  -  -  c  -  -  - ... ]
 *
 * An entry is written by the thread whose index it is, when it attaches; by its exit; and by
 * P_release. All that happens under the threads' lock, and so does growth: no entry gets lost.
 */
#include "pool.h"

/* Empty and full at once: it sends both fast paths to their slow ones. Never written. */
vf_cache vf_no_cache = {NULL, NULL, NULL};

static size_t table_bytes(uint32_t size)
{
    return sizeof(vf_table) + 2 * size * sizeof(vf_cache *);
}

void vf_table_set(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    vf_table *table = pool->table;
    vf_store_relaxed(&table->entries[index], cache);
    vf_store_relaxed(&table->entries[table->size + index], cache);
}

/* For a thread that has the cache only for what it defers: the fast paths do not find it. */
void vf_table_set_aside(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    vf_table *table = pool->table;
    vf_store_relaxed(&table->entries[table->size + index], cache);
}

/* The cache that is attached to the calling thread, even if the pool is released; or NULL. */
vf_thread_cache *vf_thread_attached(vf_pool *pool)
{
    /* acquire: as in vf_pool_core_cache */
    vf_cache **entries = vf_load_acquire(&pool->core.table);
    vf_table *table = (vf_table *)(void *)((char *)entries - offsetof(vf_table, entries));
    vf_cache *cache = vf_load_relaxed(&table->entries[table->size + vf_thread_index]);
    return cache != &vf_no_cache ? vf_cache_whole(cache) : NULL;
}

/* Gives the pool a table of this size, at least; false where memory is spent. */
bool vf_table_grow(vf_pool *pool, uint32_t size)
{
    vf_table *old = pool->table;
    if (old != NULL && old->size >= size)
        return true;
    vf_table *table = vf_memory_alloc(pool, table_bytes(size), _Alignof(vf_table));
    if (table == NULL)
        return false;
    table->older = old;
    table->size = size;
    for (uint32_t i = 0; i < size; i++) {
        bool known = old != NULL && i < old->size;
        table->entries[i] = known ? old->entries[i] : &vf_no_cache;
        table->entries[size + i] = known ? old->entries[old->size + i] : &vf_no_cache;
    }
    pool->table = table;
    /* pairs with the acquire in vf_pool_core_cache */
    vf_store_release(&pool->core.table, table->entries);
    return true;
}

/* At the end of the pool. */
void vf_tables_free(vf_pool *pool)
{
    vf_table *older;
    for (vf_table *table = pool->table; table != NULL; table = older) {
        older = table->older;
        vf_memory_free(pool, table, table_bytes(table->size), _Alignof(vf_table));
    }
}
