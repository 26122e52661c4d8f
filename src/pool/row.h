/* SPDX-License-Identifier: MIT */
/*
 * row.h - a row for each thread, with a column for each pool: which cache the thread's fast paths
 * find.
 *
 *                        pool A  pool B            free
 *     thread 5's row:  [   c   |   c   |   0   |   0   | ...     c: a cache, 0: none
 *     thread 6's row:  [   0   |   c   |   0   |   0   | ...
 *
 * A row has address space for all columns, and memory for the pages that were written to. It goes
 * with the thread's index to the next thread. The lowest free column is taken first, so that rows
 * stay short. A pool that finds none free has a column in which no thread ever has a cache.
 */
#ifndef VF_ROW_H
#define VF_ROW_H

#include "cache.h"

#ifdef VF_THREAD_INDEX
#    define VF_ROW_NUMBERS 4096 /* a thread's number is below it */
#endif

/* Entries in a row: so many pools at a time, less one, have caches for threads. */
#ifndef VF_COLUMNS
#    define VF_COLUMNS (sizeof(void *) == 8 ? 16384 : 4096)
#endif

struct vf_row {
    vf_cache none; /* empty and full at once; not written once a pool is there */
    /* atomic: a cache's address less the row's, or 0; threads' lock, and read without it by the
       row's thread */
    uintptr_t entries[VF_COLUMNS];
};

_Static_assert(offsetof(vf_row, none) == 0, "an entry of 0 leads to it");

/* The column in which no thread has a cache. */
#define VF_ROW_NO_COLUMN offsetof(vf_row, entries)

/* Before the first pool is there. */
void vf_row_init(void);

/* All below: threads' lock. */

/* A row without caches; NULL: out of memory. May change errno. */
vf_row *vf_row_new(void);
void vf_row_free(vf_row *row);

/* The calling thread's row from here on; NULL: it has none. */
void vf_row_set_own(vf_row *row);

/* A column for a new pool, in which no row has a cache. It is to be given back like that. */
size_t vf_row_take_column(void);
void vf_row_give_column(size_t column);

/* What the row's thread finds from here on; NULL: no cache. */
void vf_row_set(vf_row *row, size_t column, const vf_cache *cache);

/* Does it find this one? By the row's thread, without the lock. */
static inline bool vf_row_has(const vf_row *row, size_t column, const vf_cache *cache)
{
    const uintptr_t *entry = (const void *)((const char *)row + column);
    /* acquire: pairs with the release in vf_row_set: what a thread that seizes has read in the
       cache comes before what this thread is about to write there */
    return vf_load_acquire(entry) == (uintptr_t)cache - (uintptr_t)row;
}

#endif
