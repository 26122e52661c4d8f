/* SPDX-License-Identifier: MIT */
/*
 * handle_cached.c - a cache takes back two objects of one batch, the second where it finds the
 * generations of the first, and then one of another batch, while another thread asks for the second
 * and trims: by then all of the first batch is free.
 */
#include <assert.h>
#include <pthread.h>

#include "explore.h"

struct object {
    int filled;
};
#define VF_T    struct object
#define VF_N    2
#define VF_NAME objects
#define VF_HANDLE
#include <veryfast/pool.h>

static objects *pool;
static struct object *of_first[2], *of_second;
static objects_handle old;

static struct object *push(void)
{
    struct object *object = objects_push(pool, (struct object){1});
    assert(object != NULL);
    return object;
}

static void *freer(void *argument)
{
    objects_cache *cache = argument;
    for (int i = 0; i < 2; i++)
        objects_cache_free(cache, of_first[i]);
    for (int i = 0; i < 2; i++)
        objects_free(pool, objects_cache_alloc(cache)); /* to the depot: threads have no caches */
    objects_cache_free(cache, of_second);
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    objects_cache *cache = objects_cache_new(pool);
    for (int i = 0; i < 2; i++)
        (void)objects_handle_of(pool, of_first[i] = push());
    old = objects_handle_of(pool, of_first[1]);
    (void)objects_handle_of(pool, of_second = push());
    pthread_t a;
    pthread_create(&a, NULL, freer, cache);
    const struct object *volatile found = objects_get(pool, old); /* any address, or NULL */
    (void)found;
    objects_trim(pool);
    pthread_join(a, NULL);
    struct object *left = objects_get(pool, old);
    assert(left == NULL);
    assert(objects_stats(pool).live == 0);
    objects_cache_release(cache);
    objects_destroy(pool);
    assert(explore_blocks() == 0);
}
