/* SPDX-License-Identifier: MIT */
/*
 * cache.h - the free slots that one thread, or one caller, keeps for itself.
 *
 *     [ s s s s s s s . . . . . ]
 *       ^bottom       ^top      ^full, and limit where frees need no order
 *
 * One array, used as a stack. It begins with 128 entries, and grows with bursts.
 */
#ifndef VF_CACHE_H
#define VF_CACHE_H

#include "depot.h"

/* Most slots that one overflow or refill moves: not so many that the one call takes long, or that
   one thread empties the depot for the others. */
#define VF_POOL_CACHE_MOVED_MAX ((size_t)4096)

/* Entries in the array: at first; and from where on it grows by this many, not to the double. */
#define VF_POOL_CACHE_FIRST 128
#define VF_POOL_CACHE_STEP  2048

struct vf_array;
struct vf_deferral;
struct vf_pool;

/*
 * A cache, with what the fast paths do not need to see. Alone on its lines. It belongs to the pool
 * and is never given back before it; its owner, a thread or a caller, may change. Where the owner
 * cannot call (it has ended, or has not come along over a fork) a thread with the threads' lock
 * does what is the owner's.
 *
 * in counts the slots that came into this cache from the depot, less those that went there. What
 * the cache has lent is in less what it has; release.c says in which order the two are written.
 *
 *     line:  | in settled open ... top bottom limit | full freed ...
 *
 * The three words of the fast paths end a line: a processor may let a load wait for a store to
 * another address with the same place in its page (4 KiB), and top is stored to in each call. What
 * each call loads lies at the beginning of a line: the pool's column, and often the row's entry.
 * With top at the beginning too, a pair took 15 to 23 ns instead of 5 in one of 16 layouts of
 * memory.
 */
typedef struct vf_pool_cache {
    /* written by the owner; atomic, for other threads that read it meanwhile */
    VF_APART int64_t in;
    int64_t settled;          /* what was lent when the pool was released, or one of the below */
    uint64_t deferrals;       /* objects deferred, and a bit: see epoch.c */
    struct vf_deferral *open; /* a deferral that is being filled, or NULL; see epoch.c */
    bool busy;                /* the owner is in a slow call; see seize.c */

    /* the owner's alone */
    bool refilled; /* since the last overflow */
    bool burst;    /* it overflowed after a refill: it will grow */
    bool moving;   /* bottom, top and full are being changed: for the child of a fork */

    /* written by the owner; atomic, for statistics and P_release */
    vf_cache fast; /* the fast paths' pointer leads here */

    /* constant */
    struct vf_pool *pool;
    vf_depot *depot;
    size_t most;                /* entries it may grow to */
    struct vf_pool_cache *next; /* of the pool's caches */

    /* the owner's alone */
    vf_home home;           /* where it refills from */
    struct vf_array *array; /* where it has outgrown first */
    size_t looks;           /* for an object that may have been freed before, see publish.c */

    /* written under the threads' lock */
    bool held;                           /* by a caller, not a thread */
    uint32_t thread;                     /* index of the thread it is attached to, 0: none */
    vf_row *row;                         /* that thread's */
    const void *seizer;                  /* the thread that decides on it, see seize.c */
    size_t seized;                       /* atomic: slots at the bottom that seize.c has taken */
    struct vf_pool_cache *next_of_owner; /* of its thread's, or of those without an owner */
    struct vf_pool_cache **link_of_owner;

    vf_cache hidden; /* empty and full at once: what its owner finds while it is hidden; constant */
    void *first[VF_POOL_CACHE_FIRST]; /* the first array */
} vf_pool_cache;

_Static_assert(offsetof(vf_pool_cache, fast) > 0 &&
                   offsetof(vf_pool_cache, fast) + offsetof(vf_cache, full) <= VF_CACHE_LINE,
               "the words of the fast paths end the first line, or lie in its midst");

/* settled, of a cache that has not been settled; and of one that only its owner can settle. */
#define VF_POOL_CACHE_UNSETTLED INT64_MIN
#define VF_POOL_CACHE_LEFT      (INT64_MIN + 1)

/* Slots in a cache. For its owner, or where the owner cannot move it. */
static inline size_t vf_cache_count(const vf_pool_cache *cache)
{
    return (size_t)(vf_load_relaxed(&cache->fast.top) - vf_load_relaxed(&cache->fast.bottom));
}

/* A cache for at most so many slots, which the pool does not know yet; NULL: out of memory. */
vf_pool_cache *vf_cache_new(struct vf_pool *pool, vf_depot *depot, size_t most);

/* Makes it known to the pool, whose list this is. Threads' lock. */
void vf_cache_add(vf_pool_cache **list, vf_pool_cache *cache);

/* Puts it in front of its owner's list, and takes it off again. Threads' lock. */
void vf_cache_link(vf_pool_cache **list, vf_pool_cache *cache);
void vf_cache_unlink(vf_pool_cache *cache);

/* How many slots an overflow takes from a full cache, and a refill asks for. Owner. */
size_t vf_cache_share(const vf_pool_cache *cache);

/* Fills an empty cache from the depot, or from new memory. False: out of memory. Owner. */
bool vf_cache_refill(vf_pool_cache *cache);

/* The caller has put n slots at the bottom of an empty cache. Owner. */
void vf_cache_refilled(vf_pool_cache *cache, size_t n);

/* Moves a part of a full cache to the depot. Never fails. Owner. */
void vf_cache_overflow(vf_pool_cache *cache);

/* Gives all it has to the depot, and its large array to the allocator; how many bytes. Its owner,
   or any thread where the owner cannot call. Threads' lock. */
size_t vf_cache_flush(vf_pool_cache *cache);

/* Throws away the pointers to slots that were seized, and ends a decision on it (seize.c). The
   owner, or a thread that ends it; threads' lock. */
void vf_cache_unseize(vf_pool_cache *cache);

/* Makes whole a cache whose owner did not come along over a fork. */
void vf_cache_abandon(vf_pool_cache *cache);

/* At the end of the pool, or where the pool does not know it. */
void vf_cache_free(vf_pool_cache *cache);

#endif
