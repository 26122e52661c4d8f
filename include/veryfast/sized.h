/* SPDX-License-Identifier: MIT */
/*
 * sized.h - object pools of a size that is known only when the program runs.
 *
 *     vf_sized_pool *nodes = vf_sized_pool_new(40, 8, 0, NULL);
 *     void *node = vf_sized_alloc(nodes);
 *     vf_sized_free(nodes, node);                    or vf_free(node)
 *     vf_sized_pool_release(nodes);
 *
 * For the allocator hook of an interpreter, the classes of sizes of a game's allocator, or what a
 * configuration says. All is as with a pool of pool.h, which has the contract and says how it
 * works: the core is the same, and alloc and free are the same instructions. Objects are memory
 * without a type, so there is no VF_DROP, and nothing is stored in what is handed out.
 *
 * Calls that have an object or a cache begin with vf_sized_, those about the pool as a whole with
 * vf_sized_pool_. In each description P_... is the call of pool.h that it is like.
 *
 * An example is examples/interpreter.c, with 16 sizes behind an alloc(size) and a free(p, size).
 */
#ifndef VF_SIZED_H
#define VF_SIZED_H

#include <veryfast/detail/pool_core.h>
#include <veryfast/detail/pool_free.h>
#include <veryfast/veryfast.h>

/* A pool. Made by vf_sized_pool_new, used through pointers only. */
typedef struct vf_sized_pool vf_sized_pool;

/* A cache held by the caller. Made by vf_sized_cache_new, used by one thread at a time. */
typedef struct vf_sized_cache vf_sized_cache;

/* A walk over a pool's live objects. Made by vf_sized_walk_begin and vf_sized_walk_part. */
typedef struct vf_sized_walk {
    vf_walk core;
} vf_sized_walk;

/* A program may call other things pool, size or n. */
VF_NAMES_BEGIN

/*
 * Makes a pool, as P_new does, of objects of so many bytes. The alignment is a power of two; the
 * size need be no multiple of it. batch_objects is what VF_N is; 0: as many as make 64 KiB. NULL
 * options: the defaults; the name is sized_<size>_<alignment>_<batch_objects>. NULL and ENOMEM;
 * NULL and EINVAL as P_new, and for a size of 0 or another alignment.
 *
 * Any thread. Costs one allocation; the first batch comes with the first alloc.
 */
VF_STATIC_CALL vf_sized_pool *vf_sized_pool_new(size_t size, size_t alignment, size_t batch_objects,
                                                const vf_pool_options *options)
{
    char name[80];
    size_t stride = (size + alignment - 1) & ~(alignment - 1);
    if (batch_objects == 0)
        batch_objects = stride > 0 && stride <= VF_BATCH_BYTES ? VF_BATCH_BYTES / stride : 1;
    snprintf(name, sizeof name, "sized_%zu_%zu_%zu", size, alignment, batch_objects);
    vf_pool_type type = {&vf_interface_1, name, size, alignment, batch_objects, NULL, false};
    return (vf_sized_pool *)vf_pool_call(new, &type, options, sizeof(vf_pool_options));
}

/* P_reserve. Any thread. */
VF_STATIC_CALL bool vf_sized_pool_reserve(vf_sized_pool *pool, size_t n)
{
    return vf_pool_call(reserve, (vf_pool_core *)pool, n);
}

/* P_alloc: an object, uninitialised; NULL and ENOMEM. Any thread. Costs a few instructions. */
VF_STATIC_CALL void *vf_sized_alloc(vf_sized_pool *pool)
{
    return vf_pool_call(alloc, (vf_pool_core *)pool);
}

/* P_alloc_n: fills objects[0 .. result - 1]; fewer than n: ENOMEM. Any thread. */
VF_STATIC_CALL size_t vf_sized_alloc_n(vf_sized_pool *pool, void *objects[], size_t n)
{
    return vf_pool_call(alloc_n, (vf_pool_core *)pool, objects, n);
}

/* P_free: gives an object of this pool back; NULL is ignored. Any thread, after
   vf_sized_pool_release too. Costs a few instructions. */
VF_STATIC_CALL void vf_sized_free(vf_sized_pool *pool, void *object)
{
    if (VF_LIKELY(object != NULL))
        vf_pool_call(free, (vf_pool_core *)pool, object);
}

/* P_free_n: those that are NULL are ignored. Any thread, after vf_sized_pool_release too. */
VF_STATIC_CALL void vf_sized_free_n(vf_sized_pool *pool, void *const objects[], size_t n)
{
    vf_pool_call(free_n, (vf_pool_core *)pool, objects, n);
}

/* P_cache_new: a cache that the caller holds; NULL and ENOMEM. Any thread. */
VF_STATIC_CALL vf_sized_cache *vf_sized_cache_new(vf_sized_pool *pool)
{
    return (vf_sized_cache *)vf_pool_call(cache_new, (vf_pool_core *)pool);
}

/* P_cache_alloc. One thread at a time. */
VF_STATIC_CALL void *vf_sized_cache_alloc(vf_sized_cache *cache)
{
    return vf_pool_call(cache_alloc, (vf_cache *)cache);
}

/* P_cache_free: NULL is ignored. One thread at a time, after vf_sized_pool_release too. */
VF_STATIC_CALL void vf_sized_cache_free(vf_sized_cache *cache, void *object)
{
    if (VF_LIKELY(object != NULL))
        vf_pool_call(cache_free, (vf_cache *)cache, object);
}

/* P_cache_release: NULL is ignored. One thread at a time, after vf_sized_pool_release too. */
VF_STATIC_CALL void vf_sized_cache_release(vf_sized_cache *cache)
{
    if (cache != NULL)
        vf_pool_call(cache_release, (vf_cache *)cache);
}

#ifdef VF_HAS_EPOCH
/* P_free_deferred, with a library that has epochs: false and EAGAIN, and the object is still the
   caller's. NULL is ignored. Any thread, after vf_sized_pool_release too. */
VF_STATIC_CALL bool vf_sized_free_deferred(vf_sized_pool *pool, void *object)
{
    return object == NULL || vf_pool_call(free_deferred, (vf_pool_core *)pool, object, NULL);
}

/* P_epoch_barrier. Any thread, outside of read sections. */
VF_STATIC_CALL void vf_sized_pool_epoch_barrier(vf_sized_pool *pool)
{
    vf_pool_call(epoch_barrier, (vf_pool_core *)pool);
}
#endif

/* P_stats. Any thread. */
VF_STATIC_CALL vf_pool_stats vf_sized_pool_stats(const vf_sized_pool *pool)
{
    vf_pool_stats stats;
    vf_pool_call(stats, (const vf_pool_core *)pool, &stats, sizeof stats);
    return stats;
}

/* P_owns: is this the address of a slot of this pool? The pointer may be any. Any thread. */
VF_STATIC_CALL bool vf_sized_pool_owns(const vf_sized_pool *pool, const void *object)
{
    return vf_pool_call(owns, (const vf_pool_core *)pool, object);
}

/* P_each: every live object, once, by ascending address; false and ENOMEM, and none was visited. No
   other thread may be inside a call on the pool. */
VF_STATIC_CALL bool vf_sized_pool_each(vf_sized_pool *pool,
                                       void (*visit)(void *object, void *context), void *context)
{
    vf_walk begun;
    if (!vf_pool_call(each_begin, (vf_pool_core *)pool, &begun))
        return false;
    vf_walk walk = begun;
    for (void *object; (object = vf_pool_call(each_next, &walk)) != NULL;)
        visit(object, context);
    vf_pool_call(each_end, &begun);
    return true;
}

/* P_walk_begin: a walk over all live objects, by number. As for P_each, but for other parts. */
VF_STATIC_CALL vf_sized_walk vf_sized_walk_begin(vf_sized_pool *pool)
{
    vf_sized_walk walk;
    vf_pool_call(walk_begin, (vf_pool_core *)pool, &walk.core, 0, 1);
    return walk;
}

/* P_walk_part: one of so many parts, 0 <= part < parts. */
VF_STATIC_CALL vf_sized_walk vf_sized_walk_part(vf_sized_pool *pool, size_t part, size_t parts)
{
    vf_sized_walk walk;
    vf_pool_call(walk_begin, (vf_pool_core *)pool, &walk.core, part, parts);
    return walk;
}

/* P_walk_next: the next live object, which may be freed; NULL: there is none. */
VF_STATIC_CALL void *vf_sized_walk_next(vf_sized_walk *walk)
{
    return vf_pool_call(walk_next, &walk->core);
}

/* P_walk_end: ends the walk, be it early. */
VF_STATIC_CALL void vf_sized_walk_end(vf_sized_walk *walk)
{
    vf_pool_call(walk_end, &walk->core);
}

/* P_trim: gives back what holds no live object; how many bytes. Any thread, at any time. */
VF_STATIC_CALL size_t vf_sized_pool_trim(vf_sized_pool *pool)
{
    return vf_pool_call(trim, (vf_pool_core *)pool);
}

/* P_release: gives up the handle; live objects stay valid, and the last one that is freed releases
   all memory. NULL is ignored. Any thread, beside frees. */
VF_STATIC_CALL void vf_sized_pool_release(vf_sized_pool *pool)
{
    if (pool != NULL)
        vf_pool_call(release, (vf_pool_core *)pool);
}

/* P_destroy: gives all memory back, that of live objects included. NULL is ignored. No other call
   at the same time, nor after it. */
VF_STATIC_CALL void vf_sized_pool_destroy(vf_sized_pool *pool)
{
    if (pool != NULL)
        vf_pool_call(destroy, (vf_pool_core *)pool, NULL);
}

VF_NAMES_END

#endif
