/*
 * depot_aba.c - one thread pops from the depot while another pops twice and pushes the first back.
 * Without a tag the first thread's swap would install a batch that is no longer in the depot, and
 * an object would have two owners.
 */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "explore.h"

struct object {
    int owned; /* atomic */
};

#define VF_T    struct object
#define VF_NAME objects
#define VF_N    8
#include <veryfast/pool.h>

static objects *pool;

static struct object *take(void)
{
    struct object *object = objects_alloc(pool);
    assert(object && __atomic_exchange_n(&object->owned, 1, __ATOMIC_RELAXED) != 1);
    return object;
}

static void give(struct object *object)
{
    __atomic_store_n(&object->owned, 0, __ATOMIC_RELAXED);
    objects_free(pool, object);
}

static void *taker(void *argument)
{
    take();
    return argument;
}

static void *swapper(void *argument)
{
    struct object *first = take();
    take();
    give(first);
    take();
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    struct object *object[3];
    for (int i = 0; i < 3; i++) {
        object[i] = take();
    }
    for (int i = 0; i < 3; i++) {
        give(object[i]);
    }
    pthread_t a, b;
    pthread_create(&a, NULL, taker, NULL);
    pthread_create(&b, NULL, swapper, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}
