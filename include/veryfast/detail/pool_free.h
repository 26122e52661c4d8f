/* SPDX-License-Identifier: MIT */
/*
 * pool_free.h - vf_free, and what leads from an address to its pool: the part of src/pool/map.c
 * that is inline.
 *
 *   vf_map_leaves:  one pointer for each 512 MiB of addresses (4 MiB where a pointer has 32 bits)
 *                        |
 *                        v
 *   leaf->owners:   [ pool | pool | SHARED | ... ]    one for each page of 4 KiB
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

/* Who owns the page of an object that is live. */
static inline uintptr_t vf_map_owner(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    /* consume: pairs with the release in src/pool/map.c: a longer one was filled before */
    vf_leaf **leaves = vf_load_consume(&vf_map_leaves);
    const vf_leaf *leaf = leaves[vf_map_leaf(address)];
    /* relaxed: written before the object was handed out, or again since */
    return vf_load_relaxed(&leaf->owners[vf_map_page(address)]);
}

/*
 * Gives back an object of whichever pool of this copy of the library, as the P_free of its pool
 * does, VF_DROP included: for hooks and interfaces of the kind free(void *). NULL is ignored; any
 * other pointer that is not a live object's is misuse. Never fails and never needs memory.
 *
 * Any thread, after P_release too. Costs as much as P_free and two loads, one after the other; and
 * of an instance with VF_DROP, a call through a pointer.
 */
VF_STATIC_CALL void vf_free(void *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#ifdef VF_CHECKED
    vf_checked_free_any(object, VF_RETURN_ADDRESS);
#else
    uintptr_t owner = vf_map_owner(object);
    if (VF_LIKELY(owner != VF_PAGE_SHARED))
        vf_pool_core_free_untyped((vf_pool_core *)owner, object);
    else
        vf_pool_core_free_shared(object);
#endif
}

VF_NAMES_END

#endif
