/* SPDX-License-Identifier: MIT */
/*
 * pool_core.h - what the pool template sees of the core.
 *
 *   thread              pool                  cache, this thread's for this pool
 *   vf_row_own() --->   entry[column]  --->   bottom    top         limit
 *                                                |       |           |
 *                                                v       v           v
 *                                              [ s s s s . . . . . . ]
 *
 * A thread has a row with an entry for each pool; a pool's column says which of them. An entry that
 * is 0 leads to a cache with bottom = top = limit, on which both fast paths turn to their slow
 * ones. So does the row of a thread that has used no pool yet. A row's memory reads as 0 where it
 * was never written to, and costs nothing there: a thread pays for the pools that it uses.
 *
 * Only a cache's owner writes to it. Other threads read it, hence the atomic operations, which
 * cost nothing: they are plain loads and stores. Only where the processor's order of memory is weak
 * and the system has no barrier for all threads, a free ends with a release store.
 *
 * One word changes per call, top, and the next call waits for it; a count and an array in two
 * words take a quarter longer.
 */
#ifndef VF_DETAIL_POOL_CORE_H
#define VF_DETAIL_POOL_CORE_H

#include <veryfast/detail/atomic.h>
#include <veryfast/detail/config.h>
#include <veryfast/detail/pool_walk.h>
#include <veryfast/detail/thread.h>
#include <veryfast/veryfast.h>

VF_EXTERN_C_BEGIN

/* The part of a cache that the fast paths know. */
typedef struct vf_cache {
    void **top;    /* behind the slot that was freed last and is handed out first */
    void **bottom; /* top of an empty cache */
    void **limit;  /* from here on a free looks again: full, or NULL where it has to order */
    void **full;   /* top of a full cache */
    /* With handles, of the batches of the last objects that the owner has freed and published; or
       of none. Owner only. */
    const struct vf_generations *freed, *published;
    struct vf_pool_cache *whole; /* constant: the cache that this is of; NULL: of none */
} vf_cache;

/* What a thread knows of all pools, see src/pool/row.h. Its entries say where its caches are, in
   bytes from the row's beginning. */
typedef struct vf_row vf_row;

/* The part of a pool that the fast paths know. */
typedef struct vf_pool_core {
    size_t column;    /* constant: of the entries in rows, in bytes from their beginning */
    void *destroying; /* set: P_destroy is at work, see src/pool/destroy.c */
    void (*drop)(void *object); /* constant: of the instance that made the pool, for vf_free */
    struct vf_generations **directory; /* with handles: see pool_handle.h; NULL: without */
    bool frees_more;                   /* constant: vf_free does not only give back the slot */
} vf_pool_core;

/* What the core must know of an instance; constant, one for each. */
typedef struct vf_pool_type {
    const char *interface_kind; /* &vf_interface_...: headers and core must agree to link */
    const char *name;
    size_t object_size;
    size_t alignment;
    size_t batch_objects;
    void (*drop)(void *object); /* what P_free does to an object before it is free; NULL: nothing */
    bool handles;               /* VF_HANDLE */
} vf_pool_type;

/*
 * vf_row_own(): this thread's row; before it has an index (vf_thread_own) and after its exit one in
 * which all entries are 0. A thread-local variable, as in thread.h.
 */
#if defined(VF_THREAD_INDEX)
extern VF_API vf_row *vf_thread_rows[]; /* one is written by its thread alone */
static inline VF_UNUSED vf_row *vf_row_own(void)
{
    return vf_thread_rows[(uint32_t)(VF_THREAD_INDEX)];
}
#elif defined(VF_DLL)
extern VF_TLS vf_row *vf_thread_row;
VF_API vf_row *vf_row_own(void);
#else
extern VF_API VF_TLS vf_row *vf_thread_row;
static inline VF_UNUSED vf_row *vf_row_own(void)
{
    return vf_thread_row;
}
#endif

/* The calls behind the functions of pool.h that have the same names; the contract is there. */
VF_API vf_pool_core *vf_pool_core_new(const vf_pool_type *type, const vf_pool_options *options,
                                      size_t options_size);
VF_API vf_pool_core *vf_pool_core_shared(const vf_pool_type *type);
VF_API void vf_pool_core_release(vf_pool_core *pool);
VF_API size_t vf_pool_core_alloc_n(vf_pool_core *pool, void *objects, size_t n);
VF_API void vf_pool_core_free_n(vf_pool_core *pool, const void *objects, size_t n);
VF_API bool vf_pool_core_reserve(vf_pool_core *pool, size_t n);
VF_API void vf_pool_core_stats(const vf_pool_core *pool, vf_pool_stats *stats, size_t stats_size);
VF_API bool vf_pool_core_owns(const vf_pool_core *pool, const void *object);
VF_API size_t vf_pool_core_trim(vf_pool_core *pool);
VF_API void vf_pool_core_destroy(vf_pool_core *pool, void (*drop)(void *object));
VF_API bool vf_pool_core_claim(vf_pool_core *pool, const void *object);
VF_API bool vf_pool_core_cache_claim(vf_cache *cache, const void *object);
VF_API vf_cache *vf_pool_core_cache_new(vf_pool_core *pool);
VF_API void vf_pool_core_cache_release(vf_cache *cache);

#ifdef VF_HAS_EPOCH
VF_API bool vf_pool_core_free_deferred(vf_pool_core *pool, void *object,
                                       void (*drop)(void *object));
VF_API void vf_pool_core_epoch_barrier(vf_pool_core *pool);
#endif

/* Behind the fast paths. */
VF_API void *vf_pool_core_alloc_slow(vf_pool_core *pool);
VF_API void vf_pool_core_free_slow(vf_pool_core *pool, void *object);
VF_API void vf_pool_core_free_published(vf_pool_core *pool, void *object);
VF_API void *vf_pool_core_cache_alloc_slow(vf_cache *cache);
VF_API void vf_pool_core_cache_free_slow(vf_cache *cache, void *object);

VF_EXTERN_C_END

/* A program may call other things pool, cache, top or slot. */
VF_NAMES_BEGIN

/* The calling thread's cache of the pool with this column, or one that looks empty and full. */
static inline vf_cache *vf_pool_core_find_at(size_t column)
{
    uintptr_t row = (uintptr_t)vf_row_own();
    /* relaxed: what it leads to was written by this thread when it attached, or never is */
    return (vf_cache *)(row + vf_load_relaxed((const uintptr_t *)(row + column)));
}

static inline vf_cache *vf_pool_core_find(const vf_pool_core *pool)
{
    return vf_pool_core_find_at(pool->column);
}

/* Takes a slot; false where the cache is empty. Owner only. */
static inline bool vf_cache_pop(vf_cache *cache, void **slot)
{
    void **top = vf_load_relaxed(&cache->top);
    if (VF_UNLIKELY(top == cache->bottom))
        return false;
    *slot = *--top;
    /* relaxed: no alloc runs while the pool is released, and nothing else needs the order */
    vf_store_relaxed(&cache->top, top);
    return true;
}

/* The same as below, where P_release has no barrier to rely on; false too where the cache is full.
 */
static inline bool vf_cache_push_ordered(vf_cache *cache, void **top, void *slot)
{
    if (!VF_FENCED_FREE || top == cache->full)
        return false;
    *top = slot;
    /* release: pairs with the acquire of top in src/pool/release.c */
    vf_store_release(&cache->top, top + 1);
    return true;
}

/*
 * Puts a slot in; false where the cache is full. Owner only. Nothing of the cache or its pool is
 * touched after the store of top: from there on the pool may be gone (src/pool/release.c).
 */
static inline bool vf_cache_push(vf_cache *cache, void *slot)
{
    void **top = vf_load_relaxed(&cache->top);
    if (VF_UNLIKELY((uintptr_t)top >= (uintptr_t)cache->limit))
        return vf_cache_push_ordered(cache, top, slot);
    *top = slot;
    /* fenced: pairs with the heavy fence in src/pool/release.c, or the acquire of top there: the
       slot is written, and the caller is done with the object, before the memory of both may be
       given back */
    vf_store_fenced(&cache->top, top + 1);
    return true;
}

static inline void *vf_pool_core_alloc(vf_pool_core *pool)
{
    void *slot;
    if (VF_LIKELY(vf_cache_pop(vf_pool_core_find(pool), &slot)))
        return slot;
    return vf_pool_core_alloc_slow(pool);
}

static inline void vf_pool_core_free(vf_pool_core *pool, void *object)
{
    if (VF_UNLIKELY(!vf_cache_push(vf_pool_core_find(pool), object)))
        vf_pool_core_free_slow(pool, object);
}

/* May the object be dropped? While P_destroy drops all, none is dropped twice. */
static inline bool vf_pool_core_may_drop(vf_pool_core *pool, const void *object)
{
    return VF_LIKELY(pool->destroying == NULL) || vf_pool_core_claim(pool, object);
}

/* The same, asked of a cache: P_destroy has closed all caches, so that they look full. */
static inline bool vf_pool_core_cache_may_drop(vf_cache *cache, const void *object)
{
    return VF_LIKELY(vf_load_relaxed(&cache->top) != cache->full) ||
           vf_pool_core_cache_claim(cache, object);
}

/* P_free where the object's type is not known: apart, so that a vf_free to which the map has told
   all saves no registers for the call of VF_DROP. */
static VF_UNUSED VF_NOINLINE void vf_pool_core_free_untyped(vf_pool_core *pool, void *object)
{
    if (VF_UNLIKELY(vf_load_relaxed(&pool->directory) != NULL)) {
        vf_pool_core_free_published(pool, object);
        return;
    }
    if (pool->drop != NULL) {
        if (!vf_pool_core_may_drop(pool, object))
            return;
        pool->drop(object);
    }
    vf_pool_core_free(pool, object);
}

static inline void *vf_pool_core_cache_alloc(vf_cache *cache)
{
    void *slot;
    if (VF_LIKELY(vf_cache_pop(cache, &slot)))
        return slot;
    return vf_pool_core_cache_alloc_slow(cache);
}

static inline void vf_pool_core_cache_free(vf_cache *cache, void *object)
{
    if (VF_UNLIKELY(!vf_cache_push(cache, object)))
        vf_pool_core_cache_free_slow(cache, object);
}

/* A checked build looks at an object that is about to be moved out of; here nothing is done. */
static inline void vf_pool_core_look(vf_pool_core *pool, const void *object)
{
    (void)pool;
    (void)object;
}

VF_NAMES_END

#include <veryfast/detail/pool_handle.h>

/* How the template calls the core: vf_pool_call(alloc, &pool->core). */
#ifdef VF_CHECKED
#    include <veryfast/detail/pool_checked.h>
#else
#    define vf_pool_call(name, ...) vf_pool_core_##name(__VA_ARGS__)
#endif

/* Bytes of a batch, where the caller leaves that to the library. */
#define VF_BATCH_BYTES 65536

/* In constant expressions. */
#define VF_ROUND_UP(n, unit) (((size_t)(n) + (size_t)(unit)-1) / (size_t)(unit) * (size_t)(unit))
#define VF_GREATER(a, b)     ((size_t)(a) > (size_t)(b) ? (size_t)(a) : (size_t)(b))

#endif
