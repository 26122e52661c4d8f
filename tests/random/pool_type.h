/* SPDX-License-Identifier: MIT */
/*
 * pool_type.h - a pool's functions in a table. Parameters: NAME, and what pool.h has, for elements
 * of struct thing.
 */
#define CALL(function) VF_CAT(NAME, function)
#define VF_T           struct thing
#define VF_NAME        NAME
#ifdef VF_EPOCH
#    define WITH_EPOCH
#endif
#ifdef VF_HANDLE
#    define WITH_HANDLE
#endif
#ifdef VF_DROP
#    define DROPS true
#else
#    define DROPS false
#endif
#ifdef VF_CACHE_ALIGNED
#    define ALIGNMENT VF_CACHE_LINE
#else
#    define ALIGNMENT _Alignof(struct thing)
#endif
static const size_t CALL(_batch_objects) = VF_N;
#include <veryfast/pool.h>

static void *CALL(_any_new)(const vf_pool_options *options)
{
    return CALL(_new)(options);
}
static void CALL(_any_release)(void *pool)
{
    CALL(_release)(pool);
}
static struct thing *CALL(_any_alloc)(void *pool)
{
    return CALL(_alloc)(pool);
}
static struct thing *CALL(_any_push)(void *pool, struct thing thing)
{
    return CALL(_push)(pool, thing);
}
static void CALL(_any_free)(void *pool, struct thing *thing)
{
    CALL(_free)(pool, thing);
}
static struct thing CALL(_any_take)(void *pool, struct thing *thing)
{
    return CALL(_take)(pool, thing);
}
static size_t CALL(_any_alloc_n)(void *pool, struct thing **things, size_t n)
{
    return CALL(_alloc_n)(pool, things, n);
}
static void CALL(_any_free_n)(void *pool, struct thing *const *things, size_t n)
{
    CALL(_free_n)(pool, things, n);
}
static bool CALL(_any_reserve)(void *pool, size_t n)
{
    return CALL(_reserve)(pool, n);
}
static vf_pool_stats CALL(_any_stats)(const void *pool)
{
    return CALL(_stats)(pool);
}
static bool CALL(_any_owns)(const void *pool, const void *object)
{
    return CALL(_owns)(pool, object);
}
static bool CALL(_any_each)(void *pool, void (*visit)(struct thing *, void *), void *context)
{
    return CALL(_each)(pool, visit, context);
}
/* As P_each, but by number, and in so many parts. */
static void CALL(_any_walk)(void *pool, size_t parts, void (*visit)(struct thing *, void *),
                            void *context)
{
    CALL(_walk) walks[4];
    for (size_t i = 0; i < parts; i++)
        walks[i] = parts == 1 ? CALL(_walk_begin)(pool) : CALL(_walk_part)(pool, i, parts);
    for (size_t i = 0; i < parts; i++) {
        for (struct thing *thing; (thing = CALL(_walk_next)(&walks[i])) != NULL;)
            visit(thing, context);
        CALL(_walk_end)(&walks[i]);
    }
}
static size_t CALL(_any_trim)(void *pool)
{
    return CALL(_trim)(pool);
}
static void CALL(_any_destroy)(void *pool)
{
    CALL(_destroy)(pool);
}
static void *CALL(_any_cache_new)(void *pool)
{
    return CALL(_cache_new)(pool);
}
static struct thing *CALL(_any_cache_alloc)(void *cache)
{
    return CALL(_cache_alloc)(cache);
}
static void CALL(_any_cache_free)(void *cache, struct thing *thing)
{
    CALL(_cache_free)(cache, thing);
}
static void CALL(_any_cache_release)(void *cache)
{
    CALL(_cache_release)(cache);
}
#ifdef WITH_EPOCH
static bool CALL(_any_free_deferred)(void *pool, struct thing *thing)
{
    return CALL(_free_deferred)(pool, thing);
}
static void CALL(_any_epoch_barrier)(void *pool)
{
    CALL(_epoch_barrier)(pool);
}
#endif

#ifdef WITH_HANDLE
static uint64_t CALL(_any_handle_of)(void *pool, const struct thing *thing)
{
    return CALL(_handle_of)(pool, thing).bits;
}
static struct thing *CALL(_any_get)(const void *pool, uint64_t bits)
{
    return CALL(_get)(pool, (CALL(_handle)){bits});
}
static bool CALL(_any_free_handle)(void *pool, uint64_t bits)
{
    return CALL(_free_handle)(pool, (CALL(_handle)){bits});
}
/* Those that are published, each with its handle; other calls may run. */
static void CALL(_any_walk_published)(void *pool, void (*visit)(void *, struct thing *, uint64_t))
{
    CALL(_walk) walk = CALL(_walk_begin)(pool);
    for (struct thing *thing; (thing = CALL(_walk_next)(&walk)) != NULL;)
        visit(pool, thing, CALL(_walk_handle)(&walk).bits);
}
#    ifdef WITH_EPOCH
static bool CALL(_any_free_handle_deferred)(void *pool, uint64_t bits)
{
    return CALL(_free_handle_deferred)(pool, (CALL(_handle)){bits});
}
#    endif
#endif

static const pool_type CALL(_type) = {
    DROPS,
    ALIGNMENT,
    CALL(_batch_objects),
    CALL(_any_new),
    CALL(_any_release),
    CALL(_any_alloc),
    CALL(_any_push),
    CALL(_any_free),
    CALL(_any_take),
    CALL(_any_alloc_n),
    CALL(_any_free_n),
    CALL(_any_reserve),
    CALL(_any_stats),
    CALL(_any_owns),
    CALL(_any_each),
    CALL(_any_walk),
    CALL(_any_trim),
    CALL(_any_destroy),
    CALL(_any_cache_new),
    CALL(_any_cache_alloc),
    CALL(_any_cache_free),
    CALL(_any_cache_release),
#ifdef WITH_EPOCH
    CALL(_any_free_deferred),
    CALL(_any_epoch_barrier),
#else
    NULL,
    NULL,
#endif
#ifdef WITH_HANDLE
    CALL(_any_handle_of),
    CALL(_any_get),
    CALL(_any_free_handle),
    CALL(_any_walk_published),
#else
    NULL,
    NULL,
    NULL,
    NULL,
#endif
#if defined(WITH_HANDLE) && defined(WITH_EPOCH)
    CALL(_any_free_handle_deferred),
#else
    NULL,
#endif
};

#undef CALL
#undef NAME
#undef DROPS
#undef ALIGNMENT
#undef WITH_EPOCH
#undef WITH_HANDLE
