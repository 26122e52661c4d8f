/* SPDX-License-Identifier: MIT */
/*
 * pool_sized.h - the functions of <veryfast/sized.h> in the table of pool_type.h, but for
 * deferred frees, which wait for readers: test_epoch.c has those.
 */
#include <veryfast/sized.h>

enum { SIZED_OBJECTS = 9 };

static void *sized_any_new(const vf_pool_options *options)
{
    return vf_sized_pool_new(sizeof(struct thing), 32, SIZED_OBJECTS, options);
}
static void sized_any_release(void *pool)
{
    vf_sized_pool_release(pool);
}
static struct thing *sized_any_alloc(void *pool)
{
    return vf_sized_alloc(pool);
}
static struct thing *sized_any_push(void *pool, struct thing thing)
{
    struct thing *object = vf_sized_alloc(pool);
    if (object != NULL)
        *object = thing;
    return object;
}
static void sized_any_free(void *pool, struct thing *thing)
{
    vf_sized_free(pool, thing);
}
static struct thing sized_any_take(void *pool, struct thing *thing)
{
    struct thing value = *thing;
    vf_sized_free(pool, thing);
    return value;
}
static size_t sized_any_alloc_n(void *pool, struct thing **things, size_t n)
{
    return vf_sized_alloc_n(pool, (void **)things, n);
}
static void sized_any_free_n(void *pool, struct thing *const *things, size_t n)
{
    vf_sized_free_n(pool, (void *const *)things, n);
}
static bool sized_any_reserve(void *pool, size_t n)
{
    return vf_sized_pool_reserve(pool, n);
}
static vf_pool_stats sized_any_stats(const void *pool)
{
    return vf_sized_pool_stats(pool);
}
static bool sized_any_owns(const void *pool, const void *object)
{
    return vf_sized_pool_owns(pool, object);
}

struct sized_visitor {
    void (*visit)(struct thing *, void *);
    void *context;
};
static void sized_visit(void *object, void *context)
{
    const struct sized_visitor *visitor = context;
    visitor->visit(object, visitor->context);
}
static bool sized_any_each(void *pool, void (*visit)(struct thing *, void *), void *context)
{
    struct sized_visitor visitor = {visit, context};
    return vf_sized_pool_each(pool, sized_visit, &visitor);
}
static void sized_any_walk(void *pool, size_t parts, void (*visit)(struct thing *, void *),
                           void *context)
{
    vf_sized_walk walks[4];
    for (size_t i = 0; i < parts; i++)
        walks[i] = parts == 1 ? vf_sized_walk_begin(pool) : vf_sized_walk_part(pool, i, parts);
    for (size_t i = 0; i < parts; i++) {
        for (struct thing *thing; (thing = vf_sized_walk_next(&walks[i])) != NULL;)
            visit(thing, context);
        vf_sized_walk_end(&walks[i]);
    }
}
static size_t sized_any_trim(void *pool)
{
    return vf_sized_pool_trim(pool);
}
static void sized_any_destroy(void *pool)
{
    vf_sized_pool_destroy(pool);
}
static void *sized_any_cache_new(void *pool)
{
    return vf_sized_cache_new(pool);
}
static struct thing *sized_any_cache_alloc(void *cache)
{
    return vf_sized_cache_alloc(cache);
}
static void sized_any_cache_free(void *cache, struct thing *thing)
{
    vf_sized_cache_free(cache, thing);
}
static void sized_any_cache_release(void *cache)
{
    vf_sized_cache_release(cache);
}
static const pool_type sized_type = {
    false,
    32,
    SIZED_OBJECTS,
    sized_any_new,
    sized_any_release,
    sized_any_alloc,
    sized_any_push,
    sized_any_free,
    sized_any_take,
    sized_any_alloc_n,
    sized_any_free_n,
    sized_any_reserve,
    sized_any_stats,
    sized_any_owns,
    sized_any_each,
    sized_any_walk,
    sized_any_trim,
    sized_any_destroy,
    sized_any_cache_new,
    sized_any_cache_alloc,
    sized_any_cache_free,
    sized_any_cache_release,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
};
