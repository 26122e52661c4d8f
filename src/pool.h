/*
 * pool.h - the pool's parts and how they hang together. Read this first.
 *
 *   P_alloc / P_free      template, inline: this thread's cache        include/veryfast/pool.h
 *      |  empty or full
 *   cache                 per (thread, pool): an array of slots        cache.c
 *      |  spent, or over its limit
 *   depot                 per pool: a bit for each free slot           depot.c
 *      |  no free slot in any batch
 *   batch                 VF_N slots of memory, and their record       batch.c
 *      |  none left                                                    memory.c
 *   allocator             of the options
 *
 * Beside them: thread.c gives threads their indices and ends their caches, table.c leads from an
 * index to a cache, registry.c knows all pools and has the threads' lock, release.c ends a pool,
 * seize.c takes what other threads' caches have, each.c visits the live objects, destroy.c drops
 * them, trim.c gives memory back, capped.c is the other kind of pool, fork.c carries all of it
 * over a fork, memory.c is the allocator hook, epoch.c and deferral.c (with liburcu only) keep
 * freed objects until their readers are gone.
 *
 * Words, one for one thing:
 *
 *   slot       memory for one object
 *   batch      VF_N slots from one allocation
 *   record     what the library knows of a batch: beside the memory, not in it
 *   fresh      a slot never handed out
 *   cache      the slots that one thread (or one caller) keeps for itself
 *   depot      the free slots that are in no cache
 *   home       the batch that a cache refills from
 *   listed     of a batch: it may have slots in the depot, and is found by those who look
 *   spill      to move a part of a full cache to the depot
 *   refill     to fill an empty cache from the depot, or from a new batch
 *   seize      to move what another thread's cache has to the depot
 *   lent       of a cache: the objects it handed out less those it took back; may be negative
 *   attached   of a cache: it has a thread or a holder
 *   deferral   a list of objects that wait for a grace period
 *   reap       to end what a thread has that ended without its exit hook
 *
 * Locks: the threads' lock (registry.c), then a pool's growth lock. Alloc and free wait for the
 * growth lock only where memory is obtained, and never for the other.
 */
#ifndef VF_POOL_H
#define VF_POOL_H

#include <pthread.h>

#include <veryfast/detail/pool_core.h>

#ifdef VF_CHECKED
#    include "checked.h"
#endif
#include "depot.h"
#include "memory.h"
#include "stack.h"

/* Bookkeeping that different threads write to is kept this far apart: two lines, because Intel's
   prefetcher fetches them in pairs. */
#define VF_APART _Alignas(2 * VF_CACHE_LINE)

typedef struct vf_pool vf_pool;

/* Most slots that one spill or refill moves: not so many that the one call takes long, or that one
   thread empties the depot for the others. */
#define VF_SPILL_MOST ((size_t)4096)

/* Places in a cache: at first, and from where on it grows by this much instead of to the double. */
#define VF_CACHE_FIRST 128
#define VF_CACHE_STEP  2048

/* A cache, with what the fast paths do not need to see. Alone on its lines. */
typedef struct vf_thread_cache {
    VF_APART vf_cache fast; /* first: the fast paths' pointer leads here */
    vf_pool *pool;
    /*
     * Slots that came into this cache from depot and batches, less those that went there. What is
     * lent is in less what the cache has; see release.c for the order in which these are written.
     */
    int64_t in;         /* atomic; owner */
    int64_t settled;    /* atomic; the part of lent that pool->outstanding has, once closed */
    bool refilled;      /* since the last spill; owner */
    bool burst;         /* spilled after it was refilled: will grow; owner */
    bool moving;        /* bottom, top and limit are being changed; owner, and fork.c */
    bool held;          /* by the caller, not a thread */
    bool busy;          /* atomic: the owner is in a slow call; see seize.c */
    size_t seized;      /* atomic: slots at the bottom that seize.c has taken; threads' lock */
    uint32_t thread;    /* index of the thread it is attached to, 0: none; threads' lock */
    const void *seizer; /* the thread that decides on it, see seize.c; threads' lock */
    vf_home home;       /* owner */
    struct vf_deferral *open; /* atomic: a deferral that is being filled, or NULL; see epoch.c */
    uint64_t deferrals;       /* atomic: objects deferred, and a bit; owner */
    struct vf_array *array;   /* where it has outgrown first; owner */
    struct vf_thread_cache *next;           /* in pool->caches; never changes */
    struct vf_thread_cache *next_of_thread; /* or of pool->idle; threads' lock */
    void *first[VF_CACHE_FIRST];
} vf_thread_cache;

/* Slots in a cache. For its owner, or where the owner cannot move it. */
static inline size_t vf_cache_count(const vf_thread_cache *cache)
{
    return (size_t)(vf_load_relaxed(&cache->fast.top) - vf_load_relaxed(&cache->fast.bottom));
}

/* settled, of a cache that has not been settled. */
#define VF_UNSETTLED INT64_MIN

/* What slots lie in: a batch, or a span of a capped pool. */
typedef struct vf_region {
    char *base;
    size_t slots; /* 0: it has no memory */
} vf_region;

/* Of a pool, what epoch.c and deferral.c must know. */
typedef struct vf_epoch {
    const void *flavour;   /* liburcu's; constant */
    size_t max;            /* the option; constant */
    void (*drop)(void *);  /* atomic: VF_DROP, or NULL */
    bool used;             /* atomic: something was deferred, once */
    struct vf_pool *lists; /* atomic: a pool of deferrals within this one, or NULL; never changes */
    VF_APART size_t room;  /* atomic: places reserved in deferrals, max at most */
    size_t in_flight;      /* atomic: deferrals that liburcu has */
    size_t done;           /* atomic: objects whose grace period is over */
    size_t single;         /* atomic: objects deferred by threads without a cache */
    pthread_mutex_t lock;  /* of who takes other threads' deferrals */
} vf_epoch;

/* pool->outstanding of a pool that is not released begins here, so that it cannot come to 0. */
#define VF_NOT_RELEASED ((int64_t)1 << 62)

struct vf_pool {
    /* read by all, written rarely */
    vf_pool_core core; /* first: the fast paths' pointer leads here */
    vf_allocator allocator;
    size_t stride, batch_objects, alignment;
    uint32_t cache_limit;     /* most slots in a cache */
    bool uncached;            /* threads have no caches, callers may */
    struct vf_capped *capped; /* set: a capped pool, all of it is in there */
    vf_purge *purge;          /* drops pages; or NULL */
    bool closed;              /* atomic: released, though objects or caches may be out */
    vf_thread_cache *caches;  /* atomic: all there are; grows only */
    vf_batches batches;

    VF_APART vf_depot depot;

    VF_APART int64_t outstanding; /* atomic: see release.c */
    uint32_t holders;             /* atomic: the handle, and each cache held by a caller */

    vf_epoch epoch;

    VF_APART size_t bytes; /* atomic: all memory held for this pool */
    size_t peak;           /* atomic: most live when somebody looked */
    pthread_mutex_t growth_lock;

    /* threads' lock */
    vf_thread_cache *idle; /* caches without an owner */
    vf_pool *next, **link; /* in the list of all pools */

#ifdef VF_CHECKED
    vf_checked checked;
#endif

    char name[];
};

/* memory.c: the allocator hook. All keep errno; the first two count what the pool holds. */
void *vf_memory_alloc(vf_pool *pool, size_t size, size_t alignment);
void vf_memory_free(vf_pool *pool, void *memory, size_t size, size_t alignment);
size_t vf_memory_pages(const vf_pool *pool, char *memory, size_t size);
size_t vf_memory_purge(const vf_pool *pool, char *memory, size_t size);

/* cache.c */
vf_thread_cache *vf_cache_new(vf_pool *pool);
void vf_cache_add(vf_thread_cache *cache);
bool vf_cache_refill(vf_thread_cache *cache);
void vf_cache_make_room(vf_thread_cache *cache);
size_t vf_cache_flush(vf_thread_cache *cache);
void vf_cache_abandon(vf_thread_cache *cache);
void vf_cache_free_memory(vf_thread_cache *cache);
static inline vf_thread_cache *vf_cache_whole(vf_cache *fast)
{
    return (vf_thread_cache *)(void *)fast;
}

/* registry.c */
void vf_threads_enter(void);
bool vf_threads_try_enter(void);
void vf_threads_leave(void);
void vf_threads_add_pool(vf_pool *pool);
void vf_pool_end(vf_pool *pool);
extern vf_pool *vf_pools; /* threads' lock */

/* table.c: threads' lock, but for vf_thread_attached */
extern vf_cache vf_no_cache;
extern vf_table *const vf_empty_table;
vf_thread_cache *vf_thread_attached(vf_pool *pool);
static inline vf_thread_cache *vf_thread_found(vf_pool *pool)
{
    vf_cache *cache;
    bool found = vf_pool_core_find(&pool->core, &cache) && cache != &vf_no_cache;
    return found ? vf_cache_whole(cache) : NULL;
}
bool vf_table_grow(vf_pool *pool, uint32_t index);
void vf_table_set(vf_pool *pool, uint32_t index, vf_cache *cache);
void vf_table_set_aside(vf_pool *pool, uint32_t index, vf_cache *cache);
void vf_table_set_fast(vf_pool *pool, uint32_t index, vf_cache *cache);
void vf_table_close(vf_pool *pool);
void vf_tables_free(vf_pool *pool);

/* thread.c: threads' lock, but for the first four */
void vf_threads_begin(void);
vf_thread_cache *vf_thread_attach(vf_pool *pool);
vf_thread_cache *vf_thread_attach_aside(vf_pool *pool);
bool vf_threads_reap(void);
vf_thread_cache *vf_cache_adopt(vf_pool *pool);
void vf_cache_detach(vf_thread_cache *cache);
void vf_thread_forget(vf_thread_cache *cache);
void vf_threads_end_others(void);
bool vf_threads_prepare(vf_pool *pool, vf_thread_cache **spare);
void vf_threads_add_spare(vf_thread_cache *spare);

/* core.c */
vf_pool *vf_pool_make(const vf_pool_type *type, const vf_pool_options *options);
size_t vf_pool_reclaim(vf_pool *pool, void **slots, size_t most);
void vf_pool_free_memory(vf_pool *pool);
static inline vf_pool *vf_pool_whole(vf_pool_core *core)
{
    return (vf_pool *)(void *)core;
}

/* each.c: regions by number */
size_t vf_regions(const vf_pool *pool);
vf_region vf_region_at(const vf_pool *pool, size_t number);
bool vf_slot_find(const vf_pool *pool, const void *address, vf_region *region);
void vf_live_each(vf_pool *pool, size_t number, void (*visit)(void *object, void *context),
                  void *context);
bool vf_live_each_by_address(vf_pool *pool, void (*visit)(void *object, void *context),
                             void *context);

/* destroy.c */
void vf_dropped_free(vf_pool *pool, void *object);

/* seize.c */
bool vf_cache_enter(vf_pool *pool, vf_thread_cache *cache);
void vf_cache_leave(vf_thread_cache *cache);
void vf_cache_unseize(vf_thread_cache *cache);
void vf_caches_seize(vf_pool *pool);
size_t vf_caches_flush_own(vf_pool *pool);
void vf_caches_flush_all(vf_pool *pool);
bool vf_membarrier(void);

/* release.c */
void vf_pool_close(vf_pool *pool);
bool vf_pool_settle(vf_pool *pool, vf_thread_cache *cache, int64_t freed);
bool vf_pool_return(vf_pool *pool, int64_t objects);
bool vf_pool_drop_holder(vf_pool *pool);

/* capped.c */
bool vf_capped_new(vf_pool *pool, size_t max_objects);
void *vf_capped_alloc(vf_pool *pool);
void vf_capped_free(vf_pool *pool, void *slot);
bool vf_capped_reserve(vf_pool *pool, size_t n);
void vf_capped_stats(vf_pool *pool, vf_pool_stats *stats);
size_t vf_capped_spans(const vf_pool *pool);
vf_region vf_capped_region(const vf_pool *pool, size_t number);
bool vf_capped_is_live(const vf_pool *pool, size_t number, size_t slot);
bool vf_capped_claim(vf_pool *pool, const void *object);
bool vf_capped_find(const vf_pool *pool, const void *address, vf_region *region);
int64_t vf_capped_close(vf_pool *pool);
void vf_capped_free_memory(vf_pool *pool);

/* fork.c */
void vf_fork_watch(void);

/* epoch.c, or nothing where there is no liburcu */
#ifdef VF_HAS_EPOCH
void vf_epoch_begin(vf_pool *pool, const vf_pool_options *options);
void vf_epoch_end(vf_pool *pool);
void vf_epoch_flush(vf_thread_cache *cache); /* threads' lock */
void vf_epoch_flush_all(vf_pool *pool, bool patient);
void vf_epoch_settle(vf_pool *pool);
void vf_epoch_after_fork(vf_pool *pool);
size_t vf_epoch_deferred(const vf_pool *pool);
#else
static inline void vf_epoch_begin(vf_pool *pool, const vf_pool_options *options)
{
    (void)pool;
    (void)options;
}
static inline void vf_epoch_end(vf_pool *pool)
{
    (void)pool;
}
static inline void vf_epoch_flush(vf_thread_cache *cache)
{
    (void)cache;
}
static inline void vf_epoch_flush_all(vf_pool *pool, bool patient)
{
    (void)pool;
    (void)patient;
}
static inline void vf_epoch_settle(vf_pool *pool)
{
    (void)pool;
}
static inline void vf_epoch_after_fork(vf_pool *pool)
{
    (void)pool;
}
static inline size_t vf_epoch_deferred(const vf_pool *pool)
{
    (void)pool;
    return 0;
}
#endif

/* What is behind an object of a checked build, see checked.h; nothing in an ordinary one. (Unused:
   without epoch.c.) */
#ifndef VF_CHECKED
static inline size_t vf_checked_alignment(size_t alignment)
{
    return alignment;
}
static inline size_t vf_checked_size(size_t object_size)
{
    return object_size;
}
static inline void vf_checked_fresh(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}
static inline void vf_checked_gone(void *memory, size_t size)
{
    (void)memory;
    (void)size;
}
static inline VF_UNUSED bool vf_checked_deferral(vf_pool *pool, void *const *objects, size_t n)
{
    (void)pool;
    (void)objects;
    (void)n;
    return true;
}
static inline void vf_checked_forget(vf_pool *pool)
{
    (void)pool;
}
#endif

/* stats.c */
void vf_pool_note_peak(vf_pool *pool, size_t live);
bool vf_pool_has_free(vf_pool *pool);

#endif
