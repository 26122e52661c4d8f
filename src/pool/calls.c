/* SPDX-License-Identifier: MIT */
/*
 * calls.c - the calls behind the template, but for those that have a file of their own: the life of
 * a pool and of caches that callers hold, and the slow paths.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../common/hook.h"
#include "../common/probe.h"
#include "../platform/tsan.h"
#include "attach.h"
#include "epoch.h"
#include "kind.h"
#include "map.h"
#include "release.h"
#include "threads.h"

const char vf_interface_1 = 1; /* in a checked build of another name, see config.h */

/* Most free objects that a thread keeps, where the options do not say. */
#define CACHE_BYTES 524288
#define CACHE_MIN   64
#define CACHE_MAX   8192

/* 0 for a capped pool: a cache that is always empty and always full. */
static uint32_t cache_limit(const vf_pool_options *options, size_t stride)
{
    if (options->max_objects != 0)
        return 0;
    size_t limit = options->cache_objects;
    if (limit == 0 || limit == VF_CACHE_NONE)
        limit = vf_min(vf_max(CACHE_BYTES / stride, CACHE_MIN), CACHE_MAX);
    return (uint32_t)vf_min(limit, VF_POOL_SLOTS_MAX);
}

/* Bytes from one object to the next; 0 where a batch would have more bytes than can be counted. */
static size_t stride_of(const vf_pool_type *type)
{
    if (type->object_size > SIZE_MAX / 4 || type->alignment > SIZE_MAX / 4)
        return 0;
    size_t alignment = vf_checks_alignment(type->alignment);
    size_t stride = vf_round_up(vf_checks_size(type->object_size), alignment);
    /* half of what can be counted: room for the bookkeeping behind the slots */
    return type->batch_objects <= SIZE_MAX / 2 / (stride + 1) ? stride : 0;
}

/* What the headers of a template have made sure of, and those of sized.h have not. */
static bool type_is_sized(const vf_pool_type *type)
{
    return type->object_size > 0 && type->batch_objects > 0 && type->alignment > 0 &&
           (type->alignment & (type->alignment - 1)) == 0;
}

static bool options_are_valid(const vf_pool_options *options, const vf_pool_type *type)
{
    return vf_hook_is_valid(&options->allocator) && options->max_objects <= VF_POOL_SLOTS_MAX &&
           type_is_sized(type) && type->batch_objects <= VF_POOL_SLOTS_MAX && stride_of(type) != 0;
}

/* ---- the memory of a pool ---- */

static size_t pool_size(const char *name)
{
    return sizeof(vf_pool) + strlen(name) + 1;
}

/* The pool's own memory, from the allocator that it then has in it; NULL: out of memory. */
static vf_pool *pool_memory(const vf_pool_options *options, const char *name)
{
    vf_memory memory;
    vf_memory_init(&memory, options);
    size_t size = pool_size(name);
    vf_pool *pool = vf_hook_alloc(&memory.allocator, size, _Alignof(vf_pool));
    if (pool == NULL)
        return NULL;
    memset(pool, 0, size);
    memcpy(pool->name, name, strlen(name) + 1);
    memory.bytes = size;
    pool->memory = memory;
    return pool;
}

/* All that the pool holds goes back, the pool last. */
static void free_memory(vf_pool *pool)
{
    vf_checks_forget(pool);
    vf_epoch_end(pool);
    vf_pool_cache *next_cache;
    for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = next_cache) {
        next_cache = cache->next;
        vf_cache_free(cache);
    }
    vf_batches_free(&pool->depot.batches);
    if (pool->handles != NULL)
        vf_generations_free(pool->handles);
    if (pool->capped != NULL)
        vf_capped_end(pool->capped);
    vf_mutex_destroy(&pool->growth);
    vf_allocator allocator = pool->memory.allocator;
    vf_hook_dealloc(&allocator, pool, pool_size(pool->name), _Alignof(vf_pool));
}

static void run_pool_end(vf_lock_task *task)
{
    free_memory((vf_pool *)(void *)((char *)task - offsetof(vf_pool, end)));
}

/* Which kind it is; false: out of memory. */
static bool choose_kind(vf_pool *pool, const vf_pool_options *options)
{
    pool->kind = &vf_kind_cached;
    if (options->max_objects == 0)
        return true;
    pool->kind = &vf_kind_capped;
    pool->capped = vf_capped_new(pool, &pool->memory, vf_pool_shape(pool), options->max_objects,
                                 &pool->growth, pool->name);
    if (pool->capped != NULL)
        vf_capped_set_handles(pool->capped, pool->handles);
    return pool->capped != NULL;
}

/* A pool that threads do not know yet; NULL: out of memory. */
static vf_pool *make(const vf_pool_type *type, const vf_pool_options *options)
{
    vf_pool *pool = pool_memory(options, options->name != NULL ? options->name : type->name);
    if (pool == NULL)
        return NULL;
    vf_shape shape =
        vf_batch_shape(type->batch_objects, stride_of(type), vf_checks_alignment(type->alignment));
    pool->core.drop = type->drop;
    pool->core.frees_more = type->drop != NULL || type->handles;
    if (type->handles) {
        pool->handles = &pool->with_handles;
        vf_generations_init(pool->handles, &pool->core.directory, type->batch_objects,
                            &pool->memory, &pool->growth);
    }
    pool->cache_limit = cache_limit(options, shape.stride);
    pool->uncached = options->cache_objects == VF_CACHE_NONE || options->max_objects != 0;
    pool->outstanding = VF_RELEASE_NOT_YET;
    pool->holders = 1;
    pool->end.run = run_pool_end;
    pool->depot.name = pool->name;
    vf_mutex_init(&pool->growth);
    vf_batches_init(&pool->depot.batches, pool, &shape, &pool->memory, &pool->growth);
    pool->depot.batches.handles = pool->handles;
    vf_epoch_init(pool, options);
    if (!choose_kind(pool, options)) {
        free_memory(pool);
        return NULL;
    }
    return pool;
}

/* ---- the life of a pool ---- */

vf_pool_core *vf_pool_core_new(const vf_pool_type *type, const vf_pool_options *options,
                               size_t options_size)
{
    /* a program built against a version with fewer or more options is heard on those known here */
    vf_pool_options known = {0};
    if (options != NULL)
        memcpy(&known, options, vf_min(options_size, sizeof known));
    if (!options_are_valid(&known, type)) {
        errno = EINVAL;
        return NULL;
    }
    int saved = errno;
    vf_pool *pool = make(type, &known);
    if (pool != NULL)
        vf_threads_add_pool(pool);
    errno = pool != NULL ? saved : ENOMEM;
    return pool != NULL ? &pool->core : NULL;
}

/*
 * What is deferred goes out without the lock. It waits for threads that are inside call_rcu, which
 * may wait for a lock of liburcu's, which a fork holds while it waits for this one. The handle
 * keeps the pool alive meanwhile.
 */
static void send_deferred(vf_pool *pool)
{
    if (!vf_load_relaxed(&pool->epoch.used)) /* relaxed: what must not be missed came before */
        return;
    vf_lock_release();
    vf_epoch_send_all(pool, true);
    vf_lock_acquire();
}

void vf_pool_core_release(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_lock_acquire();
    vf_attach_close(pool);
    send_deferred(pool);
    /* not the end: the handle is still a holder */
    (void)vf_release_return(pool, -pool->kind->close(pool));
    if (vf_release_put_holder(pool))
        vf_release_end(pool);
    vf_lock_release();
}

/* ---- slow paths ---- */

/* Out of memory, or at the cap: what threads have deferred is not to wait for more to join it. */
static void *refused(vf_pool *pool)
{
    vf_epoch_send_all(pool, false);
    VF_PROBE(pool_refusal, pool->name, vf_load_relaxed(&pool->memory.bytes));
    errno = ENOMEM;
    return NULL;
}

/* An alloc from a pool that is closed is misuse; but it is not to revive the pool. */
void *vf_pool_core_alloc_slow(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    void *slot = vf_load_relaxed(&pool->closed) ? NULL : pool->kind->alloc(pool);
    vf_tsan_acquire(&pool->memory);
    return slot != NULL ? slot : refused(pool);
}

void *vf_pool_core_cache_alloc_slow(vf_cache *fast)
{
    vf_pool_cache *cache = fast->whole;
    vf_pool *pool = cache->pool;
    void *slot = vf_load_relaxed(&pool->closed) ? NULL : pool->kind->cache_alloc(cache);
    vf_tsan_acquire(&pool->memory);
    return slot != NULL ? slot : refused(pool);
}

/* While P_destroy drops all, a free by VF_DROP is of an object that was claimed; or taken, and is
   claimed by this. */
void vf_pool_core_free_slow(vf_pool_core *core, void *object)
{
    vf_pool *pool = vf_pool_whole(core);
    if (core->destroying != NULL)
        (void)pool->kind->claim(pool, object);
    else
        pool->kind->free(pool, object);
    /* The thread's cache may have been another's. The pool may be gone, but its address is all that
       counts. */
    vf_tsan_acquire(&pool->memory);
}

void vf_pool_core_free_shared(void *object)
{
    vf_pool_core_free_untyped(vf_map_shared(object), object);
}

void vf_pool_core_cache_free_slow(vf_cache *fast, void *object)
{
    vf_pool_cache *cache = fast->whole;
    vf_pool *pool = cache->pool;
    if (pool->core.destroying != NULL)
        (void)pool->kind->claim(pool, object);
    else
        pool->kind->cache_free(cache, object);
}

bool vf_pool_core_reserve(vf_pool_core *core, size_t n)
{
    vf_pool *pool = vf_pool_whole(core);
    bool reserved = pool->kind->reserve(pool, n);
    if (!reserved)
        errno = ENOMEM;
    return reserved;
}

size_t vf_pool_core_trim(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    return pool->kind->trim(pool);
}

/* ---- caches that callers hold ---- */

vf_cache *vf_pool_core_cache_new(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    vf_lock_acquire();
    vf_pool_cache *cache = vf_attach_adopt(pool);
    if (cache != NULL) {
        cache->held = true;
        vf_fetch_add_relaxed(&pool->holders, 1); /* the caller's handle keeps it above 0 */
    }
    vf_lock_release();
    vf_tsan_acquire(&pool->memory);
    if (cache == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    return &cache->fast;
}

void vf_pool_core_cache_release(vf_cache *fast)
{
    vf_pool_cache *cache = fast->whole;
    vf_pool *pool = cache->pool;
    vf_lock_acquire();
    assert(cache->held);
    vf_attach_detach(cache);
    if (vf_release_put_holder(pool))
        vf_release_end(pool);
    vf_lock_release();
}
