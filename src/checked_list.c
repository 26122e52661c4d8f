/*
 * checked_list.c - the pools there are, and the quarantines: what the lock of the checked build
 * guards. No lock is taken while it is held, and nothing called but what waits for none.
 */
#include <string.h>

#include "pool.h"

#define GONE      64 /* pools that are remembered when they have ended */
#define NAME_SIZE 64

typedef struct gone_pool {
    const void *address, *released_at;
    char name[NAME_SIZE];
} gone_pool;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static vf_pool *pools;
static gone_pool gone[GONE];
static size_t gone_next;

static void lock_for_fork(void)
{
    vf_checked_name_lock();
    vf_checked_push_lock();
    pthread_mutex_lock(&lock);
}

static void unlock_after_fork(void)
{
    pthread_mutex_unlock(&lock);
    vf_checked_push_unlock();
    vf_checked_name_unlock();
}

/* Registered before the core's: so its locks are taken first, under which allocators may call. */
static void begin_process(void)
{
    (void)pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
}

void vf_checked_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_process);
}

/* A new pool. */
void vf_checked_add(vf_pool *pool, const vf_pool_type *type)
{
    pthread_mutex_lock(&lock);
    vf_checked *checked = &pool->checked;
    checked->object_size = type->object_size;
    checked->next = pools;
    checked->link = &pools;
    if (pools != NULL)
        pools->checked.link = &checked->next;
    pools = pool;
    pthread_mutex_unlock(&lock);
}

/* The pool's memory is about to go back. */
void vf_checked_forget(vf_pool *pool)
{
    vf_checked *checked = &pool->checked;
    vf_bypass_end(pool);
    if (checked->link == NULL)
        return; /* one that P_new could not finish */
    pthread_mutex_lock(&lock);
    *checked->link = checked->next;
    if (checked->next != NULL)
        checked->next->checked.link = checked->link;
    gone_pool *entry = &gone[gone_next++ % GONE];
    entry->address = pool;
    entry->released_at = checked->released_at;
    strncpy(entry->name, pool->name, sizeof entry->name - 1);
    pthread_mutex_unlock(&lock);
}

static _Noreturn void released_pool(const char *name, const void *address, const char *what,
                                    const void *place, const void *released_at)
{
    char text[VF_PLACE_SIZE];
    vf_place_print(released_at, text, sizeof text);
    vf_misuse(name, address, place, "%s with a released pool@, released at %s", what, text);
}

static _Noreturn void no_pool(const void *address, const char *what, const void *place)
{
    for (size_t i = 1; i <= GONE; i++) {
        const gone_pool *entry = &gone[(gone_next - i) % GONE];
        if (entry->address == address)
            released_pool(entry->name, address, what, place, entry->released_at);
    }
    vf_misuse("a pool", address, place, "%s with what is no pool", what);
}

/* The pool behind the handle, which may be released already where a free is to be done; stops where
   there is none. */
vf_pool *vf_checked_pool(const vf_pool_core *core, bool released_too, const char *what,
                         const void *place)
{
    pthread_mutex_lock(&lock);
    vf_pool *pool = pools;
    while (pool != NULL && &pool->core != core)
        pool = pool->checked.next;
    bool released = pool != NULL && pool->checked.released;
    const void *released_at = pool != NULL ? pool->checked.released_at : NULL;
    pthread_mutex_unlock(&lock);
    if (pool == NULL)
        no_pool(core, what, place);
    if (released && !released_too)
        released_pool(pool->name, pool, what, place, released_at);
    return pool;
}

static bool has_cache(const vf_pool *pool, const vf_cache *fast)
{
    /* acquire: pairs with the release in vf_cache_new */
    const vf_thread_cache *cache = vf_load_acquire(&pool->caches);
    while (cache != NULL && &cache->fast != fast)
        cache = cache->next;
    return cache != NULL && cache->held;
}

/* The pool of a cache that a caller holds, which keeps it alive; stops where nobody does. */
vf_pool *vf_checked_pool_of(const vf_cache *fast, const char *what, const void *place)
{
    pthread_mutex_lock(&lock);
    vf_pool *pool = pools;
    while (pool != NULL && !has_cache(pool, fast))
        pool = pool->checked.next;
    pthread_mutex_unlock(&lock);
    if (pool == NULL)
        vf_misuse("a cache", fast, place, "%s with a released cache, or with none", what);
    return pool;
}

/*
 * Takes out some of the oldest, as a chain, while there are more bytes. Few at a time: what a
 * thread has in its hands is lost to the child of a fork. The lock.
 */
static vf_header *take_oldest(vf_pool *pool, size_t most_bytes, size_t n)
{
    vf_checked *checked = &pool->checked;
    vf_header *chain = checked->first;
    vf_header *last = NULL;
    for (; n > 0 && checked->quarantined * pool->stride > most_bytes; n--) {
        checked->quarantined--;
        checked->taken++;
        last = checked->first;
        checked->first = last->next;
    }
    if (checked->first == NULL)
        checked->last = NULL;
    if (last == NULL)
        return NULL;
    last->next = NULL;
    return chain;
}

/* The oldest, or NULL. */
vf_header *vf_quarantine_get(vf_pool *pool)
{
    pthread_mutex_lock(&lock);
    vf_header *oldest = take_oldest(pool, 0, 1);
    pthread_mutex_unlock(&lock);
    return oldest;
}

/* Of a capped pool that is not released: all to the core, and an alloc never finds a slot in
   neither. */
void vf_quarantine_move(vf_pool *pool)
{
    pthread_mutex_lock(&lock);
    for (vf_header *header; (header = take_oldest(pool, 0, 1)) != NULL;)
        vf_capped_free(pool, vf_object_of(pool, header));
    pthread_mutex_unlock(&lock);
}

/* How many were ever taken out. */
size_t vf_quarantine_taken(vf_pool *pool)
{
    pthread_mutex_lock(&lock);
    size_t taken = pool->checked.taken;
    pthread_mutex_unlock(&lock);
    return taken;
}

/*
 * Puts the object in, and takes one or two others out, as a chain, at once: with the object in
 * there another thread may end the pool; and a capped pool's slot that is in the hands of a free is
 * its object, or has one there in its place, and so never two. NULL: there are none. If the pool is
 * released, the object itself is taken out, and with it all is left to the core.
 */
vf_header *vf_quarantine_exchange(vf_pool *pool, vf_header *header, size_t most_bytes)
{
    vf_checked *checked = &pool->checked;
    pthread_mutex_lock(&lock);
    header->next = NULL;
    vf_header *chain = header;
    if (!checked->released) {
        if (checked->last != NULL)
            checked->last->next = header;
        else
            checked->first = header;
        checked->last = header;
        checked->quarantined++;
        chain = take_oldest(pool, most_bytes, pool->capped != NULL ? 1 : 2);
    }
    pthread_mutex_unlock(&lock);
    return chain;
}

size_t vf_quarantine_count(vf_pool *pool)
{
    pthread_mutex_lock(&lock);
    size_t count = pool->checked.quarantined;
    pthread_mutex_unlock(&lock);
    return count;
}

/* From here on nothing comes into the quarantine. */
void vf_checked_close(vf_pool *pool, const void *place)
{
    pthread_mutex_lock(&lock);
    pool->checked.released = true;
    pool->checked.released_at = place;
    pthread_mutex_unlock(&lock);
}
