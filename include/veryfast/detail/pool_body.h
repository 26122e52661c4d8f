/* SPDX-License-Identifier: MIT */
/*
 * pool_body.h - the bodies of what pool.h declares, in the same order; the descriptions are there.
 * Included by it once for each instance.
 */
#ifndef vf_kind
#    error "pool_body.h is internal: include <veryfast/pool.h>"
#endif

#ifndef VF_ALIGN
#    define VF_ALIGN 1
#endif
#ifdef VF_CACHE_ALIGNED
#    define vf_line VF_CACHE_LINE
#else
#    define vf_line 1
#endif

#ifndef VF_ON_ALLOC
#    define VF_ON_ALLOC(p) ((void)(p))
#endif
#ifdef VF_ON_FREE
#    define vf_drops 1
#else
#    define VF_ON_FREE(p) ((void)(p))
#    ifndef vf_no_drop
#        define vf_drops 1
#    endif
#endif

/*
 * The program's statements stand here and nowhere else, so that these are the only names of the
 * template that they can meet. The core drops objects without a type.
 */
static inline VF_UNUSED void vf_self_given(vf_t *vf_object)
{
    VF_ON_ALLOC(vf_object);
}
static inline VF_UNUSED void vf_self_gone(vf_t *vf_object)
{
    VF_ON_FREE(vf_object);
}
static inline VF_UNUSED void vf_self_drop(void *vf_untyped)
{
    vf_t *vf_object = (vf_t *)vf_untyped;
    VF_DROP(vf_object);
    vf_self_gone(vf_object);
}

static const vf_pool_type vf_self_type VF_UNUSED = {
    &vf_interface_1,
    VF_STRING(VF_NAME),
    sizeof(vf_t),
    VF_GREATER(VF_GREATER(VF_ALIGN, vf_line), VF_ALIGNOF(vf_t)),
    vf_n,
#ifdef vf_drops
    vf_self_drop,
#else
    NULL,
#endif
#ifdef VF_HANDLE
    true,
#else
    false,
#endif
};

/* Bytes from one object to the next, but in a checked build. */
static const size_t vf_self_stride VF_UNUSED =
    VF_ROUND_UP(sizeof(vf_t), VF_GREATER(VF_GREATER(VF_ALIGN, vf_line), VF_ALIGNOF(vf_t)));

/* No handle leads any more to an object that is about to be freed; before VF_DROP. False: it goes
   back in another way than most. */
VF_ALWAYS_INLINE bool vf_self_end(vf_self *pool, const vf_t *object)
{
#ifdef VF_HANDLE
    return vf_pool_call(unpublish, (vf_pool_core *)pool, object, vf_n, vf_self_stride);
#else
    (void)pool;
    (void)object;
    return true;
#endif
}

VF_ALWAYS_INLINE void vf_self_put_back(vf_self *pool, vf_t *object, bool goes_on)
{
#ifdef VF_HANDLE
    if (VF_UNLIKELY(!goes_on)) {
        vf_pool_call(free_last, (vf_pool_core *)pool, object);
        return;
    }
#endif
    (void)goes_on;
    vf_pool_call(free, (vf_pool_core *)pool, object);
}

vf_fn vf_self *vf_self_new(const vf_pool_options *options)
{
    return (vf_self *)vf_pool_call(new, &vf_self_type, options, sizeof(vf_pool_options));
}

#ifdef VF_SHARED
vf_fn vf_self *vf_self_shared(void)
{
    static vf_pool_core *found; /* atomic */
    /* acquire: pairs with the release below: another thread has made the pool */
    vf_pool_core *pool = vf_load_acquire(&found);
    if (VF_UNLIKELY(pool == NULL)) {
        pool = vf_pool_call(shared, &vf_self_type);
        vf_store_release(&found, pool);
    }
    return (vf_self *)pool;
}
#endif

vf_fn bool vf_self_reserve(vf_self *pool, size_t n)
{
    return vf_pool_call(reserve, (vf_pool_core *)pool, n);
}

vf_fn vf_t *vf_self_alloc(vf_self *pool)
{
    vf_t *object = (vf_t *)vf_pool_call(alloc, (vf_pool_core *)pool);
    if (VF_LIKELY(object != NULL))
        vf_self_given(object);
    return object;
}

#ifdef __cplusplus
/* The slot's object was not made. */
static inline VF_UNUSED void vf_put_back(vf_self *pool, vf_t *slot)
{
    vf_self_gone(slot);
    vf_pool_call(free, (vf_pool_core *)pool, slot);
}
#endif

/* Moves the value into what an alloc has given, if it has. */
vf_generic_body static inline VF_UNUSED vf_t *vf_self_fill(vf_self *pool, void *slot,
                                                           vf_value *value)
{
    vf_t *object = (vf_t *)slot;
    if (VF_UNLIKELY(object == NULL))
        return NULL;
    vf_self_given(object);
#ifdef __cplusplus
    vf_unmade<vf_self, vf_t> unmade(pool, object);
    ::new (slot) vf_value(static_cast<vf_value &&>(*value));
    unmade.made();
#else
    (void)pool;
    *object = *value;
#endif
    return object;
}

vf_generic_body vf_fn vf_t *vf_self_push(vf_self *pool, vf_moved value)
{
    return vf_self_fill(pool, vf_pool_call(alloc, (vf_pool_core *)pool), vf_address(value));
}

#ifdef vf_copied
/* The same of a copy. */
vf_generic vf_fn vf_t *vf_self_push(vf_self *pool, vf_copied value)
{
    VF_STATIC_ASSERT(std::is_copy_constructible<vf_value>::value,
                     "VF_T cannot be copied: give P_push what may be moved (std::move)");
    vf_value copy(value);
    return vf_self_fill(pool, vf_pool_call(alloc, (vf_pool_core *)pool), vf_address(copy));
}
#endif

vf_fn size_t vf_self_alloc_n(vf_self *pool, vf_t *objects[], size_t n)
{
    size_t given = vf_pool_call(alloc_n, (vf_pool_core *)pool, objects, n);
    for (size_t i = 0; i < given; i++)
        vf_self_given(objects[i]);
    return given;
}

vf_fn void vf_self_free(vf_self *pool, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#ifdef vf_drops
    if (!vf_pool_call(may_drop, (vf_pool_core *)pool, object))
        return;
#endif
#if defined(VF_HANDLE) && !defined(vf_drops) && !defined(VF_CHECKED)
    vf_pool_core_unpublish_and_free((vf_pool_core *)pool, object, vf_n, vf_self_stride);
#else
    bool goes_on = vf_self_end(pool, object);
#    ifdef vf_drops
    vf_self_drop(object);
#    endif
    vf_self_put_back(pool, object, goes_on);
#endif
}

vf_generic_body vf_fn vf_value vf_self_take(vf_self *pool, vf_t *object)
{
    vf_pool_call(look, (vf_pool_core *)pool, object);
    bool goes_on = vf_self_end(pool, object);
#ifdef __cplusplus
    vf_value value(static_cast<vf_value &&>(*object));
    object->~vf_t();
#else
    vf_t value = *object;
#endif
    vf_self_gone(object);
    vf_self_put_back(pool, object, goes_on);
    return value;
}

vf_fn void vf_self_free_n(vf_self *pool, vf_t *const objects[], size_t n)
{
#ifdef VF_HANDLE
    bool all_go_on = true;
#endif
#if defined(vf_drops) || defined(VF_HANDLE)
    for (size_t i = 0; i < n; i++) {
        if (objects[i] == NULL)
            continue;
#    ifdef vf_drops
        if (!vf_pool_call(may_drop, (vf_pool_core *)pool, objects[i]))
            continue;
#    endif
#    ifdef VF_HANDLE
        all_go_on &= vf_self_end(pool, objects[i]);
#    endif
#    ifdef vf_drops
        vf_self_drop(objects[i]);
#    endif
    }
#endif
#ifdef VF_HANDLE
    if (VF_UNLIKELY(!all_go_on)) {
        vf_pool_call(free_n_last, (vf_pool_core *)pool, objects, n);
        return;
    }
#endif
    vf_pool_call(free_n, (vf_pool_core *)pool, objects, n);
}

vf_fn vf_self_cache *vf_self_cache_new(vf_self *pool)
{
    return (vf_self_cache *)vf_pool_call(cache_new, (vf_pool_core *)pool);
}

vf_fn vf_t *vf_self_cache_alloc(vf_self_cache *cache)
{
    vf_t *object = (vf_t *)vf_pool_call(cache_alloc, (vf_cache *)cache);
    if (VF_LIKELY(object != NULL))
        vf_self_given(object);
    return object;
}

vf_fn void vf_self_cache_free(vf_self_cache *cache, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return;
#ifdef vf_drops
    if (!vf_pool_call(cache_may_drop, (vf_cache *)cache, object))
        return;
#endif
#ifdef VF_HANDLE
    bool goes_on = vf_pool_call(cache_unpublish, (vf_cache *)cache, object, vf_n, vf_self_stride);
#endif
#ifdef vf_drops
    vf_self_drop(object);
#endif
#ifdef VF_HANDLE
    if (VF_UNLIKELY(!goes_on)) {
        vf_pool_call(cache_free_last, (vf_cache *)cache, object);
        return;
    }
#endif
    vf_pool_call(cache_free, (vf_cache *)cache, object);
}

vf_fn void vf_self_cache_release(vf_self_cache *cache)
{
    if (cache != NULL)
        vf_pool_call(cache_release, (vf_cache *)cache);
}

#ifdef VF_EPOCH
vf_fn bool vf_self_free_deferred(vf_self *pool, vf_t *object)
{
    if (VF_UNLIKELY(object == NULL))
        return true;
#    ifndef vf_drops
    return vf_pool_call(free_deferred, (vf_pool_core *)pool, object, NULL);
#    else
    return vf_pool_call(free_deferred, (vf_pool_core *)pool, object, vf_self_drop);
#    endif
}

vf_fn void vf_self_epoch_barrier(vf_self *pool)
{
    vf_pool_call(epoch_barrier, (vf_pool_core *)pool);
}
#endif

vf_fn vf_pool_stats vf_self_stats(const vf_self *pool)
{
    vf_pool_stats stats;
    vf_pool_call(stats, (const vf_pool_core *)pool, &stats, sizeof stats);
    return stats;
}

vf_fn bool vf_self_owns(const vf_self *pool, const void *object)
{
    return vf_pool_call(owns, (const vf_pool_core *)pool, object);
}

/* Here, so that a visitor that the compiler knows becomes a part of the loop. */
static inline VF_UNUSED void vf_self_visit(vf_walk walk, void (*visit)(vf_t *object, void *context),
                                           void *context)
{
    for (void *object; (object = vf_pool_call(each_next, &walk)) != NULL;)
        visit((vf_t *)object, context);
}

vf_fn bool vf_self_each(vf_self *pool, void (*visit)(vf_t *object, void *context), void *context)
{
    vf_walk walk;
    if (!vf_pool_call(each_begin, (vf_pool_core *)pool, &walk))
        return false;
#ifdef __cpp_exceptions
    try {
        vf_self_visit(walk, visit, context);
    } catch (...) {
        vf_pool_call(each_end, &walk);
        throw;
    }
#else
    vf_self_visit(walk, visit, context);
#endif
    vf_pool_call(each_end, &walk);
    return true;
}

vf_fn vf_self_walk vf_self_walk_part(vf_self *pool, size_t part, size_t parts)
{
    vf_self_walk walk;
    vf_pool_call(walk_begin, (vf_pool_core *)pool, &walk.core, part, parts);
    return walk;
}

vf_fn vf_self_walk vf_self_walk_begin(vf_self *pool)
{
    vf_self_walk walk;
    vf_pool_call(walk_begin, (vf_pool_core *)pool, &walk.core, 0, 1);
    return walk;
}

vf_fn vf_t *vf_self_walk_next(vf_self_walk *walk)
{
#ifdef VF_HANDLE
    return (vf_t *)vf_pool_call(walk_next_published, &walk->core);
#else
    return (vf_t *)vf_pool_call(walk_next, &walk->core);
#endif
}

vf_fn void vf_self_walk_end(vf_self_walk *walk)
{
    vf_pool_call(walk_end, &walk->core);
}

#ifdef VF_HANDLE
#    include <veryfast/detail/handle_body.h>
#endif

vf_fn size_t vf_self_trim(vf_self *pool)
{
    return vf_pool_call(trim, (vf_pool_core *)pool);
}

vf_fn void vf_self_release(vf_self *pool)
{
    if (pool != NULL)
        vf_pool_call(release, (vf_pool_core *)pool);
}

vf_fn void vf_self_destroy(vf_self *pool)
{
    if (pool != NULL) {
#ifndef vf_drops
        vf_pool_call(destroy, (vf_pool_core *)pool, NULL);
#else
        vf_pool_call(destroy, (vf_pool_core *)pool, vf_self_drop);
#endif
    }
}

#undef vf_drops
#undef vf_line
