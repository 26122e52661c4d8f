/* SPDX-License-Identifier: MIT */
/*
 * checks.h - what a checked build keeps in a pool and behind its objects, and the points at which
 * it looks on. In an ordinary build all of this is nothing.
 *
 *     slot:   object | fence, 16 bytes at least | header | fence
 *             ^ the address that the program has, and the core
 *
 * What is done with it is in src/checked/, which stands above this room: the functions that are
 * only declared here are defined there.
 */
#ifndef VF_CHECKS_H
#define VF_CHECKS_H

#include <string.h>

#include <veryfast/detail/pool_core.h>

#include "../common/arith.h"

struct vf_pool;

#ifdef VF_CHECKED

#    define VF_HAS_CHECKS 1
#    define VF_FENCE      16

/* What an object is. The first is that of memory which the allocator has just given. */
enum vf_state {
    VF_FRESH,
    VF_LIVE,
    VF_DROPPING, /* about to be freed, and VF_DROP at work */
    VF_DEFERRED,
    VF_FREED /* in the quarantine, or free */
};

typedef struct vf_header {
    uintptr_t check;               /* says that this is a header, of this slot and pool */
    uint32_t state;                /* atomic */
    const void *allocated, *freed; /* callers: the addresses behind the calls */
    struct vf_header *next;        /* in the quarantine; the list's lock */
    uint64_t sum;                  /* of what a freed object holds */
} vf_header;

/* An object of a pool that was made with VF_BYPASS; see checked/bypass.c. */
typedef struct vf_block {
    uintptr_t key; /* its address, inverted; 0: none */
    const void *allocated;
    uint32_t state;
    uint32_t number; /* its index in vf_blocks.numbered */
} vf_block;

/* What has, or had, a number. */
typedef struct vf_numbered {
    uintptr_t key;   /* as a block's */
    uint32_t unused; /* the next number without an object, and 1; 0: none */
    uint32_t generation;
} vf_numbered;

/* All of them; the growth lock. */
typedef struct vf_blocks {
    bool bypass, handles;  /* constant */
    bool ending;           /* P_destroy is dropping them */
    size_t cap, alignment; /* constant */
    size_t count, peak;
    size_t capacity; /* of the table: a power of two, or 0 */
    vf_block *table;
    vf_numbered *numbered; /* for half as many as the table has cells */
    size_t numbers;        /* that were ever given */
    uint32_t unused;       /* a number without an object, and 1; 0: none */
    size_t retired;        /* numbers whose generations are used up */
} vf_blocks;

/* Of a pool, what is checked. */
typedef struct vf_checked {
    size_t object_size;           /* constant */
    bool released;                /* the list's lock, as all below */
    struct vf_pool *next, **link; /* in the list of all pools */
    vf_header *first, *last;      /* the quarantine */
    size_t quarantined;           /* objects in it */
    size_t taken;                 /* objects that were ever taken from it */
    const void *released_at;      /* the caller */
    vf_blocks blocks;
} vf_checked;

/* Bytes and alignment of a slot. */
static inline size_t vf_checks_alignment(size_t alignment)
{
    return vf_max(alignment, _Alignof(vf_header));
}

static inline size_t vf_checks_header_offset(size_t object_size)
{
    return vf_round_up(object_size + VF_FENCE, _Alignof(vf_header));
}

static inline size_t vf_checks_size(size_t object_size)
{
    return vf_checks_header_offset(object_size) + sizeof(vf_header) + VF_FENCE;
}

/* Memory that the allocator has just given: a header of zero bytes was never written. */
static inline void vf_checks_fresh(void *memory, size_t size)
{
    memset(memory, 0, size);
}

/* Memory that is about to go back to the allocator. */
void vf_checks_gone(void *memory, size_t size);

/* The grace period of these is over. False: they came from malloc, and are freed; otherwise the
   core has them next. */
bool vf_checks_deferral(struct vf_pool *pool, void *const *objects, size_t n);

/* The pool's memory is about to go back. */
void vf_checks_forget(struct vf_pool *pool);

#else

#    define VF_HAS_CHECKS 0

static inline size_t vf_checks_alignment(size_t alignment)
{
    return alignment;
}

static inline size_t vf_checks_size(size_t object_size)
{
    return object_size;
}

static inline void vf_checks_fresh(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

static inline void vf_checks_gone(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

static inline VF_UNUSED bool vf_checks_deferral(struct vf_pool *pool, void *const *objects,
                                                size_t n)
{
    (void)pool;
    (void)objects;
    (void)n;
    return true;
}

static inline void vf_checks_forget(struct vf_pool *pool)
{
    (void)pool;
}

#endif

#endif
