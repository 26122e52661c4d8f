/* SPDX-License-Identifier: MIT */
/*
 * indices.h - the indices of threads, and what belongs to each: a row, and a list of caches.
 *
 *     vf_thread_index = 5                    records[5].caches -> cache of pool A -> of pool B
 *     vf_thread_row                                                    |
 *         +--> thread 5's row: [ -  A  -  B  - ]                       +--> idle, when 5 has ended
 *
 * A thread gets an index at its first slow call, and the index goes to another thread when it has
 * ended. Index 0 is every thread's before that, 1 every thread's after it.
 *
 * A thread's end shows by its exit hook, a destructor of thread-specific data. A thread whose very
 * first call comes from the last round of such destructors ends without it. What it leaves is
 * found by reaping: the threads behind all indices are looked for, when indices or memory run out.
 *
 * With VF_THREAD_INDEX the program has numbered its threads. An index is a number, behind the first
 * two; no thread has to ask for it, none is given back, and no thread's end shows: what it leaves
 * is found by the next thread of its number.
 *
 * All of this under the threads' lock.
 */
#ifndef VF_INDICES_H
#define VF_INDICES_H

#include "pool.h"

/* The first two have no row. */
#define VF_INDEX_BEFORE 0 /* index of a thread that has none yet */
#define VF_INDEX_AFTER  1 /* index of a thread whose exit hook has run */
#define VF_INDEX_FIRST  2

/* Sees to it that the calling thread has an index; false: out of memory, or its end would go
   unseen. */
bool vf_indices_begin(void);

/* The list of the calling thread's caches; NULL: it has no index, or only a number of the
   program's that no call has come with yet. */
vf_pool_cache **vf_indices_caches(void);

#ifndef VF_THREAD_INDEX
/* The exit hook: takes the index back from the calling thread, which had it, with all its caches. A
   thread that does not have it is left alone. */
void vf_indices_exit(uint32_t index);
#endif

/* Ends the threads that went without their exit hook; were there any? */
bool vf_indices_reap(void);

/* In the child of a fork: ends all threads but the one that is left. */
void vf_indices_after_fork(void);

/* No index has a cache, and none will be given. Rows of threads that have not ended stay: these may
   still make a pool, and look there. */
void vf_indices_end(void);

#endif
