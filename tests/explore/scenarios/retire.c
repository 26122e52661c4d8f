/* SPDX-License-Identifier: MIT */
/*
 * retire.c - the free of an object that ends the last generation of its slot, beside that of its
 * neighbour; or with TRIM, beside a trim that finds the rest of the batch free. With TAKEN the trim
 * gives back a batch with a retired slot, and with AGAIN such a batch comes again for an alloc,
 * both beside a free in another batch.
 */
#include <assert.h>
#include <pthread.h>

#include "explore.h"
#include "pool/pool.h"

struct object {
    int dropped; /* not atomic */
};
#define VF_T    struct object
#define VF_NAME objects
#define VF_HANDLE
#define VF_N       2
#define VF_DROP(p) (p)->dropped = 1
#include <veryfast/pool.h>

static objects *pool;
static struct object *of_first[2], *of_second[2];

static struct object *push(void)
{
    struct object *object = objects_push(pool, (struct object){0});
    assert(object != NULL);
    return object;
}

/* The object's slot is in its last generation. */
static void age(const struct object *object)
{
    uint64_t bits = objects_handle_of(pool, object).bits;
    size_t number = (size_t)vf_handle_number(bits);
    vf_generations_of(((vf_pool_core *)pool)->directory[number / 2])[number % 2] = UINT32_MAX;
}

static void *other(void *argument)
{
#if defined(TRIM) || defined(TAKEN)
    objects_trim(pool);
#elif defined(AGAIN)
    push();
#else
    objects_free(pool, of_first[1]);
#endif
    return argument;
}

/* What all calls together have taken from the depot. */
static void check(size_t live)
{
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live == live && ((vf_pool *)pool)->depot.taken == live + stats.retired);
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
    for (int i = 0; i < 2; i++)
        of_first[i] = push();
    for (int i = 0; i < 2; i++)
        of_second[i] = push();
    age(of_first[0]);
#if defined(TAKEN) || defined(AGAIN)
    objects_free(pool, of_first[0]);
    objects_free(pool, of_first[1]);
    struct object *freed = of_second[0];
    size_t live = 1;
#elif defined(TRIM)
    objects_free(pool, of_first[1]);
    struct object *freed = of_first[0];
    size_t live = 2;
#else
    age(of_first[1]);
    struct object *freed = of_first[0];
    size_t live = 2;
#endif
#ifdef AGAIN
    objects_trim(pool);
    live++;
#endif
    pthread_t a;
    pthread_create(&a, NULL, other, NULL);
    objects_free(pool, freed);
    pthread_join(a, NULL);
    check(live);
    objects_trim(pool);
    check(live);
    objects_destroy(pool);
    assert(explore_blocks() == 0);
}
