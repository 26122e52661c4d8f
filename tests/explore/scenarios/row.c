/* SPDX-License-Identifier: MIT */
/*
 * row.c - a pool ends, by P_release or by the free of its last object, and its column in the rows
 * goes to a new pool, which another thread makes and uses at once. No thread is to find a cache of
 * the old one there. With EXIT the thread whose row has an entry ends, and a new one of its index
 * takes the row over.
 */
#include "pool/attach.h"

#include "objects.h"

static void use(objects *of)
{
    struct object *object = own(objects_alloc(of));
    const vf_pool *whole = vf_pool_whole((vf_pool_core *)of);
    const vf_pool_cache *cache = vf_attach_own(whole);
    assert(cache == NULL || (cache->pool == whole && cache->thread == vf_thread_own()));
    disown(object);
    objects_free(of, object);
}

#ifdef EXIT
static void *user(void *argument)
{
    use(pool);
    return argument;
}

void scenario(void)
{
    pool = objects_new(NULL);
    struct object *kept = take();
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, user, NULL);
        pthread_join(thread, NULL);
    }
    give(kept);
    objects_release(pool);
    assert(explore_blocks() == 0);
}
#else
static struct object *last;
static objects *next; /* atomic */

static void *releaser(void *argument)
{
    size_t column = ((vf_pool_core *)pool)->column;
    objects_release(pool);
    objects *made = objects_new(NULL);
    explore_sometimes(((vf_pool_core *)made)->column == column, "column", "taken again");
    explore_sometimes(((vf_pool_core *)made)->column != column, "column", "still in use");
    vf_store_release(&next, made);
    return argument;
}

static void *user(void *argument)
{
    give(last);
    objects *made = vf_load_acquire(&next);
    explore_sometimes(made != NULL, "user", "late");
    if (made != NULL)
        use(made);
    return argument;
}

void scenario(void)
{
    pool = objects_new(NULL);
    last = take();
    run_beside(releaser, user);
    vf_thread_flush(); /* a free that P_release has caught half way */
    use(next);
    objects_release(next);
    assert(explore_blocks() == 0);
}
#endif
