/* SPDX-License-Identifier: MIT */
/*
 * pool.c - the pool's calls in a checked build: each looks at what it is given, and then
 * does what the core does.
 *
 * What is freed waits in the quarantine, where it is live for the core. So whatever must not take
 * it for live (P_each, P_trim, P_reserve, P_stats, P_release) gives it to the core first, or allows
 * for it; and an alloc that the core refuses looks there.
 */
#include <errno.h>
#include <string.h>

#include <veryfast/checked.h>
#include <veryfast/detail/pool_checked.h>

#include "../common/arith.h"
#include "../common/sanitize.h"
#include "../platform/compiler.h"
#include "../pool/epoch.h"
#include "../pool/shared.h"
#include "blocks.h"
#include "bypass.h"
#include "leaks.h"
#include "list.h"
#include "look.h"
#include "misuse.h"
#include "name.h"
#include "slot.h"

static size_t quarantine_bytes = (size_t)256 << 10; /* atomic */

void vf_checked_keep_contents(bool keep)
{
    vf_store_relaxed(&vf_slot_keep_contents, keep);
}

void vf_checked_quarantine(size_t bytes)
{
    vf_store_relaxed(&quarantine_bytes, bytes);
}

/* ---- quarantine ---- */

/* Gives a chain to the core. The pool may be gone with the last. */
static void free_chain(vf_pool *pool, vf_header *chain, const void *caller)
{
    while (chain != NULL) {
        vf_header *next = chain->next;
        vf_slot_verify_freed(pool, chain, caller);
        vf_pool_core_free(&pool->core, vf_slot_object(pool, chain));
        chain = next;
    }
}

/* Gives to the core all that is freed. */
static void empty_quarantine(vf_pool *pool, const void *caller)
{
    for (vf_header *header; (header = vf_list_oldest(pool)) != NULL;)
        free_chain(pool, header, caller);
}

/* ---- beginning and end ---- */

vf_pool_core *vf_checked_new(const vf_pool_type *type, const vf_pool_options *options,
                             size_t options_size, const void *caller)
{
    vf_pool_core *core = vf_pool_core_new(type, options, options_size);
    if (core == NULL)
        return NULL;
    vf_pool *pool = vf_pool_whole(core);
    vf_list_add(pool, type);
    vf_parameters parameters = {
        .size = type->object_size, .alignment = type->alignment, .number = type->batch_objects};
    vf_name_look(type->name, &parameters, pool->name, pool, caller);
    return core;
}

/* The pool of P_shared is every file's. */
static void stop_if_shared(const vf_pool *pool, const char *what, const void *caller)
{
    if (pool->shared)
        vf_misuse(pool->name, pool, caller, "%s of a pool that the whole program shares", what);
}

static vf_pool_core *make_checked(const vf_pool_type *type, const void *caller)
{
    return vf_checked_new(type, NULL, 0, caller);
}

vf_pool_core *vf_checked_shared(const vf_pool_type *type, const void *caller)
{
    return vf_shared_get(type, make_checked, caller);
}

void vf_checked_release(vf_pool_core *core, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_release", caller);
    stop_if_shared(pool, "P_release", caller);
    vf_list_close(pool, caller);
    empty_quarantine(pool, caller);
    vf_leaks_print(pool);
    vf_pool_core_release(core);
}

void vf_checked_destroy(vf_pool_core *core, void (*drop)(void *object), const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_destroy", caller);
    stop_if_shared(pool, "P_destroy", caller);
    empty_quarantine(pool, caller);
    vf_epoch_drain(pool);
    vf_leaks_print(pool);
    vf_list_close(pool, caller);
    if (pool->checked.blocks.bypass) {
        vf_bypass_destroy(pool, drop);
        drop = NULL;
    }
    vf_pool_core_destroy(core, drop);
}

/* ---- alloc ---- */

static void *core_alloc(vf_pool *pool, vf_cache *cache)
{
    return cache != NULL ? vf_pool_core_cache_alloc(cache) : vf_pool_core_alloc(&pool->core);
}

/*
 * With a cap, whatever is free must be found. If nothing was taken from the quarantine meanwhile,
 * it was empty when the core was, and the rest was in the hands of frees that are not over.
 */
static void *take_slot(vf_pool *pool, vf_cache *cache)
{
    size_t taken;
    do {
        taken = vf_list_taken(pool);
        void *object = core_alloc(pool, cache);
        if (object != NULL)
            return object;
        const vf_header *oldest = vf_list_oldest(pool);
        if (oldest != NULL)
            return vf_slot_object(pool, oldest);
    } while (taken != vf_list_taken(pool));
    return NULL;
}

/* By the cache that the caller holds, or NULL. */
static void *hand_out(vf_pool *pool, vf_cache *cache, const void *caller)
{
    if (pool->checked.blocks.bypass)
        return vf_bypass_alloc(pool, caller);
    int saved = errno;
    void *object = take_slot(pool, cache);
    if (object == NULL)
        return NULL;
    errno = saved; /* the core may have failed before the quarantine had one */
    vf_slot_hand_out(pool, object, caller);
    return object;
}

void *vf_checked_alloc(vf_pool_core *core, const void *caller)
{
    return hand_out(vf_list_pool(core, false, "alloc", caller), NULL, caller);
}

size_t vf_checked_alloc_n(vf_pool_core *core, void *objects, size_t n, const void *caller)
{
    vf_any_pointer *out = objects;
    size_t done = 0;
    while (done < n && (out[done] = vf_checked_alloc(core, caller)) != NULL)
        done++;
    vf_sanitize_written(out, done * sizeof *out);
    return done;
}

/* ---- free ---- */

void vf_checked_look(vf_pool_core *core, const void *object, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, true, "take", caller);
    if (pool->checked.blocks.bypass)
        vf_bypass_look(pool, object, caller);
    else
        (void)vf_look(pool, object, "double free of", caller);
}

/* Before VF_DROP. From here on another free of the object is a second one. */
bool vf_checked_may_drop(vf_pool_core *core, const void *object, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, true, "free", caller);
    if (pool->checked.blocks.bypass)
        return vf_bypass_may_drop(pool, object, caller);
    vf_header *header = vf_look(pool, object, "double free of", caller);
    if (core->destroying != NULL)
        return vf_pool_core_may_drop(core, object);
    uint32_t live = VF_LIVE;
    /* relaxed: of two frees at once one fails, and orders nothing */
    if (!vf_cas_strong_relaxed(&header->state, &live, VF_DROPPING))
        vf_slot_misuse(pool, object, caller, "double free of");
    return true;
}

/* Off the program's hands. False: P_destroy drops all, and the core does with it what is right. */
static bool end_object(vf_pool *pool, void *object, const void *caller)
{
    vf_header *header = vf_look(pool, object, "double free of", caller);
    if (pool->core.destroying != NULL)
        return false;
    uint32_t state = vf_load_relaxed(&header->state);
    /* relaxed: as in vf_checked_may_drop */
    if (state == VF_FREED || !vf_cas_strong_relaxed(&header->state, &state, VF_FREED))
        vf_slot_misuse(pool, object, caller, "double free of");
    vf_slot_take_back(pool, object, caller);
    return true;
}

static void quarantine(vf_pool *pool, void *object, const void *caller)
{
    size_t most = vf_load_relaxed(&quarantine_bytes);
    free_chain(pool, vf_list_exchange(pool, vf_slot_header(pool, object), most), caller);
}

/* By the cache that the caller holds, or NULL. The pool may be gone with the object. */
static void take_back(vf_pool *pool, vf_cache *cache, void *object, const void *caller)
{
    if (pool->checked.blocks.bypass)
        vf_bypass_free(pool, object, caller);
    else if (end_object(pool, object, caller) && vf_load_relaxed(&quarantine_bytes) != 0)
        quarantine(pool, object, caller);
    else if (cache != NULL)
        vf_pool_core_cache_free(cache, object);
    else
        vf_pool_core_free(&pool->core, object);
}

/* The slot is retired: the core's at once, whatever the quarantine has. */
void vf_checked_free_last(vf_pool_core *core, void *object, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, true, "free", caller);
    if (end_object(pool, object, caller))
        vf_pool_core_free_last(core, object);
}

void vf_checked_free(vf_pool_core *core, void *object, const void *caller)
{
    take_back(vf_list_pool(core, true, "free", caller), NULL, object, caller);
}

static bool has_handles(vf_pool_core *core)
{
    const vf_pool *pool = vf_pool_whole(core);
    return pool->handles != NULL || pool->checked.blocks.handles;
}

/* By vf_free. */
void vf_checked_free_any(void *object, const void *caller)
{
    vf_pool_core *core = &vf_look_for_pool(object, caller)->core;
    if (core->drop != NULL && !vf_checked_may_drop(core, object, caller))
        return;
    bool goes_on = !has_handles(core) || vf_checked_unpublish(core, object, 0, 0, caller);
    if (core->drop != NULL)
        core->drop(object);
    if (goes_on)
        vf_checked_free(core, object, caller);
    else
        vf_checked_free_last(core, object, caller);
}

void vf_checked_free_n(vf_pool_core *core, const void *objects, size_t n, const void *caller)
{
    const vf_any_pointer *in = objects;
    for (size_t i = 0; i < n; i++) {
        if (in[i] != NULL)
            vf_checked_free(core, in[i], caller);
    }
}

/* ---- the rest ---- */

bool vf_checked_reserve(vf_pool_core *core, size_t n, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_reserve", caller);
    if (pool->checked.blocks.bypass)
        return vf_bypass_reserve(pool, n);
    if (pool->capped != NULL)
        vf_list_move(pool);
    else
        empty_quarantine(pool, caller);
    return vf_pool_core_reserve(core, n);
}

void vf_checked_stats(const vf_pool_core *core, vf_pool_stats *stats, size_t stats_size,
                      const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_stats", caller);
    size_t quarantined = vf_list_count(pool);
    vf_pool_stats known;
    vf_pool_core_stats(core, &known, sizeof known);
    if (pool->checked.blocks.bypass)
        known = vf_bypass_stats(pool);
    if (quarantined > known.live)
        quarantined = known.live; /* others may be freeing */
    known.live -= quarantined;
    known.depot += quarantined;
    memset(stats, 0, stats_size); /* as in stats.c */
    memcpy(stats, &known, vf_min(stats_size, sizeof known));
}

bool vf_checked_owns(const vf_pool_core *core, const void *object, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_owns", caller);
    if (pool->checked.blocks.bypass)
        return vf_bypass_owns(pool, object);
    return vf_pool_core_owns(core, object);
}

bool vf_checked_each_begin(vf_pool_core *core, vf_walk *walk, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_each", caller);
    if (pool->checked.blocks.bypass)
        return vf_bypass_each_begin(pool, walk);
    empty_quarantine(pool, caller);
    return vf_pool_core_each_begin(core, walk);
}

void *vf_checked_each_next(vf_walk *walk, const void *caller)
{
    vf_pool *pool = vf_list_pool(walk->position.pool, false, "P_each", caller);
    return pool->checked.blocks.bypass ? vf_bypass_each_next(walk) : vf_pool_core_walk_next(walk);
}

void vf_checked_each_end(const vf_walk *walk, const void *caller)
{
    vf_pool *pool = vf_list_pool(walk->position.pool, false, "P_each", caller);
    if (pool->checked.blocks.bypass)
        vf_bypass_each_end(pool, walk);
    else
        vf_pool_core_each_end(walk);
}

void vf_checked_walk_begin(const vf_pool_core *core, vf_walk *walk, size_t part, size_t parts,
                           const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_walk_begin", caller);
    if (part >= parts)
        vf_misuse(pool->name, pool, caller, "part %zu of a walk in %zu parts", part, parts);
    if (pool->checked.blocks.bypass) {
        vf_bypass_walk_begin(pool, walk, part, parts);
        return;
    }
    if (pool->handles == NULL)
        empty_quarantine(pool, caller);
    vf_pool_core_walk_begin(core, walk, part, parts);
}

void *vf_checked_walk_next(vf_walk *walk, const void *caller)
{
    vf_pool *pool = vf_list_pool(walk->position.pool, false, "P_walk_next", caller);
    return pool->checked.blocks.bypass ? vf_bypass_walk_next(pool, walk)
                                       : vf_pool_core_walk_next(walk);
}

void vf_checked_walk_end(vf_walk *walk, const void *caller)
{
    (void)vf_list_pool(walk->position.pool, false, "P_walk_end", caller);
    vf_pool_core_walk_end(walk);
}

size_t vf_checked_trim(vf_pool_core *core, const void *caller)
{
    vf_pool *pool = vf_list_pool(core, false, "P_trim", caller);
    empty_quarantine(pool, caller);
    return vf_pool_core_trim(core);
}

/* ---- caches held by callers ---- */

vf_cache *vf_checked_cache_new(vf_pool_core *core, const void *caller)
{
    (void)vf_list_pool(core, false, "P_cache_new", caller);
    return vf_pool_core_cache_new(core);
}

void *vf_checked_cache_alloc(vf_cache *cache, const void *caller)
{
    vf_pool *pool = vf_list_pool_of(cache, "P_cache_alloc", caller);
    (void)vf_list_pool(&pool->core, false, "P_cache_alloc", caller);
    return hand_out(pool, cache, caller);
}

bool vf_checked_cache_may_drop(vf_cache *cache, const void *object, const void *caller)
{
    return vf_checked_may_drop(&vf_list_pool_of(cache, "P_cache_free", caller)->core, object,
                               caller);
}

void vf_checked_cache_free(vf_cache *cache, void *object, const void *caller)
{
    take_back(vf_list_pool_of(cache, "P_cache_free", caller), cache, object, caller);
}

void vf_checked_cache_release(vf_cache *cache, const void *caller)
{
    (void)vf_list_pool_of(cache, "P_cache_release", caller);
    vf_pool_core_cache_release(cache);
}

/* ---- deferred frees ---- */

#ifdef VF_HAS_EPOCH
bool vf_checked_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object),
                              const void *caller)
{
    vf_pool *pool = vf_list_pool(core, true, "P_free_deferred", caller);
    if (pool->checked.blocks.bypass)
        return vf_bypass_free_deferred(pool, object, drop, caller);
    vf_header *header = vf_look(pool, object, "double free of", caller);
    if (core->destroying != NULL)
        return vf_pool_core_free_deferred(core, object, drop);
    uint32_t live = VF_LIVE;
    if (!vf_cas_strong_relaxed(&header->state, &live, VF_DEFERRED)) /* as in vf_checked_may_drop */
        vf_slot_misuse(pool, object, caller, "double free of");
    header->freed = caller;
    bool deferred = vf_pool_core_free_deferred(core, object, drop);
    if (!deferred) {
        header->freed = NULL;
        vf_store_relaxed(&header->state, VF_LIVE);
    }
    return deferred;
}

void vf_checked_epoch_barrier(vf_pool_core *core, const void *caller)
{
    (void)vf_list_pool(core, false, "P_epoch_barrier", caller);
    vf_pool_core_epoch_barrier(core);
}
#endif

/* ---- what the core tells, see ../pool/checks.h ---- */

void vf_checks_forget(vf_pool *pool)
{
    vf_list_forget(pool); /* first: a thread that looks for a pool looks at the blocks of all */
    vf_blocks_free(&pool->checked.blocks, &pool->memory);
}

/* VF_DROP has run on them, on liburcu's thread. */
bool vf_checks_deferral(vf_pool *pool, void *const *objects, size_t n)
{
    if (pool->checked.blocks.bypass) {
        vf_bypass_free_waited(pool, objects, n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        vf_header *header = vf_slot_header(pool, objects[i]);
        vf_store_relaxed(&header->state, VF_FREED);
        vf_slot_take_back(pool, objects[i], header->freed);
    }
    return true;
}
