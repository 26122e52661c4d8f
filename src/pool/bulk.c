/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - P_alloc_n and P_free_n.
 */
#include <string.h>

#include "../platform/compiler.h"
#include "attach.h"
#include "seize.h"

/* Takes up to n slots that are in the thread's cache; how many. */
static size_t take_cached(vf_pool *pool, vf_any_pointer *out, size_t n)
{
    vf_pool_cache *cache = vf_attach_found(pool);
    if (cache == NULL || !vf_seize_begin_call(pool, cache))
        return 0;
    void **top = vf_load_relaxed(&cache->fast.top);
    n = vf_min(n, vf_cache_count(cache));
    memcpy(out, top - n, n * sizeof *out);
    vf_store_relaxed(&cache->fast.top, top - n); /* as in vf_cache_pop */
    vf_seize_end_call(cache);
    return n;
}

size_t vf_pool_core_alloc_n(vf_pool_core *core, void *objects, size_t n)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_any_pointer *out = objects;
    size_t done = 0;
    while (done < n) {
        size_t part = take_cached(pool, out + done, n - done);
        if (part == 0) {
            out[done] = vf_pool_core_alloc_slow(core);
            if (out[done] == NULL)
                break;
            part = 1;
        }
        done += part;
    }
    return done;
}

/* Copies the objects that are not NULL; how many. */
static size_t copy_objects(void **to, const vf_any_pointer *in, size_t n)
{
    size_t absent = 0, copied = 0;
    for (size_t i = 0; i < n; i++)
        absent += in[i] == NULL;
    if (absent == 0) {
        memcpy(to, in, n * sizeof *in);
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        to[copied] = in[i];
        copied += in[i] != NULL; /* no branch */
    }
    return copied;
}

/* Puts objects into the thread's cache, until it is full; how many, those that are NULL included.
 */
static size_t put_cached(vf_pool *pool, const vf_any_pointer *in, size_t n)
{
    vf_pool_cache *cache = vf_attach_found(pool);
    if (cache == NULL || !vf_seize_begin_call(pool, cache))
        return 0;
    void **top = vf_load_relaxed(&cache->fast.top);
    n = vf_min(n, (size_t)(cache->fast.full - top));
    top += copy_objects(top, in, n);
    vf_store_release(&cache->fast.top, top); /* as in vf_cache_push */
    vf_seize_end_call(cache);
    return n;
}

/* The last object goes by itself: with none left in hand the pool may be gone, and must not even be
   looked at. */
void vf_pool_core_free_n(vf_pool_core *core, const void *objects, size_t n)
{
    const vf_any_pointer *in = objects;
    while (n > 0 && in[n - 1] == NULL)
        n--;
    if (n == 0)
        return;
    for (size_t done = 0; done < n - 1;) {
        size_t part = put_cached(vf_pool_whole(core), in + done, n - 1 - done);
        if (part == 0) {
            if (in[done] != NULL)
                vf_pool_core_free_slow(core, in[done]);
            part = 1;
        }
        done += part;
    }
    vf_pool_core_free(core, in[n - 1]);
}
