/* SPDX-License-Identifier: MIT */
/* used.c - no warning if all of it is, with the types that the contract says. */
#include <string.h>

#include "instances.h"

#define USE(P, T)                                                                                  \
    static void use_##P(void)                                                                      \
    {                                                                                              \
        vf_pool_options options;                                                                   \
        memset(&options, 0, sizeof options);                                                       \
        options.max_objects = 10;                                                                  \
        P *pool = P##_new(&options);                                                               \
        T value;                                                                                   \
        memset(&value, 0, sizeof value);                                                           \
        T *one = P##_push(pool, value);                                                            \
        value = P##_take(pool, one);                                                               \
        one = P##_alloc(pool);                                                                     \
        *one = value;                                                                              \
        T *const lasting = one;                                                                    \
        P##_free(pool, lasting);                                                                   \
        T *objects[4];                                                                             \
        T *const *same = objects;                                                                  \
        size_t n = P##_alloc_n(pool, objects, 4);                                                  \
        P##_free_n(pool, objects, n / 2);                                                          \
        P##_free_n(pool, same + n / 2, n - n / 2);                                                 \
        bool reserved = P##_reserve(pool, 4);                                                      \
        P##_cache *cache = P##_cache_new(pool);                                                    \
        one = P##_cache_alloc(cache);                                                              \
        P##_cache_free(cache, one);                                                                \
        P##_cache_release(cache);                                                                  \
        const P *constant = pool;                                                                  \
        vf_pool_stats stats = P##_stats(constant);                                                 \
        vf_pool_stats_print(stdout, reserved ? #P : "", &stats);                                   \
        struct P *by_its_tag = pool;                                                               \
        P##_release(by_its_tag);                                                                   \
    }
INSTANCES(USE)

int main(void)
{
#define CALL(P, T) use_##P();
    INSTANCES(CALL)
    vf_thread_flush();
    return 0;
}
