/* SPDX-License-Identifier: MIT */
/*
 * pool_handle.h - handles and generations: the part that the template sees.
 *
 *     generation:                 | published, 1 bit | count, 31 bits |
 *     handle:         | number of the slot, 33 bits | count, 31 bits |
 *
 *     pool -> entries:  [ batch 0 | batch 1 | ... ]
 *                          |
 *                          v
 *             base | first | retired | generations: g g g ...    4 bytes for each slot
 *
 * The count goes up where a published object ends, and never down; its memory stays until the pool
 * ends, whatever becomes of the batch.
 */
#ifndef VF_DETAIL_POOL_HANDLE_H
#define VF_DETAIL_POOL_HANDLE_H

#include <veryfast/detail/pool_core.h>

/* The bit of a generation that says that its slot's object is published. */
#define VF_PUBLISHED ((uint32_t)1 << 31)

/* Of a slot that is retired; of one whose last count has ended, until it is retired; and of one
   that no handle was ever made for. */
#define VF_GENERATION_RETIRED 0U
#define VF_GENERATION_LAST    1U
#define VF_GENERATION_FIRST   2U

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
    size_t numbers; /* atomic: of slots, that an entry is there for */
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

static inline uint64_t vf_handle_bits(uint32_t generation, uint32_t number)
{
    return (uint64_t)number << 31 | (generation & ~VF_PUBLISHED);
}

/* Of one that was made up there may be no such slot. */
static inline uint64_t vf_handle_number(uint64_t bits)
{
    return bits >> 31;
}

/* Of the slot, while the handle's object is published. */
static inline uint32_t vf_handle_generation(uint64_t bits)
{
    return (uint32_t)bits | VF_PUBLISHED;
}

/* The generations that the handle's number leads to, and which of them is its slot's; false: the
   handle never was. */
static inline bool vf_handle_look_up(vf_generations **const *directory, uint64_t bits,
                                     size_t objects, const vf_generations **of, size_t *slot)
{
    /* consume: pairs with the release of a longer directory, in src/pool/generation.c */
    vf_generations **entries = vf_load_consume(directory);
    /* acquire: pairs with the release there: the entry was written before */
    size_t numbers = vf_load_acquire(&vf_handle_table_of(entries)->numbers);
    if (VF_UNLIKELY(vf_handle_number(bits) >= numbers))
        return false;
    size_t number = (size_t)vf_handle_number(bits);
    bool shifts = (objects & (objects - 1)) == 0; /* otherwise 32 bits are divided faster */
    size_t place = shifts ? number / objects : (uint32_t)number / (uint32_t)objects;
    *of = entries[place];
    *slot = number - place * objects;
    return true;
}

/*
 * The object of the slot, if it has this generation; or NULL. While the object is kept alive (see
 * P_get) the memory of its batch does not change; otherwise the address is of no use by now.
 */
static inline void *vf_generation_object(const vf_generations *of, size_t slot, uint32_t expected,
                                         size_t stride)
{
    /* acquire: pairs with the release in vf_generation_publish: the object was filled, and its
       batch has had its memory, before */
    if (vf_load_acquire(&vf_generations_of(of)[slot]) != expected)
        return NULL;
    /* relaxed: that of a batch where an object is kept alive does not change */
    return (void *)((uintptr_t)vf_load_relaxed(&of->base) + slot * stride);
}

/* The handle of an object, which is published from here on. */
static inline uint64_t vf_generation_publish(const vf_generations *of, size_t slot)
{
    uint32_t *generation = &vf_generations_of(of)[slot];
    /* relaxed: the caller has the object, so that only this thread, or one that publishes it too,
       changes it */
    uint32_t now = vf_load_relaxed(generation), published = now | VF_PUBLISHED;
    if (now != published)
        vf_store_release(generation,
                         published); /* pairs with the acquire in vf_generation_object */
    return vf_handle_bits(published, of->first + (uint32_t)slot);
}

/*
 * An object that the caller is about to free ends: no handle of it leads to it from here on. False:
 * that takes more than this. (relaxed: P_get is ordered by what the caller has done before its free
 * to tell that the object is gone. The thread that gets the slot next does so after its free.)
 *
 * By one addition the bit goes and the count goes up. The sum is a positive number where the bit
 * was set and the count was not the last.
 */
static inline bool vf_generation_end(const vf_generations *of, size_t slot)
{
    uint32_t *generation = &vf_generations_of(of)[slot];
    uint32_t ended = vf_load_relaxed(generation) + (VF_PUBLISHED + 1);
    if (VF_UNLIKELY((int32_t)ended <= 0))
        return ended == VF_GENERATION_FIRST + VF_PUBLISHED + 1;
    vf_store_relaxed(generation, ended);
    return true;
}

/* The number of the slot that begins so many bytes behind slot 0, in a batch of so many. As a
   division by a constant, but with a shorter factor than one for any dividend. */
static inline size_t vf_slot_number(size_t offset, size_t stride, size_t bytes)
{
    uint64_t one = (uint64_t)1 << 30;
    if (bytes >= one || (stride & (stride - 1)) == 0)
        return offset / stride;
    size_t shift = vf_lowest_bit(stride);
    uint64_t odd = stride >> shift, inverse = (one + odd - 1) / odd;
    return (size_t)(offset * inverse >> (30 + shift));
}

/* The slot in these generations, where the object is one of theirs; false: it is not. */
static inline bool vf_generations_have(const vf_generations *of, const void *object, size_t objects,
                                       size_t stride, size_t *slot)
{
    /* relaxed: that of a batch which has an object of the caller's does not change */
    size_t offset = (uintptr_t)object - (uintptr_t)vf_load_relaxed(&of->base);
    *slot = vf_slot_number(offset, stride, objects * stride);
    return VF_LIKELY(offset < objects * stride);
}

static inline void *vf_pool_core_get(const vf_pool_core *pool, uint64_t bits, size_t objects,
                                     size_t stride)
{
    const vf_generations *of;
    size_t slot;
    if (VF_UNLIKELY(!vf_handle_look_up(&pool->directory, bits, objects, &of, &slot)))
        return NULL;
    return vf_generation_object(of, slot, vf_handle_generation(bits), stride);
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
        VF_UNLIKELY(!vf_generation_end(cache->freed, slot)))
        vf_pool_core_free_published(pool, object);
    else if (VF_UNLIKELY(!vf_cache_push(cache, object)))
        vf_pool_core_free_slow(pool, object);
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
    size_t slot = walk->position.slot + vf_lowest_bit(walk->published);
    walk->published &= walk->published - 1;
    uint32_t now = vf_load_acquire(&vf_generations_of(of)[slot]); /* as in vf_generation_object */
    if (now < VF_PUBLISHED)
        return NULL; /* it has gone since it was found */
    walk->given = vf_handle_bits(now, of->first + (uint32_t)slot);
    /* relaxed: as there */
    return (void *)((uintptr_t)vf_load_relaxed(&of->base) + slot * walk->stride);
}

static inline void *vf_pool_core_walk_next_published(vf_walk *walk)
{
    void *object = NULL;
    while (object == NULL) {
        if (walk->published == 0) {
            vf_walk_position position = walk->position; /* as for vf_pool_core_walk_more */
            walk->published = vf_pool_core_walk_word(&position);
            walk->position = position;
        }
        if (walk->published == 0)
            break;
        object = vf_pool_core_walk_published(walk);
    }
    return object;
}

VF_NAMES_END

#endif
