/* SPDX-License-Identifier: MIT */
/*
 * pool_free.h - vf_free, and what leads from an address to its pool: the part of src/pool/map.c
 * that is inline.
 *
 *   vf_map_leaves:  one pointer for each 512 MiB of addresses (4 MiB where a pointer has 32 bits)
 *                        |
 *                        v
 *   leaf->columns:   [  56  |  64  |   0    | ... ]    one for each page of 4 KiB: of the pool
 *   leaf->owners:    [ pool | pool | SHARED | ... ]    the column in rows, and the pool itself
 *
 * The column is all that most calls need. It is 0 where they need more: the page is shared, or the
 * pool has VF_DROP or handles.
 *
 * (These pages are of one size, whatever the system's are.)
 */
#ifndef VF_DETAIL_POOL_FREE_H
#define VF_DETAIL_POOL_FREE_H

#include <veryfast/detail/pool_core.h>

/* A program may call other things pool or object. */
VF_NAMES_BEGIN

#define VF_PAGE_LOG2  12
#define VF_LEAF_LOG2  (sizeof(void *) == 8 ? 17 : 10)
#define VF_LEAF_PAGES ((size_t)1 << VF_LEAF_LOG2)

/* The owner of a page on which several pools have batches; src/pool/page.c has more on it. */
#define VF_PAGE_SHARED ((uintptr_t)1)

typedef struct vf_leaf {
    uint32_t columns[VF_LEAF_PAGES]; /* atomic: of the owner, or 0 */
    uintptr_t owners[VF_LEAF_PAGES]; /* atomic: a pool, or 0, or VF_PAGE_SHARED */
    struct vf_page {
        uintptr_t before, begins;
    } pages[VF_LEAF_PAGES]; /* see src/pool/page.c */
} vf_leaf;

VF_EXTERN_C_BEGIN

/* Atomic: replaced by a longer one where an address lies behind its end. */
extern VF_API vf_leaf **vf_map_leaves;

/* Behind vf_free: of an object on a page that several pools share. */
VF_API void vf_pool_core_free_shared(void *object);

VF_EXTERN_C_END

/* The number of an address's leaf. On aarch64 the first byte may be a tag. */
static inline size_t vf_map_leaf(uintptr_t address)
{
#if defined(__aarch64__)
    address &= UINTPTR_MAX >> 8;
#endif
    return address >> (VF_PAGE_LOG2 + VF_LEAF_LOG2);
}

static inline size_t vf_map_page(uintptr_t address)
{
    return (address >> VF_PAGE_LOG2) % VF_LEAF_PAGES;
}

/* The leaf with the page of an object that is live. */
static inline const vf_leaf *vf_map_leaf_of(const void *object)
{
    /* consume: pairs with the release in src/pool/map.c: a longer one was filled before */
    vf_leaf **leaves = vf_load_consume(&vf_map_leaves);
    return leaves[vf_map_leaf((uintptr_t)object)];
}

/*
 * The column of the pool that owns the page of a live object, or 0; and the owner. relaxed: written
 * before the object was handed out, or again since. Where they change one thread may read the one
 * as it was and the other as it is: each is right by itself.
 */
static inline uint32_t vf_map_column(const vf_leaf *leaf, size_t page)
{
    return vf_load_relaxed(&leaf->columns[page]);
}

static inline uintptr_t vf_map_owner(const vf_leaf *leaf, size_t page)
{
    return vf_load_relaxed(&leaf->owners[page]);
}

/*
 * Gives back an object of whichever pool of this copy of the library, as the P_free of its pool
 * does, VF_DROP included: for hooks and interfaces of the kind free(void *). NULL is ignored; any
 * other pointer that is not a live object's is misuse. Never fails and never needs memory.
 *
 * Any thread, after P_release too. Costs what P_free does, and finds the pool's column by two loads
 * in place of one; of an instance with VF_DROP, a call through a pointer besides.
 */
VF_STATIC_CALL void vf_free(void *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#ifdef VF_CHECKED
    vf_checked_free_any(object, VF_RETURN_ADDRESS);
#else
    const vf_leaf *leaf = vf_map_leaf_of(object);
    size_t page = vf_map_page((uintptr_t)object);
    uint32_t column = vf_map_column(leaf, page);
    if (VF_LIKELY(column != 0) && VF_LIKELY(vf_cache_push(vf_pool_core_find_at(column), object)))
        return;
    uintptr_t owner = vf_map_owner(leaf, page);
    if (VF_LIKELY(owner != VF_PAGE_SHARED))
        vf_pool_core_free_untyped((vf_pool_core *)owner, object);
    else
        vf_pool_core_free_shared(object);
#endif
}

VF_NAMES_END

#endif
