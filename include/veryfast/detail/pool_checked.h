/* SPDX-License-Identifier: MIT */
/*
 * pool_checked.h - the checked side of pool_core.h: the same calls, but each looks at what it is
 * given, and is told its place: the address behind the program's call.
 */
#ifndef VF_DETAIL_POOL_CHECKED_H
#define VF_DETAIL_POOL_CHECKED_H

#include <veryfast/detail/pool_core.h>

VF_EXTERN_C_BEGIN

VF_API vf_pool_core *vf_checked_new(const vf_pool_type *type, const vf_pool_options *options,
                                    size_t options_size, const void *caller);
VF_API vf_pool_core *vf_bypass_new(const vf_pool_type *type, const vf_pool_options *options,
                                   size_t options_size, const void *caller);
VF_API vf_pool_core *vf_checked_shared(const vf_pool_type *type, const void *caller);
VF_API vf_pool_core *vf_bypass_shared(const vf_pool_type *type, const void *caller);
VF_API void vf_checked_release(vf_pool_core *pool, const void *caller);
VF_API void vf_checked_destroy(vf_pool_core *pool, void (*drop)(void *object), const void *caller);
VF_API void *vf_checked_alloc(vf_pool_core *pool, const void *caller);
VF_API size_t vf_checked_alloc_n(vf_pool_core *pool, void *objects, size_t n, const void *caller);
VF_API void vf_checked_look(vf_pool_core *pool, const void *object, const void *caller);
VF_API bool vf_checked_may_drop(vf_pool_core *pool, const void *object, const void *caller);
VF_API void vf_checked_free(vf_pool_core *pool, void *object, const void *caller);
VF_API void vf_checked_free_any(void *object, const void *caller);
VF_API void vf_checked_free_n(vf_pool_core *pool, const void *objects, size_t n,
                              const void *caller);
VF_API bool vf_checked_reserve(vf_pool_core *pool, size_t n, const void *caller);
VF_API void vf_checked_stats(const vf_pool_core *pool, vf_pool_stats *stats, size_t stats_size,
                             const void *caller);
VF_API bool vf_checked_owns(const vf_pool_core *pool, const void *object, const void *caller);
VF_API bool vf_checked_each_begin(vf_pool_core *pool, vf_walk *walk, const void *caller);
VF_API void *vf_checked_each_next(vf_walk *walk, const void *caller);
VF_API void vf_checked_each_end(const vf_walk *walk, const void *caller);
VF_API void vf_checked_walk_begin(const vf_pool_core *pool, vf_walk *walk, size_t part,
                                  size_t parts, const void *caller);
VF_API void *vf_checked_walk_next(vf_walk *walk, const void *caller);
VF_API void vf_checked_walk_end(vf_walk *walk, const void *caller);
VF_API void *vf_checked_walk_next_published(vf_walk *walk, const void *caller);
VF_API uint64_t vf_checked_publish(vf_pool_core *pool, const void *object, size_t objects,
                                   size_t stride, const void *caller);
VF_API void *vf_checked_get(const vf_pool_core *pool, uint64_t bits, size_t objects, size_t stride,
                            const void *caller);
VF_API bool vf_checked_unpublish(vf_pool_core *pool, const void *object, size_t objects,
                                 size_t stride, const void *caller);
VF_API bool vf_checked_cache_unpublish(vf_cache *cache, const void *object, size_t objects,
                                       size_t stride, const void *caller);
VF_API void *vf_checked_claim_handle(vf_pool_core *pool, uint64_t bits, bool *goes_on,
                                     const void *caller);
VF_API void vf_checked_free_last(vf_pool_core *pool, void *object, const void *caller);
VF_API void vf_checked_cache_free_last(vf_cache *cache, void *object, const void *caller);
VF_API void vf_checked_free_n_last(vf_pool_core *pool, const void *objects, size_t n,
                                   const void *caller);
VF_API size_t vf_checked_trim(vf_pool_core *pool, const void *caller);
VF_API vf_cache *vf_checked_cache_new(vf_pool_core *pool, const void *caller);
VF_API void *vf_checked_cache_alloc(vf_cache *cache, const void *caller);
VF_API bool vf_checked_cache_may_drop(vf_cache *cache, const void *object, const void *caller);
VF_API void vf_checked_cache_free(vf_cache *cache, void *object, const void *caller);
VF_API void vf_checked_cache_release(vf_cache *cache, const void *caller);
#ifdef VF_HAS_EPOCH
VF_API bool vf_checked_free_deferred(vf_pool_core *pool, void *object, void (*drop)(void *object),
                                     const void *caller);
VF_API bool vf_checked_free_handle_deferred(vf_pool_core *pool, uint64_t bits,
                                            void (*drop)(void *object), const void *caller);
VF_API void vf_checked_epoch_barrier(vf_pool_core *pool, const void *caller);
#endif

VF_EXTERN_C_END

/* A program's place is where the instance's function returns to, so that is never inlined. */
#ifdef VF_CHECKED
#    define vf_pool_call(name, ...) vf_checked_##name(__VA_ARGS__, VF_RETURN_ADDRESS)
#endif
#ifdef VF_BYPASS
#    define vf_checked_new    vf_bypass_new /* all that P_new does otherwise */
#    define vf_checked_shared vf_bypass_shared
#endif

#endif
