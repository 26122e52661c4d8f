/* SPDX-License-Identifier: MIT */
/*
 * list.c - see list.h. One lock guards all of it; while it is held no other is waited for but the
 * map's, which is the last of all.
 */
#include "list.h"

#include <assert.h>
#include <string.h>

#include "../platform/fork.h"
#include "../platform/mutex.h"
#include "../pool/map.h"
#include "caller.h"
#include "misuse.h"
#include "name.h"
#include "push.h"
#include "slot.h"

#define GONE      64 /* pools that are remembered when they have ended */
#define NAME_SIZE 64

typedef struct gone_pool {
    const void *address, *released_at;
    char name[NAME_SIZE];
} gone_pool;

static vf_mutex lock = VF_MUTEX_INITIALIZER;
static vf_pool *pools;
static gone_pool gone[GONE];
static size_t gone_next;

/* This thread holds the lock: a signal's handler that makes a call finds so, where it would wait
   for ever otherwise. */
static VF_TLS volatile bool inside;

static void lock_list(void)
{
    inside = true;
    vf_mutex_lock(&lock);
}

static void unlock_list(void)
{
    vf_mutex_unlock(&lock);
    inside = false;
}

#if VF_FORKS
static void lock_for_fork(void)
{
    vf_name_lock();
    vf_push_lock();
    lock_list();
}

static void unlock_after_fork(void)
{
    unlock_list();
    vf_push_unlock();
    vf_name_unlock();
}

/* Registered before the core's handlers (a lower number comes first), whose lock is acquired before
   these in that way: under it allocators may call the library. */
VF_AT_LOAD(200) static void watch_forks_checked(void)
{
    vf_fork_watch(lock_for_fork, unlock_after_fork, unlock_after_fork);
}
#endif

void vf_list_add(vf_pool *pool, const vf_pool_type *type)
{
    lock_list();
    vf_checked *checked = &pool->checked;
    checked->object_size = type->object_size;
    checked->next = pools;
    checked->link = &pools;
    if (pools != NULL)
        pools->checked.link = &checked->next;
    pools = pool;
    unlock_list();
}

void vf_list_forget(vf_pool *pool)
{
    vf_checked *checked = &pool->checked;
    if (checked->link == NULL)
        return; /* one that P_new could not finish */
    lock_list();
    *checked->link = checked->next;
    if (checked->next != NULL)
        checked->next->checked.link = checked->link;
    gone_pool *entry = &gone[gone_next++ % GONE];
    entry->address = pool;
    entry->released_at = checked->released_at;
    strncpy(entry->name, pool->name, sizeof entry->name - 1);
    unlock_list();
}

static _Noreturn void released_pool(const char *name, const void *address, const char *what,
                                    const void *caller, const void *released_at)
{
    char text[VF_CALLER_SIZE];
    vf_caller_print(released_at, text, sizeof text);
    vf_misuse(name, address, caller, "%s with a released pool@, released at %s", what, text);
}

static _Noreturn void no_pool(const void *address, const char *what, const void *caller)
{
    for (size_t i = 1; i <= GONE; i++) {
        const gone_pool *entry = &gone[(gone_next - i) % GONE];
        if (entry->address == address)
            released_pool(entry->name, address, what, caller, entry->released_at);
    }
    vf_misuse("a pool", address, caller, "%s with what is no pool", what);
}

static void stop_if_inside(const void *address, const void *caller)
{
    if (inside) {
        vf_misuse_in_handler();
        vf_misuse("a pool", address, caller,
                  "a signal's handler makes a call in the middle of another");
    }
}

vf_pool *vf_list_pool(const vf_pool_core *core, bool released_too, const char *what,
                      const void *caller)
{
    stop_if_inside(core, caller);
    lock_list();
    vf_pool *pool = pools;
    while (pool != NULL && &pool->core != core)
        pool = pool->checked.next;
    bool released = pool != NULL && pool->checked.released;
    const void *released_at = pool != NULL ? pool->checked.released_at : NULL;
    unlock_list();
    if (pool == NULL)
        no_pool(core, what, caller);
    if (released && !released_too)
        released_pool(pool->name, pool, what, caller, released_at);
    return pool;
}

static bool has_cache(const vf_pool *pool, const vf_cache *fast)
{
    /* acquire: pairs with the release in vf_cache_add */
    const vf_pool_cache *cache = vf_load_acquire(&pool->caches);
    while (cache != NULL && &cache->fast != fast)
        cache = cache->next;
    return cache != NULL && cache->held;
}

vf_pool *vf_list_pool_of(const vf_cache *fast, const char *what, const void *caller)
{
    lock_list();
    vf_pool *pool = pools;
    while (pool != NULL && !has_cache(pool, fast))
        pool = pool->checked.next;
    unlock_list();
    if (pool == NULL)
        vf_misuse("a cache", fast, caller, "%s with a released cache, or with none", what);
    return pool;
}

/*
 * Takes out some of the oldest, as a chain, while there are more bytes. Few at a time: what a
 * thread has in its hands is lost to the child of a fork.
 */
static vf_header *take_oldest(vf_pool *pool, size_t most_bytes, size_t n)
{
    assert(vf_mutex_held(&lock));
    vf_checked *checked = &pool->checked;
    vf_header *chain = checked->first;
    vf_header *last = NULL;
    for (; n > 0 && checked->quarantined * vf_pool_shape(pool)->stride > most_bytes; n--) {
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

vf_header *vf_list_oldest(vf_pool *pool)
{
    lock_list();
    vf_header *oldest = take_oldest(pool, 0, 1);
    unlock_list();
    return oldest;
}

void vf_list_move(vf_pool *pool)
{
    lock_list();
    for (vf_header *header; (header = take_oldest(pool, 0, 1)) != NULL;)
        (void)vf_capped_free(pool->capped, vf_slot_object(pool, header));
    unlock_list();
}

size_t vf_list_taken(vf_pool *pool)
{
    lock_list();
    size_t taken = pool->checked.taken;
    unlock_list();
    return taken;
}

vf_header *vf_list_exchange(vf_pool *pool, vf_header *header, size_t most_bytes)
{
    vf_checked *checked = &pool->checked;
    lock_list();
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
    unlock_list();
    return chain;
}

size_t vf_list_count(vf_pool *pool)
{
    lock_list();
    size_t count = pool->checked.quarantined;
    unlock_list();
    return count;
}

void vf_list_close(vf_pool *pool, const void *caller)
{
    lock_list();
    pool->checked.released = true;
    pool->checked.released_at = caller;
    unlock_list();
}

vf_pool *vf_list_find(const void *object, const void *caller,
                      bool (*has)(vf_pool *pool, const void *object, bool *busy), bool *busy)
{
    stop_if_inside(object, caller);
    lock_list(); /* no pool's memory goes back meanwhile */
    vf_pool *found = vf_map_find(object);
    for (vf_pool *pool = pools; pool != NULL && found == NULL; pool = pool->checked.next) {
        if (pool->checked.blocks.bypass && has(pool, object, busy))
            found = pool;
    }
    unlock_list();
    return found;
}

const char *vf_list_owner(const vf_pool *except, const void *object,
                          bool (*has)(vf_pool *pool, const void *object))
{
    const char *name = NULL;
    lock_list(); /* no pool's memory goes back meanwhile */
    for (vf_pool *pool = pools; pool != NULL && name == NULL; pool = pool->checked.next) {
        if (pool != except && has(pool, object))
            name = pool->name;
    }
    unlock_list();
    return name;
}
