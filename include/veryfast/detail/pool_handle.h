/* SPDX-License-Identifier: MIT */
/*
 * pool_handle.h - handles and generations: the part that the template sees.
 *
 *     handle:  | generation, 32 bits | number of the slot, 32 bits |
 *
 *     pool -> entries:  [ batch 0 | batch 1 | ... ]
 *                          |
 *                          v
 *             base | first | retired | generations: g g g ...    4 bytes for each slot
 *
 * An odd generation says that the slot's object is published. A generation never goes down, and its
 * memory stays until the pool ends, whatever becomes of the batch.
 */
#ifndef VF_DETAIL_POOL_HANDLE_H
#define VF_DETAIL_POOL_HANDLE_H

#include <veryfast/detail/pool_core.h>

/* Of a slot that no handle was ever made for. 0 is that of a retired one. */
#define VF_GENERATION_FIRST 2U

/* Of a batch. The generations stand behind it. */
typedef struct vf_generations {
    char *base;       /* atomic: slot 0; NULL: the batch has no memory */
    uint32_t first;   /* number of slot 0; constant */
    uint32_t retired; /* atomic: how many slots are */
} vf_generations;

/* Stands before the entries that a pool points to. Replaced by a longer one as batches come. */
typedef struct vf_handle_table {
    size_t size; /* entries there is room for; constant */
    struct vf_handle_table *older;
    intptr_t end; /* atomic: see vf_handle_is_within */
} vf_handle_table;

VF_EXTERN_C_BEGIN

/* Behind the fast paths. */
VF_API uint64_t vf_pool_core_publish_slow(vf_pool_core *pool, const void *object);
VF_API bool vf_pool_core_unpublish_slow(vf_pool_core *pool, const void *object);
VF_API bool vf_pool_core_cache_unpublish_slow(vf_cache *cache, const void *object);

/* The object of the handle, which ends with that; NULL: it is gone. */
VF_API void *vf_pool_core_claim_handle(vf_pool_core *pool, uint64_t bits, bool *goes_on);

/* The frees of objects of which vf_pool_core_unpublish was false: the slot is retired. */
VF_API void vf_pool_core_free_last(vf_pool_core *pool, void *object);
VF_API void vf_pool_core_cache_free_last(vf_cache *cache, void *object);
VF_API void vf_pool_core_free_n_last(vf_pool_core *pool, const void *objects, size_t n);

#ifdef VF_HAS_EPOCH
VF_API bool vf_pool_core_free_handle_deferred(vf_pool_core *pool, uint64_t bits,
                                              void (*drop)(void *object));
#endif

/* As vf_pool_core_walk_more, of published objects. */
VF_API vf_walk_word vf_pool_core_walk_more_published(vf_walk_position *position);

VF_EXTERN_C_END

/* A program may call other things pool, slot or generation. */
VF_NAMES_BEGIN

static inline vf_handle_table *vf_handle_table_of(vf_generations **entries)
{
    return (vf_handle_table *)(void *)entries - 1;
}

static inline uint32_t *vf_generations_of(const vf_generations *of)
{
    return (uint32_t *)(uintptr_t)(of + 1);
}

/*
 * Is the generation odd, and the number one of the first so many? Where a register holds a whole
 * handle that is one comparison: of the handle turned by 31 bits, so that what makes it odd is the
 * sign, and the number comes next.
 */
#if UINTPTR_MAX > UINT32_MAX
static inline intptr_t vf_handle_table_end(size_t numbers)
{
    return (intptr_t)(((uintptr_t)1 << 63) + (numbers << 31));
}

static inline bool vf_handle_is_within(uint64_t bits, intptr_t end)
{
    return (intptr_t)(bits << 31 | bits >> 33) < end;
}
#else
static inline intptr_t vf_handle_table_end(size_t numbers)
{
    return (intptr_t)numbers;
}

static inline bool vf_handle_is_within(uint64_t bits, intptr_t end)
{
    return (bits >> 32) % 2 != 0 && (uint32_t)bits < (uintptr_t)end;
}
#endif

static inline uint64_t vf_handle_bits(uint32_t generation, uint32_t number)
{
    return (uint64_t)generation << 32 | number;
}

/* The generations that the handle's number leads to; false: the handle never was. */
static inline bool vf_handle_look_up(vf_generations **const *directory, uint64_t bits,
                                     uint32_t objects, const vf_generations **of)
{
    /* acquire: pairs with the release of a longer directory, in src/pool/generation.c */
    vf_generations **entries = vf_load_acquire(directory);
    /* acquire: pairs with the release there: the entry was written before */
    if (VF_UNLIKELY(!vf_handle_is_within(bits, vf_load_acquire(&vf_handle_table_of(entries)->end))))
        return false;
    *of = entries[(uint32_t)bits / objects];
    return true;
}

/*
 * The object of the slot, if it still has this generation; or NULL. The generation is looked at
 * twice: the memory of a batch goes, and comes again elsewhere, only while no slot of it is live.
 */
static inline char *vf_generation_object(const vf_generations *of, size_t slot, uint32_t expected,
                                         size_t stride)
{
    const uint32_t *generation = &vf_generations_of(of)[slot];
    /* acquire: pairs with the release in vf_generation_publish: the object was filled, and its
       batch has had its memory, before */
    if (vf_load_acquire(generation) != expected)
        return NULL;
    /* acquire: pairs with the releases in src/pool/generation.c: where this is of another memory,
       or of none, the object's end came before, and is seen below */
    char *base = vf_load_acquire(&of->base);
    if (vf_load_relaxed(generation) != expected)
        return NULL;
    return base + slot * stride;
}

/* The handle of an object, which is published from here on. */
static inline uint64_t vf_generation_publish(const vf_generations *of, size_t slot)
{
    uint32_t *generation = &vf_generations_of(of)[slot];
    /* relaxed: the caller has the object, so that only this thread, or one that publishes it too,
       makes it odd */
    uint32_t now = vf_load_relaxed(generation);
    if (now % 2 == 0)
        vf_store_release(generation, ++now); /* pairs with the acquire in vf_handle_object */
    return vf_handle_bits(now, of->first + (uint32_t)slot);
}

/*
 * An object that the caller is about to free ends: no handle of it leads to it from here on. False:
 * that takes more than this. (relaxed: P_get is ordered by what the caller has done before its free
 * to tell that the object is gone. The thread that gets the slot next does so after its free.)
 */
static inline bool vf_generation_end(const vf_generations *of, size_t slot)
{
    uint32_t *generation = &vf_generations_of(of)[slot];
    uint32_t now = vf_load_relaxed(generation);
    if (VF_UNLIKELY(now % 2 == 0))
        return now == VF_GENERATION_FIRST;
    if (VF_UNLIKELY(++now == 0))
        return false;
    vf_store_relaxed(generation, now);
    return true;
}

/* The slot in these generations, where the object is one of theirs; false: it is not. */
static inline bool vf_generations_have(const vf_generations *of, const void *object, size_t objects,
                                       size_t stride, size_t *slot)
{
    /* relaxed: that of a batch which has an object of the caller's does not change */
    size_t offset = (uintptr_t)object - (uintptr_t)vf_load_relaxed(&of->base);
    *slot = offset / stride;
    return VF_LIKELY(*slot < objects);
}

static inline void *vf_pool_core_get(const vf_pool_core *pool, uint64_t bits, uint32_t objects,
                                     size_t stride)
{
    const vf_generations *of;
    if (VF_UNLIKELY(!vf_handle_look_up(&pool->directory, bits, objects, &of)))
        return NULL;
    return vf_generation_object(of, (uint32_t)bits % objects, (uint32_t)(bits >> 32), stride);
}

static inline uint64_t vf_pool_core_publish(vf_pool_core *pool, const void *object, size_t objects,
                                            size_t stride)
{
    const vf_cache *cache = vf_pool_core_find(pool);
    size_t slot;
    if (vf_generations_have(cache->published, object, objects, stride, &slot))
        return vf_generation_publish(cache->published, slot);
    return vf_pool_core_publish_slow(pool, object);
}

/* An object that the caller is about to free ends, see vf_generation_end. False: it has had the
   last generation of its slot, and goes by vf_pool_core_free_last. */
static inline bool vf_pool_core_unpublish(vf_pool_core *pool, const void *object, size_t objects,
                                          size_t stride)
{
    const vf_cache *cache = vf_pool_core_find(pool);
    size_t slot;
    if (vf_generations_have(cache->freed, object, objects, stride, &slot) &&
        VF_LIKELY(vf_generation_end(cache->freed, slot)))
        return true;
    return vf_pool_core_unpublish_slow(pool, object);
}

/* Both at once, where there is no VF_DROP. */
static inline void vf_pool_core_unpublish_and_free(vf_pool_core *pool, void *object, size_t objects,
                                                   size_t stride)
{
    vf_cache *cache = vf_pool_core_find(pool);
    size_t slot;
    if (!vf_generations_have(cache->freed, object, objects, stride, &slot) ||
        VF_UNLIKELY(!vf_generation_end(cache->freed, slot)) ||
        VF_UNLIKELY(!vf_cache_push(cache, object)))
        vf_pool_core_free_published(pool, object); /* what has ended may end again */
}

static inline bool vf_pool_core_cache_unpublish(vf_cache *cache, const void *object, size_t objects,
                                                size_t stride)
{
    size_t slot;
    if (vf_generations_have(cache->freed, object, objects, stride, &slot) &&
        VF_LIKELY(vf_generation_end(cache->freed, slot)))
        return true;
    return vf_pool_core_cache_unpublish_slow(cache, object);
}

/* The next slot of the word, if an object is published there. */
static inline void *vf_pool_core_walk_published(vf_walk *walk)
{
    const vf_generations *of = walk->position.of;
    size_t slot = walk->position.slot + vf_lowest_bit(walk->now.live);
    walk->now.live &= walk->now.live - 1;
    /* relaxed: which one is expected, if any */
    uint32_t now = vf_load_relaxed(&vf_generations_of(of)[slot]);
    walk->given = vf_handle_bits(now, of->first + (uint32_t)slot);
    return now % 2 != 0 ? vf_generation_object(of, slot, now, walk->stride) : NULL;
}

static inline void *vf_pool_core_walk_next_published(vf_walk *walk)
{
    void *object = NULL;
    while (object == NULL) {
        if (walk->now.live == 0) {
            vf_walk_position position = walk->position;
            walk->now = vf_pool_core_walk_more_published(&position);
            walk->position = position;
            if (walk->now.live == 0)
                break;
        }
        object = vf_pool_core_walk_published(walk);
    }
    return object;
}

VF_NAMES_END

#endif
