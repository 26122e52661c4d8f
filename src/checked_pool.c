/*
 * checked_pool.c - the pool's calls in a checked build: each looks at what it is given, and then
 * does what the core does.
 *
 * What is freed waits in the quarantine, where it is live for the core. So whatever must not take
 * it for live (P_each, P_trim, P_reserve, P_stats, P_release) gives it to the core first, or allows
 * for it; and an alloc that the core refuses looks there.
 */
#include <errno.h>
#include <string.h>

#include <veryfast/detail/pool_checked.h>

#include "pool.h"
#include "sanitize.h"

static size_t quarantine_bytes = (size_t)256 << 10; /* atomic */

void vf_checked_keep_contents(bool keep)
{
    vf_store_relaxed(&vf_keep_contents, keep);
}

void vf_checked_quarantine(size_t bytes)
{
    vf_store_relaxed(&quarantine_bytes, bytes);
}

/* ---- quarantine ---- */

/* Gives a chain to the core. The pool may be gone with the last. */
static void free_chain(vf_pool *pool, vf_header *chain, const void *place)
{
    while (chain != NULL) {
        vf_header *next = chain->next;
        vf_slot_verify_freed(pool, chain, place);
        vf_pool_core_free(&pool->core, vf_object_of(pool, chain));
        chain = next;
    }
}

/* Gives to the core all that is freed. */
static void empty_quarantine(vf_pool *pool, const void *place)
{
    for (vf_header *header; (header = vf_quarantine_get(pool)) != NULL;)
        free_chain(pool, header, place);
}

/* ---- beginning and end ---- */

vf_pool_core *vf_checked_new(const vf_pool_type *type, const vf_pool_options *options,
                             size_t options_size, const void *place)
{
    vf_checked_begin();
    vf_pool_core *core = vf_pool_core_new(type, options, options_size);
    if (core == NULL)
        return NULL;
    vf_pool *pool = vf_pool_whole(core);
    vf_checked_add(pool, type);
    vf_parameters parameters = {
        .size = type->object_size, .alignment = type->alignment, .number = type->batch_objects};
    vf_checked_name(type->name, &parameters, pool->name, pool, place);
    return core;
}

void vf_checked_release(vf_pool_core *core, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_release", place);
    vf_checked_close(pool, place);
    empty_quarantine(pool, place);
    vf_leaks_print(pool);
    vf_pool_core_release(core);
}

void vf_checked_destroy(vf_pool_core *core, void (*drop)(void *object), const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_destroy", place);
    empty_quarantine(pool, place);
    vf_epoch_settle(pool);
    vf_leaks_print(pool);
    vf_checked_close(pool, place);
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
        taken = vf_quarantine_taken(pool);
        void *object = core_alloc(pool, cache);
        if (object != NULL)
            return object;
        const vf_header *oldest = vf_quarantine_get(pool);
        if (oldest != NULL)
            return vf_object_of(pool, oldest);
    } while (taken != vf_quarantine_taken(pool));
    return NULL;
}

/* By the cache that the caller holds, or NULL. */
static void *hand_out(vf_pool *pool, vf_cache *cache, const void *place)
{
    if (pool->checked.blocks.bypass)
        return vf_bypass_alloc(pool, place);
    int saved = errno;
    void *object = take_slot(pool, cache);
    if (object == NULL)
        return NULL;
    errno = saved; /* the core may have failed before the quarantine had one */
    vf_slot_hand_out(pool, object, place);
    return object;
}

void *vf_checked_alloc(vf_pool_core *core, const void *place)
{
    return hand_out(vf_checked_pool(core, false, "alloc", place), NULL, place);
}

typedef void *any_object __attribute__((may_alias));

size_t vf_checked_alloc_n(vf_pool_core *core, void *objects, size_t n, const void *place)
{
    any_object *out = objects;
    size_t done = 0;
    while (done < n && (out[done] = vf_checked_alloc(core, place)) != NULL)
        done++;
    vf_sanitize_written(out, done * sizeof *out);
    return done;
}

/* ---- free ---- */

void vf_checked_look(vf_pool_core *core, const void *object, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, true, "take", place);
    if (pool->checked.blocks.bypass)
        vf_bypass_look(pool, object, place);
    else
        (void)vf_slot_look(pool, object, place);
}

/* Before VF_DROP. From here on another free of the object is a second one. */
bool vf_checked_may_drop(vf_pool_core *core, const void *object, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, true, "free", place);
    if (pool->checked.blocks.bypass)
        return vf_bypass_may_drop(pool, object, place);
    vf_header *header = vf_slot_look(pool, object, place);
    if (core->dropped != NULL)
        return vf_pool_core_may_drop(core, object);
    uint32_t live = VF_LIVE;
    /* relaxed: of two frees at once one fails, and orders nothing */
    if (!vf_cas_strong_relaxed(&header->state, &live, VF_DROPPING))
        vf_slot_misuse(pool, object, place, "double free of");
    return true;
}

/* Off the program's hands. False: P_destroy drops all, and the core does with it what is right. */
static bool end_object(vf_pool *pool, void *object, const void *place)
{
    vf_header *header = vf_slot_look(pool, object, place);
    if (pool->core.dropped != NULL)
        return false;
    uint32_t state = vf_load_relaxed(&header->state);
    /* relaxed: as in vf_checked_may_drop */
    if (state == VF_FREED || !vf_cas_strong_relaxed(&header->state, &state, VF_FREED))
        vf_slot_misuse(pool, object, place, "double free of");
    vf_slot_take_back(pool, object, place);
    return true;
}

static void quarantine(vf_pool *pool, void *object, const void *place)
{
    size_t most = vf_load_relaxed(&quarantine_bytes);
    free_chain(pool, vf_quarantine_exchange(pool, vf_header_of(pool, object), most), place);
}

/* By the cache that the caller holds, or NULL. The pool may be gone with the object. */
static void take_back(vf_pool *pool, vf_cache *cache, void *object, const void *place)
{
    if (pool->checked.blocks.bypass)
        vf_bypass_free(pool, object, place);
    else if (end_object(pool, object, place) && vf_load_relaxed(&quarantine_bytes) != 0)
        quarantine(pool, object, place);
    else if (cache != NULL)
        vf_pool_core_cache_free(cache, object);
    else
        vf_pool_core_free(&pool->core, object);
}

void vf_checked_free(vf_pool_core *core, void *object, const void *place)
{
    take_back(vf_checked_pool(core, true, "free", place), NULL, object, place);
}

void vf_checked_free_n(vf_pool_core *core, const void *objects, size_t n, const void *place)
{
    const any_object *in = objects;
    for (size_t i = 0; i < n; i++) {
        if (in[i] != NULL)
            vf_checked_free(core, in[i], place);
    }
}

/* ---- the rest ---- */

bool vf_checked_reserve(vf_pool_core *core, size_t n, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_reserve", place);
    if (pool->checked.blocks.bypass)
        return vf_bypass_reserve(pool, n);
    if (pool->capped != NULL)
        vf_quarantine_move(pool);
    else
        empty_quarantine(pool, place);
    return vf_pool_core_reserve(core, n);
}

void vf_checked_stats(const vf_pool_core *core, vf_pool_stats *stats, size_t stats_size,
                      const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_stats", place);
    size_t quarantined = vf_quarantine_count(pool);
    vf_pool_stats known;
    vf_pool_core_stats(core, &known, sizeof known);
    if (pool->checked.blocks.bypass)
        known = vf_bypass_stats(pool);
    if (quarantined > known.live)
        quarantined = known.live; /* others may be freeing */
    known.live -= quarantined;
    known.depot += quarantined;
    memset(stats, 0, stats_size); /* as in stats.c */
    memcpy(stats, &known, stats_size < sizeof known ? stats_size : sizeof known);
}

bool vf_checked_owns(const vf_pool_core *core, const void *object, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_owns", place);
    if (pool->checked.blocks.bypass)
        return vf_bypass_owns(pool, object);
    return vf_pool_core_owns(core, object);
}

bool vf_checked_each(vf_pool_core *core, void (*visit)(void *object, void *context), void *context,
                     const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_each", place);
    if (pool->checked.blocks.bypass)
        return vf_bypass_each(pool, visit, context);
    empty_quarantine(pool, place);
    return vf_pool_core_each(core, visit, context);
}

size_t vf_checked_trim(vf_pool_core *core, const void *place)
{
    vf_pool *pool = vf_checked_pool(core, false, "P_trim", place);
    empty_quarantine(pool, place);
    return vf_pool_core_trim(core);
}

/* ---- caches held by callers ---- */

vf_cache *vf_checked_cache_new(vf_pool_core *core, const void *place)
{
    (void)vf_checked_pool(core, false, "P_cache_new", place);
    return vf_pool_core_cache_new(core);
}

void *vf_checked_cache_alloc(vf_cache *cache, const void *place)
{
    vf_pool *pool = vf_checked_pool_of(cache, "P_cache_alloc", place);
    (void)vf_checked_pool(&pool->core, false, "P_cache_alloc", place);
    return hand_out(pool, cache, place);
}

bool vf_checked_cache_may_drop(vf_cache *cache, const void *object, const void *place)
{
    return vf_checked_may_drop(&vf_checked_pool_of(cache, "P_cache_free", place)->core, object,
                               place);
}

void vf_checked_cache_free(vf_cache *cache, void *object, const void *place)
{
    take_back(vf_checked_pool_of(cache, "P_cache_free", place), cache, object, place);
}

void vf_checked_cache_release(vf_cache *cache, const void *place)
{
    (void)vf_checked_pool_of(cache, "P_cache_release", place);
    vf_pool_core_cache_release(cache);
}

/* ---- deferred frees ---- */

#ifdef VF_HAS_EPOCH
bool vf_checked_free_deferred(vf_pool_core *core, void *object, void (*drop)(void *object),
                              const void *place)
{
    vf_pool *pool = vf_checked_pool(core, true, "P_free_deferred", place);
    if (pool->checked.blocks.bypass)
        return vf_bypass_free_deferred(pool, object, drop, place);
    vf_header *header = vf_slot_look(pool, object, place);
    if (core->dropped != NULL)
        return vf_pool_core_free_deferred(core, object, drop);
    uint32_t live = VF_LIVE;
    if (!vf_cas_strong_relaxed(&header->state, &live, VF_DEFERRED)) /* as in vf_checked_may_drop */
        vf_slot_misuse(pool, object, place, "double free of");
    header->freed = place;
    bool deferred = vf_pool_core_free_deferred(core, object, drop);
    if (!deferred) {
        header->freed = NULL;
        vf_store_relaxed(&header->state, VF_LIVE);
    }
    return deferred;
}

void vf_checked_epoch_barrier(vf_pool_core *core, const void *place)
{
    (void)vf_checked_pool(core, false, "P_epoch_barrier", place);
    vf_pool_core_epoch_barrier(core);
}
#endif
