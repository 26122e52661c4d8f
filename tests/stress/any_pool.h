/* SPDX-License-Identifier: MIT */
/*
 * any_pool.h - pools of several types behind one table of functions, for tests that do the same
 * with each of them.
 */
#ifndef TESTS_STRESS_ANY_POOL_H
#define TESTS_STRESS_ANY_POOL_H

#include <veryfast/veryfast.h>

typedef struct any_pool_type {
    const char *name;
    size_t size, batch;
    void *(*create)(const vf_pool_options *options);
    void (*release)(void *pool);
    void *(*alloc)(void *pool);
    void (*free)(void *pool, void *object);
    void (*take)(void *pool, void *object); /* P_take; the value goes nowhere */
    size_t (*alloc_n)(void *pool, void **objects, size_t n);
    void (*free_n)(void *pool, void **objects, size_t n);
    bool (*reserve)(void *pool, size_t n);
    vf_pool_stats (*stats)(const void *pool);
    void *(*push)(void *pool, const void *value);
    bool (*owns)(const void *pool, const void *object);
    size_t (*trim)(void *pool);
    void *(*cache_new)(void *pool);
    void *(*cache_alloc)(void *cache);
    void (*cache_free)(void *cache, void *object);
    void (*cache_release)(void *cache);
} any_pool_type;

/* Defines any_P for an instance P of element type T with N objects in a batch. */
#define ANY_POOL(P, T, N)                                                                          \
    static void *any_##P##_create(const vf_pool_options *options)                                  \
    {                                                                                              \
        return P##_new(options);                                                                   \
    }                                                                                              \
    static void any_##P##_release(void *pool)                                                      \
    {                                                                                              \
        P##_release(pool);                                                                         \
    }                                                                                              \
    static void *any_##P##_alloc(void *pool)                                                       \
    {                                                                                              \
        return P##_alloc(pool);                                                                    \
    }                                                                                              \
    static void any_##P##_free(void *pool, void *object)                                           \
    {                                                                                              \
        P##_free(pool, object);                                                                    \
    }                                                                                              \
    static void any_##P##_take(void *pool, void *object)                                           \
    {                                                                                              \
        (void)P##_take(pool, object);                                                              \
    }                                                                                              \
    static size_t any_##P##_alloc_n(void *pool, void **objects, size_t n)                          \
    {                                                                                              \
        return P##_alloc_n(pool, (T **)(void *)objects, n);                                        \
    }                                                                                              \
    static void any_##P##_free_n(void *pool, void **objects, size_t n)                             \
    {                                                                                              \
        P##_free_n(pool, (T **)(void *)objects, n);                                                \
    }                                                                                              \
    static bool any_##P##_reserve(void *pool, size_t n)                                            \
    {                                                                                              \
        return P##_reserve(pool, n);                                                               \
    }                                                                                              \
    static vf_pool_stats any_##P##_stats(const void *pool)                                         \
    {                                                                                              \
        return P##_stats(pool);                                                                    \
    }                                                                                              \
    static void *any_##P##_push(void *pool, const void *value)                                     \
    {                                                                                              \
        return P##_push(pool, *(const T *)value);                                                  \
    }                                                                                              \
    static bool any_##P##_owns(const void *pool, const void *object)                               \
    {                                                                                              \
        return P##_owns(pool, object);                                                             \
    }                                                                                              \
    static size_t any_##P##_trim(void *pool)                                                       \
    {                                                                                              \
        return P##_trim(pool);                                                                     \
    }                                                                                              \
    static void *any_##P##_cache_new(void *pool)                                                   \
    {                                                                                              \
        return P##_cache_new(pool);                                                                \
    }                                                                                              \
    static void *any_##P##_cache_alloc(void *cache)                                                \
    {                                                                                              \
        return P##_cache_alloc(cache);                                                             \
    }                                                                                              \
    static void any_##P##_cache_free(void *cache, void *object)                                    \
    {                                                                                              \
        P##_cache_free(cache, object);                                                             \
    }                                                                                              \
    static void any_##P##_cache_release(void *cache)                                               \
    {                                                                                              \
        P##_cache_release(cache);                                                                  \
    }                                                                                              \
    static const any_pool_type any_##P = {#P,                                                      \
                                          sizeof(T),                                               \
                                          N,                                                       \
                                          any_##P##_create,                                        \
                                          any_##P##_release,                                       \
                                          any_##P##_alloc,                                         \
                                          any_##P##_free,                                          \
                                          any_##P##_take,                                          \
                                          any_##P##_alloc_n,                                       \
                                          any_##P##_free_n,                                        \
                                          any_##P##_reserve,                                       \
                                          any_##P##_stats,                                         \
                                          any_##P##_push,                                          \
                                          any_##P##_owns,                                          \
                                          any_##P##_trim,                                          \
                                          any_##P##_cache_new,                                     \
                                          any_##P##_cache_alloc,                                   \
                                          any_##P##_cache_free,                                    \
                                          any_##P##_cache_release}

#endif
