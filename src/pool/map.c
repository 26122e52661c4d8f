/* SPDX-License-Identifier: MIT */
/*
 * map.c - see map.h.
 *
 *   vf_map_leaves:  [ leaf | 0 | leaf | ... ]        one for each 512 MiB of addresses
 *                      |
 *   leaf->owners:   [ A | A | SHARED | B | 0 ]       of each page the one pool that has batches on
 *                                                    it, or SHARED: then page.c has more on it
 *   leaf->columns:  [ a | a |   0    | b | 0 ]       that pool's column, where this is all that
 *                                                    vf_free must know
 */
#include "map.h"

#include <assert.h>

#include "../common/arith.h"
#include "page.h"
#include "slab.h"

/* Leaves for all addresses that Linux gives out; the explorer has fewer. */
#ifndef VF_FIRST_LEAVES
#    define VF_FIRST_LEAVES ((size_t)1 << (sizeof(void *) == 8 ? 18 : 10))
#endif

vf_leaf **vf_map_leaves;
static size_t leaves_size; /* entries in vf_map_leaves; the map's lock */

/* ---- leaves ---- */

/* Room for the leaf of this number; false: out of memory. Threads may be reading what is replaced,
   so that stays. */
static bool reserve_leaves(size_t number)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (number < leaves_size)
        return true;
    size_t size = leaves_size == 0 ? VF_FIRST_LEAVES : leaves_size;
    while (size <= number)
        size *= 2;
    vf_leaf **longer = vf_slab_obtain(size * sizeof *longer);
    if (longer == NULL)
        return false;
    for (size_t i = 0; i < leaves_size; i++) {
        if (vf_map_leaves[i] != NULL) /* else that costs no memory if it is not written to */
            longer[i] = vf_map_leaves[i];
    }
    vf_store_release(&vf_map_leaves, longer); /* pairs with the consume in vf_map_leaf_of */
    leaves_size = size;
    return true;
}

/* The leaf of an address, or NULL. */
static vf_leaf *leaf_of(uintptr_t address)
{
    assert(vf_mutex_held(&vf_slab_lock));
    size_t number = vf_map_leaf(address);
    return number < leaves_size ? vf_map_leaves[number] : NULL;
}

/* The same, made if need be; NULL: out of memory. */
static vf_leaf *make_leaf(uintptr_t address)
{
    assert(vf_mutex_held(&vf_slab_lock));
    size_t number = vf_map_leaf(address);
    if (!reserve_leaves(number))
        return NULL;
    if (vf_map_leaves[number] == NULL) {
        vf_leaf *leaf = vf_slab_obtain(sizeof *leaf);
        if (leaf == NULL)
            return NULL;
        vf_map_leaves[number] = leaf; /* nobody looks for an object there yet */
    }
    return vf_map_leaves[number];
}

/* ---- pages ---- */

/*
 * A page's owner from here on, after the pool has got or lost a part of it. Of other pools nothing
 * is read: in the child of a fork there may be one that has ended, with a batch that it never knew
 * of. So where one is left alone its objects are found by the owner until it gets a part again.
 */
static void set_owner(vf_leaf *leaf, size_t number, uintptr_t owner, const vf_pool_core *pool)
{
    assert(vf_mutex_held(&vf_slab_lock));
    if (owner == leaf->owners[number])
        return;
    bool is_enough = owner == (uintptr_t)pool && !pool->frees_more;
    /* relaxed: a column leads to nothing in the map; and before the owner, for the child of a fork
     */
    vf_store_relaxed(&leaf->columns[number], is_enough ? (uint32_t)pool->column : 0);
    /* release: pairs with the acquire in vf_map_shared, for a page that one pool had */
    vf_store_release(&leaf->owners[number], owner);
}

/* Drops what is all zero about n elements of an array in the leaf. */
static void drop_zeros(vf_leaf *leaf, const void *array, size_t element, size_t first, size_t n)
{
    size_t at = (size_t)((const char *)array - (const char *)leaf);
    vf_slab_drop((char *)leaf, sizeof *leaf, at + first * element, n * element);
}

/* ---- the calls ---- */

/* All that entering the memory may need: leaves, and tables for pages that it crowds or covers. */
static bool make_leaves(uintptr_t address, size_t size)
{
    assert(vf_mutex_held(&vf_slab_lock));
    size_t step = VF_LEAF_PAGES << VF_PAGE_LOG2;
    for (size_t at = 0; at < size; at += step) {
        if (make_leaf(address + at) == NULL)
            return false;
    }
    if (make_leaf(address + size - 1) == NULL)
        return false;
    size_t tables = 0;
    for (size_t at = 0; at < size;) {
        vf_page_part part = vf_page_part_at(address + at, size - at);
        const vf_leaf *leaf = leaf_of(address + at);
        size_t number = vf_map_page(address + at);
        tables += vf_page_tables(&leaf->pages[number], leaf->owners[number], part);
        at += vf_page_part_bytes(part);
    }
    return vf_page_reserve(tables);
}

/* Of memory for which there are leaves. */
static void enter_memory(const vf_pool_core *pool, uintptr_t address, size_t size)
{
    assert(vf_mutex_held(&vf_slab_lock));
    for (size_t at = 0; at < size;) {
        vf_page_part part = vf_page_part_at(address + at, size - at);
        vf_leaf *leaf = leaf_of(address + at);
        size_t number = vf_map_page(address + at);
        uintptr_t owner =
            vf_page_enter(&leaf->pages[number], leaf->owners[number], part, (uintptr_t)pool);
        set_owner(leaf, number, owner, pool);
        at += vf_page_part_bytes(part);
    }
}

bool vf_map_enter(const vf_pool_core *pool, const char *memory, size_t size)
{
    uintptr_t address = (uintptr_t)memory;
    assert(size > 0 && address % VF_CACHE_LINE == 0);
    vf_mutex_lock(&vf_slab_lock);
    bool prepared = make_leaves(address, size);
    if (prepared)
        enter_memory(pool, address, size);
    vf_mutex_unlock(&vf_slab_lock);
    return prepared;
}

void vf_map_remove(const vf_pool_core *pool, const char *memory, size_t size)
{
    uintptr_t address = (uintptr_t)memory;
    vf_mutex_lock(&vf_slab_lock);
    for (size_t at = 0; at < size;) {
        vf_page_part part = vf_page_part_at(address + at, size - at);
        vf_leaf *leaf = leaf_of(address + at);
        size_t number = vf_map_page(address + at);
        at += vf_page_part_bytes(part);
        if (leaf == NULL)
            continue;
        uintptr_t owner =
            vf_page_remove(&leaf->pages[number], leaf->owners[number], part, (uintptr_t)pool);
        set_owner(leaf, number, owner, pool);
    }
    vf_mutex_unlock(&vf_slab_lock);
}

void vf_map_trim(const char *memory, size_t size)
{
    uintptr_t page = (uintptr_t)memory >> VF_PAGE_LOG2;
    uintptr_t end = (((uintptr_t)memory + size - 1) >> VF_PAGE_LOG2) + 1;
    vf_mutex_lock(&vf_slab_lock);
    while (page < end) {
        vf_leaf *leaf = leaf_of(page << VF_PAGE_LOG2);
        size_t first = page % VF_LEAF_PAGES;
        size_t n = vf_min(end - page, VF_LEAF_PAGES - first);
        page += n;
        if (leaf != NULL) {
            drop_zeros(leaf, leaf->columns, sizeof *leaf->columns, first, n);
            drop_zeros(leaf, leaf->owners, sizeof *leaf->owners, first, n);
            drop_zeros(leaf, leaf->pages, sizeof *leaf->pages, first, n);
        }
    }
    vf_mutex_unlock(&vf_slab_lock);
}

void *vf_map_shared(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    vf_leaf **leaves = vf_load_acquire(&vf_map_leaves); /* as in vf_map_leaf_of */
    const vf_leaf *leaf = leaves[vf_map_leaf(address)];
    /* acquire: pairs with the release in set_owner. A page that one pool had, and that others
       cover in part now, has been crowded before */
    uintptr_t owner = vf_load_acquire(&leaf->owners[vf_map_page(address)]);
    if (owner != VF_PAGE_SHARED)
        return (void *)owner;
    return vf_page_find(&leaf->pages[vf_map_page(address)], vf_page_line(address));
}

void *vf_map_find(const void *address)
{
    vf_mutex_lock(&vf_slab_lock);
    const vf_leaf *leaf = leaf_of((uintptr_t)address);
    uintptr_t owner = leaf != NULL ? leaf->owners[vf_map_page((uintptr_t)address)] : 0;
    void *pool = owner == VF_PAGE_SHARED ? vf_map_shared(address) : (void *)owner;
    vf_mutex_unlock(&vf_slab_lock);
    return pool;
}

void vf_map_after_fork(void)
{
    vf_mutex_init(&vf_slab_lock);
}

void vf_map_end(void)
{
    if (!vf_mutex_trylock(&vf_slab_lock))
        return; /* the process ends while another thread is in here */
    vf_slab_end();
    vf_page_end();
    vf_map_leaves = NULL;
    leaves_size = 0;
    vf_mutex_unlock(&vf_slab_lock);
}
