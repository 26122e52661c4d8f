/* SPDX-License-Identifier: MIT */
/*
 * threads.c - see threads.h.
 *
 *     vf_thread_index = 5                    records[5].caches -> cache of pool A -> of pool B
 *     vf_thread_row                                                    |
 *         +--> thread 5's row: [ -  A  -  B  - ]                       +--> idle, when 5 has ended
 *
 * A thread gets an index at its first slow call, and the index goes to another thread when it has
 * ended. Index 0 is every thread's before that, 1 every thread's after it. A thread works without a
 * cache, through the depot, at index 0 while it cannot get one (out of memory, or another thread
 * holds the lock: no thread waits for it here), and at index 1.
 *
 * A thread's end shows by its exit hook, a destructor of thread-specific data. A thread whose very
 * first call comes from the last round of such destructors ends without it. What it leaves is
 * found by reaping: the threads behind all indices are looked for, when indices or memory run out.
 *
 * With VF_THREAD_INDEX the program has numbered its threads. An index is a number, behind the first
 * two; no thread has to ask for it, none is given back, and no thread's end shows: what it leaves
 * is found by the next thread of its number.
 *
 * Fork: the threads' lock is held over it, so what it guards is whole in the child. All else is
 * whole at each moment: a bit of the depot is one bit, a cache's slots below top are free, once,
 * whatever its owner was in the midst of, and a pool grows in steps that leave it whole. So a
 * pool's growth lock is not acquired, but initialised again in the child, and what lists batches is
 * made from the bits. Slots that a thread had in its hands are lost with it and count as live. The
 * caches of the threads that did not come along are detached, as if these had ended; those held by
 * callers stay open.
 */
#include "threads.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../platform/exit.h"
#include "../platform/fork.h"
#include "../platform/once.h"
#include "../platform/tid.h"
#include "attach.h"
#include "epoch.h"
#include "map.h"
#include "release.h"

/* The first two have no row. */
#define BEFORE 0 /* index of a thread that has none yet */
#define AFTER  1 /* index of a thread whose exit hook has run */
#define FIRST  2
#ifdef VF_THREAD_INDEX
#    define LAST (FIRST + VF_ROW_NUMBERS - 1)
#endif

#define FIRST_RECORDS 64

/* So many new indices, and as large a part of those there are, from one reaping without effect to
   the next. */
#define REAP_STEP 8

#ifndef VF_THREAD_INDEX
VF_TLS uint32_t vf_thread_index = BEFORE;
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

static vf_pool *all_pools; /* threads' lock; by this name a debugger finds them */

/* threads' lock, all of it */
static struct {
    bool attaches;       /* threads can have caches */
    record *records;     /* by index; from the C library: they belong to no pool */
    uint32_t capacity;   /* of records */
    uint32_t high;       /* no index so high has been given */
    uint32_t free_index; /* the first of those that came back, 0: none */
    uint32_t next_reap;  /* look for threads that are gone before going so high */
} threads = {.high = FIRST, .next_reap = FIRST + REAP_STEP};

/* ---- indices ---- */

static bool grow_records(uint32_t capacity)
{
    assert(vf_lock_held());
    record *records = realloc(threads.records, capacity * sizeof *records);
    if (records == NULL)
        return false;
    memset(records + threads.capacity, 0, (capacity - threads.capacity) * sizeof *records);
    for (uint32_t i = 0; i < threads.capacity; i++) {
        if (records[i].caches != NULL)
            records[i].caches->link_of_owner = &records[i].caches;
    }
    threads.records = records;
    threads.capacity = capacity;
    return true;
}

static void give_index(uint32_t index)
{
    assert(vf_lock_held() && index >= FIRST && threads.records[index].caches == NULL);
    threads.records[index].system_id = 0;
    threads.records[index].next_free = threads.free_index;
    threads.free_index = index;
}

/* Gives the calling thread the row of its index; false: out of memory. */
static bool enter_row(uint32_t index)
{
    assert(vf_lock_held());
    record *own = &threads.records[index];
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
    record *own = &threads.records[index];
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
static bool reap(void)
{
    return false;
}

static bool thread_has_index(void)
{
    return vf_thread_own() < threads.high && threads.records[vf_thread_own()].system_id != 0;
}

/* Makes the calling thread's record; false: out of memory. */
static bool thread_begin(void)
{
    uint32_t index = vf_thread_own();
    assert(vf_lock_held() && index >= FIRST && index <= LAST);
    if (index >= threads.capacity &&
        !grow_records(index < FIRST_RECORDS ? FIRST_RECORDS : LAST + 1))
        return false;
    if (index >= threads.high)
        threads.high = index + 1;
    if (!enter_row(index))
        return false;
    threads.records[index].system_id = vf_tid_own();
    return true;
}
#else
/* Ends the threads that went without their exit hook; were there any? */
static bool reap(void)
{
    assert(vf_lock_held());
    bool reaped = false;
    int saved = errno;
    for (uint32_t i = FIRST; i < threads.high; i++) {
        long system_id = threads.records[i].system_id;
        if (system_id != 0 && i != vf_thread_own() && vf_tid_is_gone(system_id)) {
            thread_end(i, false);
            reaped = true;
        }
    }
    errno = saved;
    return reaped;
}

/* An index for a thread that has none; BEFORE: out of memory. */
static uint32_t take_index(void)
{
    assert(vf_lock_held());
    /* Not for each new thread where it has no effect: a look at all threads for each would cost
       more and more. */
    if (threads.free_index == 0 && threads.high >= threads.next_reap && !reap())
        threads.next_reap = threads.high + REAP_STEP + threads.high / REAP_STEP;
    uint32_t index = threads.free_index;
    if (index != 0) {
        threads.free_index = threads.records[index].next_free;
        return index;
    }
    if (threads.high == threads.capacity || threads.capacity == 0) {
        if (!grow_records(threads.capacity == 0 ? FIRST_RECORDS : 2 * threads.high))
            return BEFORE;
    }
    return threads.high++;
}

/* Gives the calling thread an index; false where it cannot have one. There is an exit hook: without
   that its end would go unseen. */
static bool thread_begin(void)
{
    uint32_t index = take_index(); /* asserts the lock */
    if (index == BEFORE)
        return false;
    if (!vf_exit_set((void *)(uintptr_t)index) || !enter_row(index)) {
        give_index(index);
        return false;
    }
    threads.records[index].system_id = vf_tid_own();
    vf_thread_index = index;
    return true;
}

static bool thread_has_index(void)
{
    return vf_thread_own() != BEFORE;
}
#endif

bool vf_threads_reap(void)
{
    if (!vf_lock_try())
        return false;
    bool reaped = reap();
    vf_lock_release();
    return reaped;
}

/* ---- attaching ---- */

vf_pool_cache *vf_threads_attach(vf_pool *pool)
{
    return pool->uncached ? NULL : vf_threads_attach_for_defer(pool);
}

/* The thread's own, which P_trim has hidden from it for a while, or a new one; NULL: out of
   memory. */
static vf_pool_cache *own_or_new(vf_pool *pool)
{
    assert(vf_lock_held());
    vf_pool_cache *cache = vf_attach_own(pool);
    if (cache == NULL)
        return vf_attach_new(pool, &threads.records[vf_thread_own()].caches);
    vf_cache_unseize(cache);
    return cache;
}

vf_pool_cache *vf_threads_attach_for_defer(vf_pool *pool)
{
    if (vf_thread_own() == AFTER || pool->core.column == VF_ROW_NO_COLUMN || !vf_lock_try())
        return NULL;
    int saved = errno;
    vf_pool_cache *cache = NULL;
    if (!vf_load_relaxed(&pool->closed) && threads.attaches &&
        (thread_has_index() || thread_begin())) {
        cache = own_or_new(pool);
        if (cache != NULL)
            vf_attach_show(cache);
    }
    errno = saved;
    vf_lock_release();
    return cache;
}

bool vf_threads_prepare(vf_pool *pool, vf_pool_cache **spare)
{
    *spare = NULL;
    if (pool->uncached)
        return true;
    vf_lock_acquire();
    bool prepared = pool->idle != NULL;
    if (!prepared) {
        *spare = vf_cache_new(pool, &pool->depot, pool->cache_limit);
        prepared = *spare != NULL;
    }
    vf_lock_release();
    return prepared;
}

void vf_threads_add_spare(vf_pool_cache *spare)
{
    vf_lock_acquire();
    vf_cache_add(&spare->pool->caches, spare);
    vf_attach_add_idle(spare);
    vf_lock_release();
}

/* ---- the end of a thread ---- */

#ifndef VF_THREAD_INDEX
/* Is the calling thread the one that has the index? The thread-local one does not tell at a
   thread's end: where such variables are emulated, as by mingw-w64's gcc, it may be gone by then,
   and reads as a new thread's. */
static bool is_own(uint32_t index)
{
    return threads.records == NULL || threads.records[index].system_id == vf_tid_own();
}

/* The exit hook: what a thread has ends with it. It may still call, at index AFTER. On Windows a
   thread may end another thread's fibre, which this then outlives: see reap. */
static void thread_exit(void *value)
{
    uint32_t index = (uint32_t)(uintptr_t)value;
    vf_lock_acquire();
    if (is_own(index)) {
        if (vf_thread_lane_number == index)
            vf_thread_lane_number = 0; /* its lanes are the next thread's */
        vf_thread_index = AFTER;
        vf_row_set_own(NULL);
        if (threads.records != NULL) /* else the process has just ended */
            thread_end(index, false);
    }
    vf_lock_release();
}
#endif

void vf_thread_flush(void)
{
    if (vf_thread_own() < FIRST)
        return;
    vf_lock_acquire();
    vf_pool_cache *cache =
        vf_thread_own() < threads.high ? threads.records[vf_thread_own()].caches : NULL;
    for (; cache != NULL; cache = cache->next_of_owner) {
        vf_epoch_send_open(cache);
        if (!vf_load_relaxed(&cache->pool->closed))
            vf_cache_flush(cache);
        else if (vf_release_settle(cache->pool, cache, 0))
            vf_release_end(cache->pool); /* its memory stays until the lock is released */
    }
    vf_lock_release();
}

/* ---- forks ---- */

#if VF_FORKS
static void before_fork(void)
{
    vf_lock_acquire();
}

static void in_parent(void)
{
    vf_lock_release();
}

/* Ends all threads but the one that is left, which is another now. */
static void end_others(void)
{
    assert(vf_lock_held());
    for (uint32_t i = FIRST; i < threads.high; i++) {
        if (threads.records[i].system_id == 0)
            continue;
        if (i == vf_thread_own())
            threads.records[i].system_id = vf_tid_own();
        else
            thread_end(i, true);
    }
}

static void in_child(void)
{
    vf_map_after_fork();
    for (vf_pool *pool = all_pools; pool != NULL; pool = pool->next) {
        vf_mutex_init(&pool->growth);
        vf_depot_after_fork(&pool->depot);
        vf_epoch_after_fork(pool);
        for (vf_pool_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
            if (cache->held || (cache->thread != 0 && cache->thread != vf_thread_own()))
                vf_cache_abandon(cache);
        }
    }
    end_others();
    vf_lock_release();
}

/* As early as can be: handlers of fork that are registered later run before the library's, while it
   has no lock, and after them in the parent and the child, when it has none any more. So they may
   use pools, and a lock of the program's that is held over a fork is always acquired first. */
VF_AT_LOAD(300) static void watch_forks(void)
{
    vf_fork_watch(before_fork, in_parent, in_child);
}
#endif

/* ---- the beginning and the end ---- */

/* Not those of threads that have not ended: these may still make a pool, and look there. */
static void free_rows(void)
{
    assert(vf_lock_held());
    vf_row_set_own(NULL);
    for (uint32_t i = FIRST; i < threads.high; i++) {
        const record *of = &threads.records[i];
        if (of->row != NULL && (of->system_id == 0 || i == vf_thread_own()))
            vf_row_free(of->row);
    }
}

/*
 * A plug-in that has the library inside it takes the exit hook with it when it is unloaded, and
 * what is known of threads. At the process's end it is the same, only that other threads may be
 * inside calls: those go on, without a hook, and nothing that they have is touched. Where one holds
 * the lock, or this thread does (an allocator that calls exit), all stays as it is.
 */
static void end_process(void)
{
    if (!vf_lock_try())
        return;
    if (threads.attaches)
        vf_exit_close();
    threads.attaches = false;
    if (all_pools == NULL) { /* so no record has a cache */
        vf_map_end();
        free_rows();
        free(threads.records);
        threads.records = NULL;
        threads.capacity = 0;
        threads.high = FIRST;
        threads.free_index = 0;
    }
    vf_lock_release();
}

/* Where a thread's end would go unseen threads have no caches, and all works but slower. */
static void begin_process(void)
{
    vf_row_init();
#ifdef VF_THREAD_INDEX
    (void)vf_exit_open(NULL, end_process);
    threads.attaches = true;
#else
    threads.attaches = vf_exit_open(thread_exit, end_process);
#endif
}

static void begin_process_once(void)
{
    static vf_once once = VF_ONCE_INIT;
    vf_once_run(&once, begin_process);
}

#ifdef VF_THREAD_INDEX
uint64_t vf_thread_lane_begin(void)
{
    return vf_thread_lane();
}
#else
/* The calling thread's index; BEFORE or AFTER where it cannot have one now. */
static uint32_t own_or_begin(void)
{
    begin_process_once();
    if (vf_thread_own() != BEFORE || !vf_lock_try())
        return vf_thread_own();
    int saved = errno;
    if (threads.attaches)
        (void)thread_begin();
    errno = saved;
    vf_lock_release();
    return vf_thread_own();
}

uint64_t vf_thread_lane_begin(void)
{
    static uint64_t others; /* atomic: threads without an index; behind all indices */
    if (vf_thread_lane_number == 0) {
        uint64_t index = own_or_begin();
        /* relaxed: only that no two are the same */
        vf_thread_lane_number =
            index >= FIRST ? index : UINT64_MAX - vf_fetch_add_relaxed(&others, 1);
    }
    return vf_thread_lane_number;
}
#endif

void vf_threads_add_pool(vf_pool *pool)
{
    begin_process_once();
    vf_lock_acquire();
    pool->next = all_pools;
    pool->link = &all_pools;
    if (all_pools != NULL)
        all_pools->link = &pool->next;
    all_pools = pool;
    pool->core.column = vf_row_take_column();
    pool->uncached = pool->uncached || pool->core.column == VF_ROW_NO_COLUMN;
    vf_lock_release();
}
