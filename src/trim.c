/*
 * trim.c - gives back batches without a live object: P_trim, beside all other calls.
 *
 * Trim takes into its hands what it can: the depot's magazines, the strays, the batches that wait
 * to be carved, and what caches have. A batch whose slots are all in its hands is nobody's, since
 * free slots are never read: it goes back. The other slots go to the depot again, sorted, so that
 * what is allocated next lies together.
 *
 * Other threads' caches are used without a lock and without a fence. Trim gets at them so:
 *
 *     owner, in a slow call                trim
 *     busy = true                          table entry = vf_no_cache
 *     - no instruction -                   membarrier: every thread passes a full barrier
 *     is the entry still my cache?         busy?
 *
 * If the owner finds its entry, trim finds it busy, and lets it be. Otherwise no call of the owner
 * that begins now finds the cache. One that had found it before may still be about to move top by
 * one: an alloc may take the slot below it, a free may put one there. So trim takes ("seizes") all
 * slots but the uppermost, and does not write to the cache; the owner, at its next slow call, or
 * whoever ends it, throws away the seized pointers at the bottom. The membarrier is Linux's, as
 * liburcu uses it. Where there is none, other threads' caches are left alone.
 *
 * Until then the seized slots are part of in and of top - bottom, whose difference, which
 * release.c relies on, they do not change.
 */
#define _GNU_SOURCE /* syscall */

#include <assert.h>
#include <string.h>
#ifdef __linux__
#    include <sys/syscall.h>
#    include <unistd.h>

#    include "membarrier.h"
#endif

#include "depot.h"
#include "map.h"

#define LOOKS     16 /* at most, for each time that all objects could be spilled */
#define VAIN_MOST 20 /* trims in vain that count */

/* ---- the owner's side ---- */

/* The begin of a slow call on the thread's own cache; false: it has just lost it. */
bool vf_cache_enter(vf_pool *pool, vf_thread_cache *cache)
{
    /* relaxed: who finds it busy looks no further */
    vf_store_relaxed(&cache->busy, true);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* pairs with the membarrier in seize_all */
    vf_cache **table = vf_load_acquire(&pool->core.table); /* as in vf_pool_core_cache */
    /* acquire: pairs with the release in set_entry; what seize has read there comes before what
       the call is about to write */
    if (vf_load_acquire(&table[vf_thread_index]) == &cache->fast)
        return true;
    vf_cache_leave(cache);
    return false;
}

void vf_cache_leave(vf_thread_cache *cache)
{
    /* release: pairs with the acquire in seize; what the call did to the cache comes before */
    vf_store_release(&cache->busy, false);
}

/* Throws away what was seized. The owner, or who ends it; threads' lock. */
void vf_cache_unseize(vf_thread_cache *cache)
{
    size_t seized = vf_load_relaxed(&cache->seized);
    if (seized == 0)
        return;
    void **bottom = cache->fast.bottom;
    size_t left = vf_cache_count(cache) - seized;
    memmove(bottom, bottom + seized, left * sizeof *bottom);
    /* relaxed: only statistics read these without the lock */
    vf_store_relaxed(&cache->fast.top, bottom + left);
    vf_store_relaxed(&cache->in, vf_load_relaxed(&cache->in) - (int64_t)seized);
    vf_store_relaxed(&cache->seized, (size_t)0);
}

/* ---- seizing ---- */

/* Makes every thread of the process pass a full barrier; false where the system cannot. */
bool vf_membarrier(void)
{
#ifdef __linux__
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
           syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
    return false;
#endif
}

static bool is_others(const vf_thread_cache *cache)
{
    return cache->thread != 0 && cache->thread != vf_thread_index && !cache->held &&
           !cache->pool->uncached && vf_load_relaxed(&cache->seized) == 0;
}

/* Nobody but the owner of the entry reads it, and there is the lock against all who write. */
static void set_entry(const vf_thread_cache *cache, vf_cache *entry)
{
    /* release: pairs with the acquire in vf_cache_enter, when the owner gets his cache back */
    vf_store_release(&cache->pool->table->entries[cache->thread], entry);
}

static void seize(vf_thread_cache *cache, vf_map *hands)
{
    /* acquire: pairs with the release in vf_cache_leave */
    if (!vf_load_acquire(&cache->busy)) {
        /* acquire: pairs with the release in vf_cache_push, for ThreadSanitizer, which knows of no
           membarrier: by that one all slots but the uppermost were written before */
        size_t count = (size_t)(vf_load_acquire(&cache->fast.top) - cache->fast.bottom);
        if (count > 1) {
            vf_map_add_n(hands, cache->fast.bottom, count - 1);
            vf_store_relaxed(&cache->seized, count - 1); /* the owner reads it under the lock */
            return;
        }
    }
    set_entry(cache, (vf_cache *)&cache->fast);
}

/* Threads' lock: no cache comes, goes, or is attached. */
static void seize_all(vf_pool *pool, vf_map *hands)
{
    bool others = false;
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (is_others(cache)) {
            set_entry(cache, &vf_no_cache);
            others = true;
        }
    }
    if (!others)
        return;
    bool works = vf_membarrier();
    for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
        if (!is_others(cache))
            continue;
        if (works)
            seize(cache, hands);
        else
            set_entry(cache, &cache->fast);
    }
}

/* ---- hands ---- */

/* Empty magazines that were taken with their slots, and will be needed to put slots back. */
typedef struct vf_chain {
    vf_magazine *first;
    vf_magazine *last;
} vf_chain;

/* All magazines of a shelf, on top of those of the chain. */
static void take_shelf(vf_depot *depot, vf_stack *full, vf_map *hands, vf_chain *chain)
{
    uint32_t count;
    vf_magazine *first = vf_stack_pop(depot, full, UINT32_MAX, &count);
    if (first == NULL)
        return;
    vf_magazine *last = first;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            last = vf_magazine_at(depot, vf_load_relaxed(&last->link));
        vf_map_add_n(hands, last->slots, last->count);
        last->count = 0;
    }
    vf_store_relaxed(&last->link, chain->first != NULL ? chain->first->index : 0);
    chain->first = first;
    if (chain->last == NULL)
        chain->last = last;
}

static vf_chain take_depot(vf_pool *pool, vf_map *hands)
{
    vf_chain chain = {NULL, NULL};
    for (size_t i = 0; i < VF_SHELVES; i++)
        take_shelf(&pool->depot, &pool->depot.shelves[i].full, hands, &chain);
    return chain;
}

/* One more magazine; NULL where memory is spent. Growth lock. */
static vf_magazine *take_magazine(vf_pool *pool, vf_chain *chain)
{
    vf_magazine *magazine = chain->first;
    if (magazine == NULL)
        return vf_magazine_new_locked(pool, 0);
    chain->first = magazine == chain->last
                       ? NULL
                       : vf_magazine_at(&pool->depot, vf_load_relaxed(&magazine->link));
    return magazine;
}

static void put_back_one(vf_pool *pool, vf_chain *chain, vf_magazine **open, void *slot)
{
    if (*open == NULL)
        *open = take_magazine(pool, chain);
    if (*open == NULL) {
        vf_stray_put_locked(pool, slot);
        return;
    }
    (*open)->slots[(*open)->count++] = slot;
    if ((*open)->count == VF_MAGAZINE_SLOTS) {
        vf_stack_push(&pool->depot.shelves[0].full, *open, *open);
        *open = NULL;
    }
}

/* By descending addresses: the lowest is put on top, and handed out first. Growth lock. */
static void put_back(vf_pool *pool, vf_map *hands, vf_chain *chain)
{
    vf_magazine *open = NULL;
    for (size_t number = hands->end; number-- > 0;) {
        if (vf_map_has(hands, number)) {
            size_t place = number / pool->batch_objects;
            char *base = vf_batch_base(pool, pool->batches.table[place]);
            put_back_one(pool, chain, &open,
                         base + (number - place * pool->batch_objects) * pool->stride);
        }
    }
    if (open != NULL)
        vf_stack_push(&pool->depot.shelves[0].full, open, open);
    if (chain->first != NULL)
        vf_stack_push(&pool->depot.shelves[0].empty, chain->first, chain->last);
}

/* ---- what goes back ---- */

/* Is the batch wholly in hands? The current one with its fresh slots, if they can be had. */
static bool is_unused(const vf_map *hands, size_t place)
{
    vf_pool *pool = hands->pool;
    size_t all = pool->batch_objects;
    size_t count = vf_map_count(hands, place * all, (place + 1) * all);
    if (count == all)
        return true;
    return pool->batches.table[place] == pool->batches.current && vf_batch_close(pool, count);
}

/* Marks the batches that go back, whose slots are then in no one's hands. */
static void find_unused(vf_map *hands)
{
    vf_pool *pool = hands->pool;
    size_t all = pool->batch_objects;
    for (size_t place = 0; place < pool->batches.count; place++) {
        if (is_unused(hands, place)) {
            pool->batches.table[place]->unused = true;
            vf_map_remove_range(hands, place * all, (place + 1) * all);
        }
    }
}

/* Growth lock, threads' lock. */
static size_t trim(vf_pool *pool, vf_map *hands)
{
    vf_chain chain = take_depot(pool, hands);
    vf_strays_take(pool, hands);
    vf_batches_take_waiting(pool, hands);
    seize_all(pool, hands);
    find_unused(hands);
    put_back(pool, hands, &chain);
    return vf_batches_drop_unused(pool);
}

/* Threads' lock. */
static size_t trim_uncapped(vf_pool *pool)
{
    vf_thread_cache *own = vf_thread_attached(pool);
    if (own != NULL)
        vf_cache_flush(own);
    vf_map hands;
    size_t bytes = 0;
    pthread_mutex_lock(&pool->growth_lock);
    vf_batches_sort(pool);
    if (vf_map_new(&hands, pool)) {
        bytes = trim(pool, &hands);
        vf_map_free(&hands);
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return bytes;
}

size_t vf_pool_core_trim(vf_pool_core *core)
{
    vf_pool *pool = vf_pool_whole(core);
    if (pool->capped != NULL)
        return 0; /* its links are read by who may be late */
    vf_threads_enter();
    size_t before = vf_load_relaxed(&pool->bytes); /* a number, no order */
    trim_uncapped(pool);
    size_t after = vf_load_relaxed(&pool->bytes);
    vf_threads_leave();
    return before > after ? before - after : 0; /* others may have grown the pool meanwhile */
}

/*
 * At a slow free, with the object still in hand: trims where the option says so. Looking is not
 * cheap, and trimming is dear. So it looks some times while all objects there are could be spilled
 * once, and trims once; and after a trim that was in vain, because each batch has a live object,
 * twice as seldom each time.
 */
void vf_trim_maybe(vf_pool *pool)
{
    if (pool->trim_factor == 0 || pool->walked)
        return;
    /* relaxed: a number that orders nothing */
    uint64_t spills = vf_fetch_add_relaxed(&pool->spills, 1);
    if (spills < vf_load_relaxed(&pool->next_look) || !vf_threads_try_enter())
        return;
    vf_pool_stats stats;
    vf_pool_core_stats(&pool->core, &stats, sizeof stats);
    uint64_t all = stats.capacity / VF_SPILL_MOST;
    uint64_t pause = all / LOOKS + 1;
    if ((stats.cached + stats.depot) / pool->trim_factor > stats.live) {
        if (trim_uncapped(pool) > 0)
            pool->vain_trims = 0;
        else if (pool->vain_trims < VAIN_MOST)
            pool->vain_trims++;
        pause = (all + 1) << pool->vain_trims;
    }
    vf_store_relaxed(&pool->next_look, spills + pause);
    vf_threads_leave();
}
