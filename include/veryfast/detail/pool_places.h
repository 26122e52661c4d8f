/*
 * pool_places.h - the checked side of pool_core.h: the names of calls that the pool template uses
 * become those of pool_checked.h, with the place, which is the return address of the instance's
 * function. That is never inlined, therefore.
 */
#ifndef VF_DETAIL_POOL_PLACES_H
#define VF_DETAIL_POOL_PLACES_H

#include <veryfast/detail/pool_checked.h>

#ifdef VF_CHECKED
#    define vf_place __builtin_return_address(0)

#    ifdef VF_BYPASS
#        define vf_pool_core_new(type, options, size) vf_bypass_new(type, options, size, vf_place)
#    else
#        define vf_pool_core_new(type, options, size) vf_checked_new(type, options, size, vf_place)
#    endif
#    define vf_pool_core_release(pool)              vf_checked_release(pool, vf_place)
#    define vf_pool_core_destroy(pool, drop)        vf_checked_destroy(pool, drop, vf_place)
#    define vf_pool_core_alloc(pool)                vf_checked_alloc(pool, vf_place)
#    define vf_pool_core_alloc_n(pool, objects, n)  vf_checked_alloc_n(pool, objects, n, vf_place)
#    define vf_pool_core_look(pool, object)         vf_checked_look(pool, object, vf_place)
#    define vf_pool_core_may_drop(pool, object)     vf_checked_may_drop(pool, object, vf_place)
#    define vf_pool_core_free(pool, object)         vf_checked_free(pool, object, vf_place)
#    define vf_pool_core_free_n(pool, objects, n)   vf_checked_free_n(pool, objects, n, vf_place)
#    define vf_pool_core_reserve(pool, n)           vf_checked_reserve(pool, n, vf_place)
#    define vf_pool_core_stats(pool, stats, size)   vf_checked_stats(pool, stats, size, vf_place)
#    define vf_pool_core_owns(pool, object)         vf_checked_owns(pool, object, vf_place)
#    define vf_pool_core_each(pool, visit, context) vf_checked_each(pool, visit, context, vf_place)
#    define vf_pool_core_trim(pool)                 vf_checked_trim(pool, vf_place)
#    define vf_pool_core_cache_new(pool)            vf_checked_cache_new(pool, vf_place)
#    define vf_pool_core_cache_alloc(cache)         vf_checked_cache_alloc(cache, vf_place)
#    define vf_pool_core_cache_may_drop(cache, what)                                               \
        vf_checked_cache_may_drop(cache, what, vf_place)
#    define vf_pool_core_cache_free(cache, object) vf_checked_cache_free(cache, object, vf_place)
#    define vf_pool_core_cache_release(cache)      vf_checked_cache_release(cache, vf_place)
#    define vf_pool_core_free_deferred(pool, object, drop)                                         \
        vf_checked_free_deferred(pool, object, drop, vf_place)
#    define vf_pool_core_epoch_barrier(pool) vf_checked_epoch_barrier(pool, vf_place)

#endif

#endif
