/*
 * thread.c - threads: their indices, their caches, their end.
 *
 *     vf_thread_index = 5                    records[5].caches -> cache of pool A -> of pool B
 *                       |                                              |
 *                       +--> pool A's table: [ -  -  c  c  -  *  - ]   +--> idle, when 5 has ended
 *
 * A thread gets an index at its first slow call, and the index goes to another thread when it has
 * ended. Index 0 is everybody's before, 1 everybody's after. A thread works without a cache,
 * through the depot, at index 0 while it cannot get one (memory is spent, or another thread holds
 * the lock: nobody waits for it here), and at index 1.
 *
 * A thread's end shows by its exit hook, a destructor of thread-specific data. A thread whose very
 * first call comes from the last round of such destructors ends without it. What it leaves is
 * found by reaping: the threads behind all indices are looked for, when indices or memory run out.
 */
#define _GNU_SOURCE /* syscall */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#    include <sys/syscall.h>
#    include <unistd.h>
#endif

#include "pool.h"
#include "threads_seen.h"

/* The first two have no cache in any table, index 0 by itself and 1 because none is set. */
#define BEFORE 0 /* index of a thread that has none yet */
#define AFTER  1 /* index of a thread whose exit hook has run */
#define FIRST  2

#define FIRST_RECORDS 64

/* So many new indices, and as large a part of those there are, from one vain reaping to the next.
 */
#define REAP_STEP 8

VF_TLS uint32_t vf_thread_index = BEFORE;

typedef struct record {
    vf_thread_cache *caches; /* attached to this index */
    uint32_t next_free;
    long system_id; /* of the thread; 0: the index is free */
} record;

/* under the lock, all of it */
static struct {
    pthread_key_t exit_key;
    bool has_exit_key;
    record *records; /* by index; from the C library: they belong to no pool */
    uint32_t records_room;
    uint32_t high;       /* no index so high has been given */
    uint32_t free_index; /* the first of those that came back, 0: none */
    uint32_t next_reap;  /* look for threads that are gone before going so high */
} threads = {.high = FIRST, .next_reap = FIRST + REAP_STEP};

#ifdef __linux__
static long own_system_id(void)
{
    return syscall(SYS_gettid);
}

/* Has the thread ended? Another one may have its number now, and hide it until that ends too. */
static bool is_gone(long system_id)
{
    return syscall(SYS_tgkill, (long)getpid(), system_id, 0L) != 0 && errno == ESRCH;
}
#else
static long own_system_id(void)
{
    return 1;
}

static bool is_gone(long system_id)
{
    (void)system_id;
    return false;
}
#endif

static bool grow_records(uint32_t room)
{
    record *records = realloc(threads.records, room * sizeof *records);
    if (records == NULL)
        return false;
    memset(records + threads.records_room, 0, (room - threads.records_room) * sizeof *records);
    threads.records = records;
    threads.records_room = room;
    return true;
}

static void give_index(uint32_t index)
{
    assert(index >= FIRST && threads.records[index].caches == NULL);
    threads.records[index].system_id = 0;
    threads.records[index].next_free = threads.free_index;
    threads.free_index = index;
}

/* Ends a cache's use: its slots go to the depot, what it lent is remembered by the pool, and it
   waits for another owner. The pool may end with it, see release.c. */
void vf_cache_detach(vf_thread_cache *cache)
{
    vf_pool *pool = cache->pool;
    vf_tell_before(&pool->outstanding);
    bool last;
    if (vf_load_relaxed(&pool->closed) && !cache->held) {
        last = vf_pool_settle(pool, cache, 0);
    } else {
        vf_cache_flush(cache);
        int64_t in = cache->in;
        /* in this order, so that who adds both up does not count what is live twice */
        vf_store_relaxed(&cache->in, 0);
        last = vf_pool_return(pool, -in);
    }
    if (cache->held)
        cache->held = false; /* of a thread's it is not written: P_destroy may be looking at it */
    cache->next_of_thread = pool->idle;
    pool->idle = cache;
    if (last)
        vf_pool_end(pool);
}

/* Detaches all caches of a thread that has ended, and takes its index back. In the child of a fork
   liburcu may not be ready: what was deferred there stays open, and goes out with what the cache's
   next owner defers. */
static void thread_end(uint32_t index, bool forked)
{
    record *own = &threads.records[index];
    while (own->caches != NULL) {
        vf_thread_cache *cache = own->caches;
        own->caches = cache->next_of_thread;
        vf_table_set(cache->pool, index, &vf_no_cache);
        cache->thread = 0;
        if (!forked)
            vf_epoch_flush(cache);
        vf_cache_detach(cache);
    }
    give_index(index);
}

/* Ends the threads that went without their exit hook; were there any? The lock is held. */
static bool reap(void)
{
    bool reaped = false;
    int saved = errno;
    for (uint32_t i = FIRST; i < threads.high; i++) {
        long system_id = threads.records[i].system_id;
        if (system_id != 0 && i != vf_thread_index && is_gone(system_id)) {
            thread_end(i, false);
            reaped = true;
        }
    }
    errno = saved;
    return reaped;
}

/* The same, for who needs slots; false too where somebody holds the lock right now. */
bool vf_threads_reap(void)
{
    if (!vf_threads_try_enter())
        return false;
    bool reaped = reap();
    vf_threads_leave();
    return reaped;
}

/* An index for a thread that has none; BEFORE where memory is spent. */
static uint32_t take_index(void)
{
    /* not for each if in vain: looking at all threads shall not cost each new one more and more */
    if (threads.free_index == 0 && threads.high >= threads.next_reap && !reap())
        threads.next_reap = threads.high + REAP_STEP + threads.high / REAP_STEP;
    uint32_t index = threads.free_index;
    if (index != 0) {
        threads.free_index = threads.records[index].next_free;
        return index;
    }
    if (threads.high == threads.records_room || threads.records_room == 0) {
        if (!grow_records(threads.records_room == 0 ? FIRST_RECORDS : 2 * threads.high))
            return BEFORE;
    }
    return threads.high++;
}

/* Gives the calling thread an index; false where it cannot have one. There is an exit hook: without
   that its end would go unseen. */
static bool thread_begin(void)
{
    uint32_t index = take_index();
    if (index == BEFORE)
        return false;
    if (pthread_setspecific(threads.exit_key, (void *)(uintptr_t)index) != 0) {
        give_index(index);
        return false;
    }
    threads.records[index].system_id = own_system_id();
    vf_thread_index = index;
    return true;
}

/* A cache without an owner, an old one rather than a new; NULL where memory is spent. */
vf_thread_cache *vf_cache_adopt(vf_pool *pool)
{
    vf_thread_cache *cache = pool->idle;
    if (cache != NULL) {
        pool->idle = cache->next_of_thread;
        return cache;
    }
    cache = vf_cache_new(pool);
    if (cache != NULL)
        vf_cache_add(cache);
    return cache;
}

static bool is_cacheless(const vf_pool *pool)
{
    return pool->uncached || pool->capped != NULL;
}

static void set_entry(vf_pool *pool, vf_thread_cache *cache)
{
    if (is_cacheless(pool))
        vf_table_set_aside(pool, vf_thread_index, &cache->fast);
    else
        vf_table_set(pool, vf_thread_index, &cache->fast);
}

/*
 * Gives the calling thread a cache of the pool. NULL where it must do without: it has exited, or
 * the process has, the pool has no caches or is released, memory is spent, or somebody holds the
 * lock right now.
 */
vf_thread_cache *vf_thread_attach(vf_pool *pool)
{
    return is_cacheless(pool) ? NULL : vf_thread_attach_aside(pool);
}

/* The thread's own, which P_trim has taken out of its sight for a while; NULL: it has none. */
static vf_thread_cache *own_again(vf_pool *pool)
{
    vf_thread_cache *cache = vf_thread_attached(pool);
    if (cache != NULL)
        vf_cache_unseize(cache);
    return cache;
}

/* One that was another thread's, or a new one; NULL where memory is spent. */
static vf_thread_cache *adopt(vf_pool *pool)
{
    vf_thread_cache *cache = vf_cache_adopt(pool);
    if (cache != NULL) {
        record *own = &threads.records[vf_thread_index];
        cache->thread = vf_thread_index;
        cache->next_of_thread = own->caches;
        own->caches = cache;
    }
    return cache;
}

/* The same, also where the pool has no caches: then one for what the thread defers, and no more. */
vf_thread_cache *vf_thread_attach_aside(vf_pool *pool)
{
    if (vf_thread_index == AFTER || !vf_threads_try_enter())
        return NULL;
    int saved = errno;
    vf_thread_cache *cache = NULL;
    if (!vf_load_relaxed(&pool->closed) && threads.has_exit_key &&
        (vf_thread_index != BEFORE || thread_begin()) && vf_table_grow(pool, vf_thread_index)) {
        cache = own_again(pool);
        if (cache == NULL)
            cache = adopt(pool);
        if (cache != NULL)
            set_entry(pool, cache);
    }
    errno = saved;
    vf_threads_leave();
    return cache;
}

/* The exit hook: what a thread has ends with it. It may still call, at index AFTER. */
static void thread_exit(void *index)
{
    vf_threads_enter();
    vf_thread_index = AFTER;
    if (threads.records != NULL) /* else the process has just ended */
        thread_end((uint32_t)(uintptr_t)index, false);
    vf_threads_leave();
}

void vf_thread_flush(void)
{
    if (vf_thread_index < FIRST)
        return;
    vf_threads_enter();
    vf_thread_cache *cache =
        threads.records != NULL ? threads.records[vf_thread_index].caches : NULL;
    for (; cache != NULL; cache = cache->next_of_thread) {
        vf_epoch_flush(cache);
        if (!vf_load_relaxed(&cache->pool->closed))
            vf_cache_flush(cache);
        else if (vf_pool_settle(cache->pool, cache, 0))
            vf_pool_end(cache->pool); /* its memory stays until the lock is left */
    }
    vf_threads_leave();
}

/* In the child of a fork: ends all threads but the one that is left, which is another now. */
void vf_threads_end_others(void)
{
    for (vf_pool *pool = vf_pools; pool != NULL; pool = pool->next) {
        for (vf_thread_cache *cache = pool->caches; cache != NULL; cache = cache->next) {
            if (cache->held || (cache->thread != 0 && cache->thread != vf_thread_index))
                vf_cache_abandon(cache);
        }
    }
    for (uint32_t i = FIRST; i < threads.high; i++) {
        if (threads.records[i].system_id == 0)
            continue;
        if (i == vf_thread_index) {
            threads.records[i].system_id = own_system_id();
            continue;
        }
        thread_end(i, true);
    }
}

/* Takes an attached cache off its thread's list. */
void vf_thread_forget(vf_thread_cache *cache)
{
    vf_thread_cache **link = &threads.records[cache->thread].caches;
    while (*link != cache)
        link = &(*link)->next_of_thread;
    *link = cache->next_of_thread;
}

/* Without a key threads have no caches, and all works but slower. */
static void begin_process(void)
{
    threads.has_exit_key = pthread_key_create(&threads.exit_key, thread_exit) == 0;
}

/* As early as can be: handlers of fork that are registered later run before the library's, while it
   has no lock, and after them in the parent and the child, when it has none any more. So they may
   use pools, and a lock of the program's that is held over a fork is always taken first. */
__attribute__((constructor)) static void watch_forks(void)
{
    vf_fork_watch();
}

/* Before the first pool. */
void vf_threads_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_process);
}

/* Sees to what the next thread needs that attaches: its place in the table, and a cache, which
   becomes *spare where there is none. False: out of memory. */
bool vf_threads_prepare(vf_pool *pool, vf_thread_cache **spare)
{
    *spare = NULL;
    if (is_cacheless(pool))
        return true;
    vf_threads_enter();
    uint32_t next = threads.free_index != 0 ? threads.free_index : threads.high;
    bool prepared = vf_table_grow(pool, next);
    if (prepared && pool->idle == NULL) {
        *spare = vf_cache_new(pool);
        prepared = *spare != NULL;
    }
    vf_threads_leave();
    return prepared;
}

/* The next thread that attaches may have it. */
void vf_threads_add_spare(vf_thread_cache *spare)
{
    vf_threads_enter();
    vf_cache_add(spare);
    spare->next_of_thread = spare->pool->idle;
    spare->pool->idle = spare;
    vf_threads_leave();
}

/*
 * A plug-in that has the library inside it takes the exit hook with it when it is unloaded, and
 * what is known of threads. At the process's end it is the same, only that other threads may be
 * inside calls: those go on, without a hook, and nothing that they have is touched. Where one has
 * the lock, or this thread has (an allocator that calls exit), all stays as it is.
 */
__attribute__((destructor)) static void end_process(void)
{
    if (!vf_threads_try_enter())
        return;
    if (threads.has_exit_key)
        pthread_key_delete(threads.exit_key);
    threads.has_exit_key = false;
    if (vf_pools == NULL) { /* so no record has a cache */
        free(threads.records);
        threads.records = NULL;
        threads.records_room = 0;
        threads.high = FIRST;
        threads.free_index = 0;
    }
    vf_threads_leave();
}
