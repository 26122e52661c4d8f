/*
 * pool.h - the pool's parts and how they hang together. Read this first.
 *
 *   P_alloc / P_free      template, inline: this thread's cache        include/veryfast/pool.h
 *      |  empty or full
 *   cache                 per (thread, pool): an array of slots        cache.c
 *      |  spent, or over its limit
 *   depot                 per pool: lock-free stacks of magazines      depot.c, stack.h
 *      |  no full magazine
 *   batch                 VF_N slots, carved by one swap per 64        batch.c
 *      |  carved out
 *   grow                  the only lock: allocate the next batch       batch.c
 *
 * Beside them: thread.c gives threads their indices and ends their caches, table.c leads from an
 * index to a cache, registry.c knows all pools and has the threads' lock, release.c ends a pool,
 * map.c has a bit for each slot, each.c visits the live ones, destroy.c drops them, trim.c gives
 * memory back, stray.c keeps free slots when not even a magazine can be had, capped.c is the other
 * kind of pool, fork.c carries all of it over a fork, memory.c is the allocator hook,
 * epoch.c and deferral.c (with liburcu only) keep freed objects until their readers are gone.
 *
 * Words, one for one thing:
 *
 *   slot       memory for one object
 *   batch      VF_N slots from one allocation
 *   fresh      a slot never handed out
 *   carve      to take the next 64 fresh slots off a batch
 *   cache      the slots that one thread (or one caller) keeps for itself
 *   magazine   64 slot pointers that travel as one
 *   depot      the magazines of a pool that no thread holds
 *   spill      to move a part of a full cache to the depot
 *   refill     to fill an empty cache, from the depot or by carving
 *   stray      a free slot that is in no cache and no magazine, for want of memory
 *   lent       of a cache: the objects it handed out less those it took back; may be negative
 *   attached   of a cache: it has a thread or a holder
 *   deferral   a magazine of objects that wait for a grace period
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
#include "memory.h"
#include "stack.h"

/* Bookkeeping that different threads write to is kept this far apart: two lines, because Intel's
   prefetcher fetches them in pairs. */
#define VF_APART _Alignas(2 * VF_CACHE_LINE)

/* Slots in a magazine, and in a carve: a multiple of 64 objects covers whole cache lines. */
#define VF_MAGAZINE_SLOTS 64

/* Most slots in a pool: what 2^24 magazines hold. */
#define VF_POOL_SLOTS_MAX ((size_t)1 << 30)

typedef struct vf_pool vf_pool;
struct vf_map;

/*
 * Magazine:
 *
 *     link | index | count | slots[0] ... slots[count - 1] ... slots[63]
 *
 * In the depot, link is the index of the magazine below. Held by a thread, link chains those that
 * it is about to give away together. Magazines are never freed before their pool: reading a stale
 * link is always reading a magazine.
 */
typedef struct vf_magazine {
    uint32_t link;  /* atomic: a stale popper may read it while the owner writes */
    uint32_t index; /* its own, never 0 */
    uint32_t count;
    uint32_t room; /* of a deferral, see deferral.h */
    void *slots[VF_MAGAZINE_SLOTS];
} vf_magazine;

/* Magazines have numbers, so that a stack's head can name one in 24 bits. Numbers lead to memory by
   chunks of 8, and chunk numbers by levels of doubling size: 64, 128, 256, ... chunks. */
#define VF_CHUNK_MAGAZINES  8
#define VF_DIRECTORY_FIRST  64
#define VF_DIRECTORY_LEVELS 16
#define VF_MAGAZINES_MAX    ((uint32_t)1 << VF_STACK_INDEX_BITS)

/* Empty magazines that a thread keeps for its next spill, chained by their links. */
#define VF_SPARES_MOST 16
typedef struct vf_spares {
    vf_magazine *top; /* if count is not 0 */
    uint32_t count;
    uint32_t shelf; /* of the depot, where the thread puts magazines, and looks first */
} vf_spares;

/*
 * Shelves of the depot. Threads have them by their index, so that what one has freed it is likely
 * to get back, objects and magazines whose lines its processor has still; and so that fewer swap
 * the same word.
 */
#define VF_SHELVES 8
typedef struct vf_shelf {
    VF_APART vf_stack full; /* magazines with at least one slot */
    vf_stack empty;
} vf_shelf;

typedef struct vf_depot {
    vf_shelf shelves[VF_SHELVES];
    VF_APART vf_magazine **levels[VF_DIRECTORY_LEVELS];
    uint32_t made;                  /* magazines made so far; growth lock */
    struct vf_memory_block *blocks; /* what the chunks were allocated in; growth lock */
} vf_depot;

/*
 * Batch: slots first, so that they begin aligned, its bookkeeping behind them.
 *
 *     slot 0 | slot 1 | ... | slot N-1 | padding | next, unused, strays[] |
 */
typedef struct vf_batch {
    struct vf_batch *next; /* to be carved after this one; growth lock */
    bool unused;           /* to be given back, see trim.c; growth lock */
    uint64_t strays[];     /* stray.c: a bit for each slot; growth lock */
} vf_batch;

typedef struct vf_batches {
    uint64_t cursor;    /* atomic: slots carved from current, and the number of that, see batch.c */
    unsigned bits;      /* of cursor that count slots; constant */
    vf_batch *current;  /* atomic: the one to carve from, or NULL; written under the growth lock */
    vf_batch *last;     /* of the chain that begins at current; growth lock */
    size_t waiting;     /* batches behind current, wholly fresh; growth lock */
    vf_batch **table;   /* all; growth lock */
    size_t count, room; /* of table; growth lock */
    size_t sorted;      /* count, if the table is sorted by address; growth lock */
    size_t strays;      /* atomic: slots that stray.c keeps; written under the growth lock */
    size_t stray_hint;  /* no batch before this place in table has a stray; growth lock */
} vf_batches;

/* Most slots that one spill or refill moves: at least one magazine of a full cache, and not so many
   that the one call takes long, or that one thread empties the depot for the others. */
#define VF_SPILL_MOST ((size_t)16 * VF_MAGAZINE_SLOTS)

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
    int64_t in;             /* atomic; owner */
    int64_t settled;        /* atomic; the part of lent that pool->outstanding has, once closed */
    bool refilled;          /* since the last spill; owner */
    bool burst;             /* spilled after it was refilled: will grow; owner */
    bool moving;            /* bottom, top and limit are being changed; owner, and fork.c */
    bool held;              /* by the caller, not a thread */
    bool busy;              /* atomic: the owner is in a slow call; see trim.c */
    size_t seized;          /* atomic: slots at the bottom that trim.c has taken; threads' lock */
    uint32_t thread;        /* index of the thread it is attached to, 0: none; threads' lock */
    vf_spares spares;       /* owner */
    vf_magazine *open;      /* atomic: a deferral that is being filled, or NULL; see epoch.c */
    uint64_t deferrals;     /* atomic: objects deferred, and a bit; owner */
    struct vf_array *array; /* where it has outgrown first; owner */
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

/*
 * A table from thread index to cache, twice:
 *
 *     entries:  [ what the fast paths find ... | what is attached ... ]
 *                 0 .. size - 1                  size .. 2 * size - 1
 *
 * The same for both, until the pool is released and the first half turns to vf_no_cache. Indices
 * without a cache, 0 and 1 always, have vf_no_cache in both.
 */
typedef struct vf_table {
    struct vf_table *older; /* replaced, but maybe still being read: kept as long as the pool */
    uint32_t size;
    vf_cache *entries[];
} vf_table;

/* What slots lie in: a batch, or a span of a capped pool. */
typedef struct vf_region {
    char *base;
    size_t slots;
    size_t first; /* number of its first slot, see map.h */
} vf_region;

/* Of a pool, what epoch.c and deferral.c must know. */
typedef struct vf_epoch {
    const void *flavour;  /* liburcu's; constant */
    size_t max;           /* the option; constant */
    void (*drop)(void *); /* atomic: VF_DROP, or NULL */
    bool used;            /* atomic: something was deferred, once */
    VF_APART size_t room; /* atomic: places reserved in deferrals, max at most */
    size_t in_flight;     /* atomic: deferrals that liburcu has */
    size_t done;          /* atomic: objects whose grace period is over */
    size_t single;        /* atomic: objects deferred by threads without a cache */
    pthread_mutex_t lock; /* of who takes other threads' deferrals */
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
    size_t trim_factor;       /* the option; 0: none */
    bool closed;              /* atomic: released, though objects or caches may be out */
    vf_thread_cache *caches;  /* atomic: all there are; grows only */
    vf_batches batches;

    vf_depot depot;

    VF_APART int64_t outstanding; /* atomic: see release.c */
    uint32_t holders;             /* atomic: the handle, and each cache held by a caller */

    uint64_t spills;     /* atomic: slow frees since the pool began, if it trims itself */
    uint64_t next_look;  /* atomic: not to be looked at before so many */
    unsigned vain_trims; /* in a row; threads' lock */
    bool walked;         /* P_each is at work, and no other call but the visitor's free */

    vf_epoch epoch;

    VF_APART size_t bytes; /* atomic: all memory held for this pool */
    size_t peak;           /* atomic: most live when somebody looked */
    pthread_mutex_t growth_lock;

    /* threads' lock */
    vf_thread_cache *idle; /* caches without an owner */
    vf_table *table;       /* the newest */
    vf_pool *next, **link; /* in the list of all pools */

#ifdef VF_CHECKED
    vf_checked checked;
#endif

    char name[];
};

/* memory.c: the allocator hook. Both keep errno, and count what the pool holds. */
void *vf_memory_alloc(vf_pool *pool, size_t size, size_t alignment);
void vf_memory_free(vf_pool *pool, void *memory, size_t size, size_t alignment);

/* magazine.c */
vf_magazine *vf_magazine_at(vf_depot *depot, uint32_t index);
vf_magazine *vf_magazine_new(vf_pool *pool, uint32_t shelf);
vf_magazine *vf_magazine_new_locked(vf_pool *pool, uint32_t shelf);
void vf_magazines_free(vf_pool *pool);

/* depot.c */
size_t vf_depot_get(vf_pool *pool, void **slots, size_t most, vf_spares *spares);
void vf_depot_put(vf_pool *pool, void *const *slots, size_t n, vf_spares *spares);
void *vf_depot_alloc(vf_pool *pool);
void vf_depot_free(vf_pool *pool, void *slot);
void vf_spares_trim(vf_pool *pool, vf_spares *spares, uint32_t keep);

/* batch.c: growth lock, but for carve and reserve */
void vf_batches_begin(vf_pool *pool);
size_t vf_batch_carve(vf_pool *pool, void **slots, size_t most);
bool vf_batch_reserve(vf_pool *pool, size_t n);
size_t vf_batches_fresh(vf_pool *pool);
size_t vf_batches_carved(const vf_pool *pool);
size_t vf_batch_find(vf_pool *pool, const void *slot);
void vf_batches_sort(vf_pool *pool);
bool vf_batch_close(vf_pool *pool, size_t carved);
void vf_batches_take_waiting(vf_pool *pool, struct vf_map *hands);
size_t vf_batches_drop_unused(vf_pool *pool);
char *vf_batch_base(const vf_pool *pool, const vf_batch *batch);
void vf_batches_free(vf_pool *pool);

/* stray.c */
static inline size_t vf_stray_words(const vf_pool *pool)
{
    return (pool->batch_objects + 63) / 64;
}
void vf_stray_put(vf_pool *pool, void *slot);
void vf_stray_put_locked(vf_pool *pool, void *slot); /* growth lock */
void vf_strays_each(vf_pool *pool, struct vf_map *map);
void vf_strays_take(vf_pool *pool, struct vf_map *hands);
size_t vf_stray_get(vf_pool *pool, void **slots, size_t most);

/* cache.c */
vf_thread_cache *vf_cache_new(vf_pool *pool);
bool vf_cache_refill(vf_thread_cache *cache);
void vf_cache_make_room(vf_thread_cache *cache);
void vf_cache_flush(vf_thread_cache *cache);
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
bool vf_threads_add_pool(vf_pool *pool);
void vf_pool_end(vf_pool *pool);
extern vf_pool *vf_pools; /* threads' lock */

/* table.c: threads' lock, but for vf_thread_attached */
extern vf_cache vf_no_cache;
vf_thread_cache *vf_thread_attached(vf_pool *pool);
bool vf_table_grow(vf_pool *pool, uint32_t size);
void vf_table_set(vf_pool *pool, uint32_t index, vf_cache *cache);
void vf_table_set_aside(vf_pool *pool, uint32_t index, vf_cache *cache);
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
uint32_t vf_threads_table_size(void);

/* core.c */
void vf_pool_free_memory(vf_pool *pool);
static inline vf_pool *vf_pool_whole(vf_pool_core *core)
{
    return (vf_pool *)(void *)core;
}

/* map.c: regions by address; growth lock, or no other call */
size_t vf_pool_slots(const vf_pool *pool);
size_t vf_regions(const vf_pool *pool);
vf_region vf_region_at(vf_pool *pool, size_t place);

/* destroy.c */
void vf_dropped_free(vf_pool *pool, void *object);

/* trim.c */
bool vf_cache_enter(vf_pool *pool, vf_thread_cache *cache);
void vf_cache_leave(vf_thread_cache *cache);
void vf_cache_unseize(vf_thread_cache *cache);
bool vf_membarrier(void);
void vf_trim_maybe(vf_pool *pool);

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
size_t vf_capped_ready(const vf_pool *pool);
size_t vf_capped_spans(const vf_pool *pool);
vf_region vf_capped_region(const vf_pool *pool, size_t place);
void vf_capped_each_free(vf_pool *pool, struct vf_map *map);
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
void vf_pool_note_peak(vf_pool *pool);

#endif
