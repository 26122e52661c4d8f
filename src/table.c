/*
 * table.c - each pool's table from thread index to cache: what the fast paths look up.
 *
 *     thread 5:  vf_thread_index = 5 -> pool A's table: [ -  -  c  c  -  C ]
 *                                       pool B's table: [ -  -  -  c ]         no cache: too short
 *
 *     entries:  [ what the fast paths find ... | what is attached ... ]
 *                 0 .. size - 1                  size .. 2 * size - 1
 *
 * Both halves are the same until the pool is released, or P_trim looks at a cache: then the first
 * has vf_no_cache. Index 0 has it always. An entry is written by the thread whose index it is, when
 * it attaches; by its exit; by P_release and P_trim. All that happens under the threads' lock, and
 * so does growth: no entry gets lost. A table that was replaced stays until the pool ends, because
 * a thread may still be reading it.
 */
#include "pool.h"
#include "threads_seen.h"

#define FIRST_SIZE 64

/* Empty and full at once: it sends both fast paths to their slow ones. Never written. */
vf_cache vf_no_cache = {NULL, NULL, NULL};

/* The table of a pool that no thread has used yet. Never written. */
static struct {
    vf_table table;
    vf_cache *entries[2];
} no_threads = {{1, NULL}, {&vf_no_cache, &vf_no_cache}};

vf_table *const vf_empty_table = &no_threads.table;

static size_t table_bytes(size_t size)
{
    return sizeof(vf_table) + 2 * size * sizeof(vf_cache *);
}

/* For P_trim and P_release: what the fast paths find, and nothing else. The index is one that has
   had a cache here. */
void vf_table_set_fast(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    /* release: pairs with the acquire in vf_cache_enter, when the owner gets its cache back */
    vf_store_release(&vf_table_entries(pool->core.table)[index], cache);
}

/* For a thread that has the cache only for what it defers: the fast paths do not find it. */
void vf_table_set_aside(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    vf_table *table = pool->core.table;
    vf_store_relaxed(&vf_table_entries(table)[table->size + index], cache);
}

void vf_table_set(vf_pool *pool, uint32_t index, vf_cache *cache)
{
    vf_table_set_fast(pool, index, cache);
    vf_table_set_aside(pool, index, cache);
}

/* From here on no fast path finds a cache. */
void vf_table_close(vf_pool *pool)
{
    for (uint32_t i = 1; i < pool->core.table->size; i++)
        vf_table_set_fast(pool, i, &vf_no_cache);
}

/* The cache that is attached to the calling thread, even if the pool is released; or NULL. */
vf_thread_cache *vf_thread_attached(vf_pool *pool)
{
    /* acquire: as in vf_pool_core_find */
    vf_table *table = vf_load_acquire(&pool->core.table);
    if (vf_thread_index >= table->size)
        return NULL;
    vf_cache *cache = vf_load_relaxed(&vf_table_entries(table)[table->size + vf_thread_index]);
    return cache != &vf_no_cache ? vf_cache_whole(cache) : NULL;
}

/* Gives the pool a table with this index in it; false: out of memory. */
bool vf_table_grow(vf_pool *pool, uint32_t index)
{
    vf_table *old = pool->core.table;
    if (index < old->size)
        return true;
    size_t size = FIRST_SIZE;
    while (size <= index)
        size *= 2;
    vf_table *table = vf_memory_alloc(pool, table_bytes(size), _Alignof(vf_table));
    if (table == NULL)
        return false;
    table->older = old;
    table->size = size;
    vf_cache **entries = vf_table_entries(table);
    vf_cache **before = vf_table_entries(old);
    for (size_t i = 0; i < size; i++) {
        entries[i] = i < old->size ? before[i] : &vf_no_cache;
        entries[size + i] = i < old->size ? before[old->size + i] : &vf_no_cache;
    }
    vf_tell_before(&pool->core.table);
    /* pairs with the acquire in vf_pool_core_find */
    vf_store_release(&pool->core.table, table);
    return true;
}

/* At the end of the pool. */
void vf_tables_free(vf_pool *pool)
{
    vf_table *older;
    for (vf_table *table = pool->core.table; table != vf_empty_table; table = older) {
        older = table->older;
        vf_memory_free(pool, table, table_bytes(table->size), _Alignof(vf_table));
    }
}
