/* SPDX-License-Identifier: MIT */
/*
 * pool.h - the pool's parts and how they hang together. Read this first.
 *
 *   P_alloc / P_free      template, inline: this thread's cache        include/veryfast/pool.h
 *      |  empty or full
 *   cache                 per thread and pool: an array of slots       cache.c
 *      |  empty, or over its limit
 *   depot                 per pool: a bit for each free slot           depot.c
 *      |  no free slot in any batch
 *   batch                 VF_N slots of memory, and their record       batch.c
 *      |  out of batches
 *   memory                the allocator of the options                 memory.c
 *
 * In a pool with max_objects, capped.c replaces all of these but the last. kind.h has the calls in
 * which the two kinds of pool differ. A file includes only what stands above it here:
 *
 *   memory, slab, page, map, generation,
 *   record, addresses, batch, listed, home, depot,
 *   lock, cache, row, capped                      the parts: none knows the pool
 *   pool.h, kind.h                                the pool that is made of them
 *   release      what counts as live, and when a pool ends
 *   handle       which slot a handle leads to
 *   deferral     objects that wait for a grace period, and liburcu
 *   epoch        from the deferral of a thread to its grace period
 *   attach       which cache belongs to which thread
 *   indices      the indices of threads, and what belongs to each
 *   threads      threads that attach, their ends, forks
 *   stats        P_stats
 *   seize        takes what other threads' caches have
 *   cached       alloc and free of a pool with caches
 *   walk         looks at all slots: P_each, P_walk_..., P_owns
 *   destroy, trim, defer, bulk, publish           the calls of these names
 *   kinds        the two tables of kind.h
 *   calls        all other calls of the template
 *   shared       the pools of P_shared
 *
 * Words, one for one thing:
 *
 *   core       what is compiled once, behind the templates: all of src/
 *   slot       memory for one object
 *   batch      VF_N slots from one allocation
 *   map        what leads from an address to its pool
 *   page       of the map: 4 KiB of addresses, whatever the system's pages are
 *   record     what the library knows of a batch: beside the memory, not in it
 *   fresh      of a slot: never handed out
 *   cache      the free slots that one thread (or one caller) keeps for itself
 *   depot      the free slots that are in no cache
 *   home       where a cache refills from
 *   claimed    of a batch: a cache refills from it and comes back to it
 *   listed     of a batch: it may have slots in the depot, and is found by a search
 *   overflow   of a full cache: to move a part of it to the depot
 *   flush      to move all of a cache to the depot
 *   refill     to fill an empty cache from the depot, or from a new batch
 *   seize      to move what another thread's cache has to the depot
 *   lent       of a cache: the objects it handed out less those it took back; may be negative
 *   attached   of a cache: it has a thread
 *   row        what leads a thread from each pool to its cache
 *   column     a pool's index in all rows
 *   hidden     of an attached cache: its thread's calls do not find it
 *   held       of a cache: it has a caller
 *   deferral   a list of objects that wait for a grace period
 *   handle     the number of a slot, and a generation
 *   generation a count of a slot's published objects, and a bit: a handle leads to the present one
 *   published  of an object: there is a handle of it
 *   retired    of a slot: its generations are used up
 *   reap       to end what a thread has that ended without its exit hook
 *
 * Locks, in the order in which they are acquired: the threads' lock (lock.h), a pool's epoch lock,
 * its growth lock, the map's lock (slab.h). Alloc and free wait for the growth lock and the map's
 * only where memory is obtained; for the threads' lock only an alloc does that would be refused
 * otherwise.
 */
#ifndef VF_POOL_H
#define VF_POOL_H

#include "cache.h"
#include "capped.h"
#include "checks.h"
#include "lock.h"
#include "row.h"

typedef struct vf_pool vf_pool;

/* Of a pool, what epoch.c and deferral.c must know. */
typedef struct vf_epoch {
    const void *flavour;      /* liburcu's; constant */
    size_t max;               /* the option; constant */
    void (*drop)(void *);     /* atomic: VF_DROP, or NULL */
    bool used;                /* atomic: something was deferred, once */
    vf_capped *deferrals;     /* atomic: where deferrals come from, or NULL; never changes */
    VF_APART size_t reserved; /* atomic: the capacity of all deferrals; max at most */
    size_t in_flight;         /* atomic: deferrals that liburcu has */
    size_t done;              /* atomic: objects whose grace period is over */
    size_t single;            /* atomic: objects deferred by threads without a cache */
    vf_mutex lock;            /* the epoch lock: of a thread that takes other threads' deferrals */
    vf_mutex growth;          /* of deferrals; acquired last of all */
} vf_epoch;

/*
 * A pool. It ends when its handle, all caches held by callers and all objects are gone: release.c
 * says how that is found without a count per object.
 */
struct vf_pool {
    /* read by all, written rarely */
    vf_pool_core core;          /* first: the fast paths' pointer leads here */
    const struct vf_kind *kind; /* constant */
    vf_capped *capped;          /* constant: where the kind is the capped one */
    vf_handles *handles;        /* constant: NULL: the pool has none */
    uint32_t cache_limit;       /* constant: most slots in a cache */
    bool uncached;              /* constant: threads have no caches; callers may */
    bool shared;                /* by the whole program: never released; threads' lock */
    bool closed;                /* atomic: released; objects or held caches may be left */
    vf_pool_cache *caches;      /* atomic: all there are; grows only */
    vf_depot depot;

    VF_APART int64_t outstanding; /* atomic: see release.c */
    uint32_t holders;             /* atomic: the handle, and each cache held by a caller */

    vf_epoch epoch;

    VF_APART vf_memory memory;
    vf_mutex growth;         /* the growth lock */
    vf_handles with_handles; /* where handles points to */

    /* threads' lock */
    vf_pool_cache *idle;   /* caches without an owner */
    vf_pool *next, **link; /* in the list of all pools */
    vf_lock_task end;      /* gives back the pool's memory */

#ifdef VF_CHECKED
    vf_checked checked;
#endif

    char name[];
};

static inline vf_pool *vf_pool_whole(vf_pool_core *core)
{
    _Static_assert(offsetof(vf_pool, core) == 0, "the cast relies on it");
    return (vf_pool *)(void *)core;
}

/* The shape of the pool's batches. */
static inline const vf_shape *vf_pool_shape(const vf_pool *pool)
{
    return &pool->depot.batches.shape;
}

#endif
