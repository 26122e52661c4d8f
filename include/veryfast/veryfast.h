/* SPDX-License-Identifier: MIT */
/*
 * veryfast.h - what both containers share: allocator, options, statistics.
 *
 *     #define VF_T struct particle
 *     #define VF_N 256
 *     #include <veryfast/pool.h>      an object pool, pool_particle_256
 *
 *     #define VF_T struct message
 *     #define VF_N 6
 *     #include <veryfast/smallbuf.h>  a small buffer, smallbuf_message_6
 *
 * This header may be included alone. The containers are templates: see pool.h and smallbuf.h.
 *
 * Of both: a signal handler may interrupt any call, if it makes none itself (none is
 * async-signal-safe), does not fork, and returns. No call is a cancellation point of
 * pthread_cancel: a thread that is cancelled goes on to the end of its call. (An allocator, VF_DROP
 * or visitor that has a cancellation point must disable cancellation around it.) A thread that can
 * be cancelled asynchronously must make no calls. A process may end, by exit too, while threads are
 * inside calls. A plug-in that has the library inside itself may be unloaded when its pools are
 * gone and no thread is inside a call.
 */
#ifndef VF_VERYFAST_H
#define VF_VERYFAST_H

#if defined(__cplusplus) || !(defined(true) && defined(false))
#    include <stdbool.h>
#elif !defined(bool)
#    define bool _Bool /* a program's own true and false stay what they are */
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <veryfast/detail/config.h>

/* The version of these headers: major.minor.patch. */
#define VF_VERSION "0.4.0"

/* The same as a number that can be compared: 1000000 * major + 1000 * minor + patch. */
#define VF_VERSION_NUMBER 4000

VF_EXTERN_C_BEGIN

/*
 * Where memory comes from. All zero: the C library's aligned allocation.
 *
 * Both functions are called by any thread, at a thread's exit too, and by several at once. They
 * must not call back into the same pool or buffer (nor a pool's into vf_thread_flush). They may
 * hand out the objects of another pool, which lie at multiples of VF_CACHE_LINE, and give them back
 * by vf_free (with VF_BYPASS by the P_free of that pool). They may fail: alloc returns NULL, and
 * the call of the library that needed the memory fails and changes nothing, or does without.
 */
typedef struct vf_allocator {
    /* size > 0 bytes at a multiple of alignment (a power of two), or NULL. */
    void *(*alloc)(void *context, size_t size, size_t alignment);
    /* memory with the size and alignment it was allocated with; never NULL. */
    void (*dealloc)(void *context, void *memory, size_t size, size_t alignment);
    void *context; /* what both are given first */
} vf_allocator;

/* cache_objects: threads keep nothing to themselves. */
#define VF_CACHE_NONE ((size_t)-1)

/* The options of a pool. All zero: the defaults. Copied by P_new. */
typedef struct vf_pool_options {
    vf_allocator allocator;  /* where its memory comes from */
    size_t max_objects;      /* hard cap on live objects; 0: none. A capped pool has no caches */
    size_t cache_objects;    /* most free objects one thread keeps to itself; 0: chosen by the
                                library (half a MiB of them, 64 at least, 8192 at most);
                                VF_CACHE_NONE: none */
    const char *name;        /* for reports; copied; NULL: the instance's name */
    size_t max_deferred;     /* with VF_EPOCH: most objects waiting for a grace period; 0: chosen */
    const void *rcu_flavour; /* with VF_EPOCH: a liburcu struct rcu_flavor_struct; NULL: memb */
    /* For P_trim: drops the pages of a part of what the allocator gave, size bytes from memory on,
       and keeps the addresses; what is read there next may be anything. context is the allocator's.
       Any thread. NULL: none, or the system's where the allocator is the C library's */
    void (*purge)(void *context, void *memory, size_t size);
} vf_pool_options;

/*
 * A pool in numbers, see P_stats. capacity = live + cached + depot + fresh + retired.
 * Sizes are in bytes, all else counts batches or objects.
 */
typedef struct vf_pool_stats {
    size_t batches;       /* batches held */
    size_t batch_objects; /* objects in each */
    size_t stride;        /* bytes from one object to the next */
    size_t bytes;         /* all memory held for this pool, bookkeeping included */
    size_t capacity;      /* objects in all batches */
    size_t live;          /* handed out; includes deferred */
    size_t cached;        /* free, in caches */
    size_t depot;         /* free, in the depot */
    size_t fresh;         /* never handed out yet */
    size_t deferred;      /* waiting for a grace period */
    size_t peak;          /* the most live objects that P_stats or a slow call has seen; the latter
                             counts what is in other threads' caches as well */
    size_t retired;       /* with VF_HANDLE: free for good, since their generations are used up */
} vf_pool_stats;

/*
 * The options of a small buffer. All zero: the defaults. Kept by reference: S_init stores their
 * address, so they may serve many buffers, and must outlive them and stay unchanged.
 */
typedef struct vf_smallbuf_options {
    VF_ALIGNAS(8) vf_allocator allocator; /* where the memory behind VF_N comes from */
    size_t max_elements;                  /* hard cap on slots in use, with VF_FLIP of each bank;
                                             0: none */
    size_t first_chunk; /* elements in the first chunk, rounded up to a power of two; 0: chosen by
                           the library (VF_N, but 256 bytes at least) */
} vf_smallbuf_options;

/*
 * vf_pool_stats_print for numbers that are `size` bytes: those of a program that is built against
 * another version of the headers, with fewer numbers or more.
 */
VF_API void vf_pool_stats_print_sized(FILE *out, const char *name, const vf_pool_stats *stats,
                                      size_t size);

/* A program may call other things stats or name. */
VF_NAMES_BEGIN

/*
 * Prints the statistics as one line: the Debug text of the Rust crate, and behind it the rest in
 * columns, so that the lines of several pools can be compared:
 *
 *     name: Pool { 2 blocks, 256 elements with 64 stride in each. 33380 bytes allocated total for
 *     512 possible elements }     300 live,   20 cached,   0 depot,   192 fresh,   0 deferred, ...
 *
 * Any thread. Errors of writing are left to the stream (ferror). Costs a line written to it.
 */
static inline VF_UNUSED void vf_pool_stats_print(FILE *out, const char *name,
                                                 const vf_pool_stats *stats)
{
    vf_pool_stats_print_sized(out, name, stats, sizeof *stats);
}
VF_NAMES_END

/*
 * Gives the calling thread's cached objects of every pool to the pools' depots, where other threads
 * find them: for a worker that is about to sleep for long. The thread goes on as before.
 *
 * Any thread, at any time; a thread that exits does it by itself. Never fails. Costs a few
 * hundred nanoseconds for each pool that the thread uses, under the lock that starting and exiting
 * threads take.
 */
VF_API void vf_thread_flush(void);

/*
 * The VF_VERSION_NUMBER of the library that runs: where it is a shared one, not less than that of
 * the headers that the program was built with, and perhaps more.
 *
 * Any thread, at any time. Costs a call.
 */
VF_API unsigned vf_version(void);

VF_EXTERN_C_END

#endif
