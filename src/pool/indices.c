/* SPDX-License-Identifier: MIT */
/*
 * indices.c - see indices.h.
 */
#include "indices.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../platform/exit.h"
#include "../platform/tid.h"
#include "attach.h"
#include "epoch.h"

#ifdef VF_THREAD_INDEX
#    define LAST (VF_INDEX_FIRST + VF_ROW_NUMBERS - 1)
#endif

#define FIRST_RECORDS 64

/* So many new indices, and as large a part of those there are, from one reaping without effect to
   the next. */
#define REAP_STEP 8

#ifndef VF_THREAD_INDEX
VF_TLS uint32_t vf_thread_index = VF_INDEX_BEFORE;
VF_TLS uint64_t vf_thread_lane_number;
#endif
#ifdef VF_DLL
uint32_t vf_thread_own(void)
{
    return vf_thread_index;
}

uint64_t vf_thread_lane(void)
{
    return vf_thread_lane_number;
}
#endif

typedef struct record {
    vf_pool_cache *caches; /* attached to this index */
    vf_row *row;           /* NULL before its first thread */
    uint32_t next_free;
    long system_id; /* of the thread; 0: the index is free */
} record;

/* threads' lock, all of it */
static struct {
    record *records;     /* by index; from the C library: they belong to no pool */
    uint32_t capacity;   /* of records */
    uint32_t high;       /* no index so high has been given */
    uint32_t free_index; /* the first of those that came back, 0: none */
    uint32_t next_reap;  /* look for threads that are gone before going so high */
} indices = {.high = VF_INDEX_FIRST, .next_reap = VF_INDEX_FIRST + REAP_STEP};

/* ---- the records ---- */

static bool grow_records(uint32_t capacity)
{
    assert(vf_lock_held());
    record *records = realloc(indices.records, capacity * sizeof *records);
    if (records == NULL)
        return false;
    memset(records + indices.capacity, 0, (capacity - indices.capacity) * sizeof *records);
    for (uint32_t i = 0; i < indices.capacity; i++) {
        if (records[i].caches != NULL)
            records[i].caches->link_of_owner = &records[i].caches;
    }
    indices.records = records;
    indices.capacity = capacity;
    return true;
}

static void give_index(uint32_t index)
{
    assert(vf_lock_held() && index >= VF_INDEX_FIRST && indices.records[index].caches == NULL);
    indices.records[index].system_id = 0;
    indices.records[index].next_free = indices.free_index;
    indices.free_index = index;
}

/* Gives the calling thread the row of its index; false: out of memory. */
static bool enter_row(uint32_t index)
{
    assert(vf_lock_held());
    record *own = &indices.records[index];
    if (own->row == NULL)
        own->row = vf_row_new();
    if (own->row != NULL)
        vf_row_set_own(own->row);
    return own->row != NULL;
}

/* Detaches all caches of a thread that has ended, and takes its index back. In the child of a fork
   liburcu may not be ready: what was deferred there stays open, and goes out with what the cache's
   next owner defers. */
static void thread_end(uint32_t index, bool forked)
{
    assert(vf_lock_held());
    record *own = &indices.records[index];
    while (own->caches != NULL) {
        vf_pool_cache *cache = vf_attach_take_first(&own->caches);
        if (!forked)
            vf_epoch_send_open(cache);
        vf_attach_detach(cache);
    }
    give_index(index);
}

#ifdef VF_THREAD_INDEX
/* Another thread may have the number by now, with all that the one before it left. */
bool vf_indices_reap(void)
{
    return false;
}

static bool thread_has_index(void)
{
    return vf_thread_own() < indices.high && indices.records[vf_thread_own()].system_id != 0;
}

/* Makes the calling thread's record; false: out of memory. */
static bool thread_begin(void)
{
    uint32_t index = vf_thread_own();
    assert(vf_lock_held() && index >= VF_INDEX_FIRST && index <= LAST);
    if (index >= indices.capacity &&
        !grow_records(index < FIRST_RECORDS ? FIRST_RECORDS : LAST + 1))
        return false;
    if (index >= indices.high)
        indices.high = index + 1;
    if (!enter_row(index))
        return false;
    indices.records[index].system_id = vf_tid_own();
    return true;
}
#else
bool vf_indices_reap(void)
{
    assert(vf_lock_held());
    bool reaped = false;
    int saved = errno;
    for (uint32_t i = VF_INDEX_FIRST; i < indices.high; i++) {
        long system_id = indices.records[i].system_id;
        if (system_id != 0 && i != vf_thread_own() && vf_tid_is_gone(system_id)) {
            thread_end(i, false);
            reaped = true;
        }
    }
    errno = saved;
    return reaped;
}

/* An index for a thread that has none; VF_INDEX_BEFORE: out of memory. */
static uint32_t take_index(void)
{
    assert(vf_lock_held());
    /* Not for each new thread where it has no effect: a look at all threads for each would cost
       more and more. */
    if (indices.free_index == 0 && indices.high >= indices.next_reap && !vf_indices_reap())
        indices.next_reap = indices.high + REAP_STEP + indices.high / REAP_STEP;
    uint32_t index = indices.free_index;
    if (index != 0) {
        indices.free_index = indices.records[index].next_free;
        return index;
    }
    if (indices.high == indices.capacity || indices.capacity == 0) {
        if (!grow_records(indices.capacity == 0 ? FIRST_RECORDS : 2 * indices.high))
            return VF_INDEX_BEFORE;
    }
    return indices.high++;
}

/* False where the thread cannot have one. There is an exit hook: without that its end would go
   unseen. */
static bool thread_begin(void)
{
    uint32_t index = take_index(); /* asserts the lock */
    if (index == VF_INDEX_BEFORE)
        return false;
    if (!vf_exit_set((void *)(uintptr_t)index) || !enter_row(index)) {
        give_index(index);
        return false;
    }
    indices.records[index].system_id = vf_tid_own();
    vf_thread_index = index;
    return true;
}

static bool thread_has_index(void)
{
    return vf_thread_own() != VF_INDEX_BEFORE;
}

/* Is the calling thread the one that has the index? The thread-local one does not tell at a
   thread's end: where such variables are emulated, as by mingw-w64's gcc, it may be gone by then,
   and reads as a new thread's. */
static bool is_own(uint32_t index)
{
    return indices.records == NULL || indices.records[index].system_id == vf_tid_own();
}

void vf_indices_exit(uint32_t index)
{
    assert(vf_lock_held());
    if (!is_own(index))
        return;
    if (vf_thread_lane_number == index)
        vf_thread_lane_number = 0; /* its lanes are the next thread's */
    vf_thread_index = VF_INDEX_AFTER;
    vf_row_set_own(NULL);
    if (indices.records != NULL) /* else the process has just ended */
        thread_end(index, false);
}
#endif

/* ---- of all threads ---- */

bool vf_indices_begin(void)
{
    assert(vf_lock_held());
    return thread_has_index() || thread_begin();
}

vf_pool_cache **vf_indices_caches(void)
{
    assert(vf_lock_held());
    uint32_t index = vf_thread_own();
    return index >= VF_INDEX_FIRST && index < indices.high ? &indices.records[index].caches : NULL;
}

void vf_indices_after_fork(void)
{
    assert(vf_lock_held());
    for (uint32_t i = VF_INDEX_FIRST; i < indices.high; i++) {
        if (indices.records[i].system_id == 0)
            continue;
        if (i == vf_thread_own()) /* the one that is left, which is another now */
            indices.records[i].system_id = vf_tid_own();
        else
            thread_end(i, true);
    }
}

static void free_rows(void)
{
    assert(vf_lock_held());
    vf_row_set_own(NULL);
    for (uint32_t i = VF_INDEX_FIRST; i < indices.high; i++) {
        const record *of = &indices.records[i];
        if (of->row != NULL && (of->system_id == 0 || i == vf_thread_own()))
            vf_row_free(of->row);
    }
}

void vf_indices_end(void)
{
    free_rows(); /* asserts the lock */
    free(indices.records);
    indices.records = NULL;
    indices.capacity = 0;
    indices.high = VF_INDEX_FIRST;
    indices.free_index = 0;
}
