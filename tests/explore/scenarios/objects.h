/* SPDX-License-Identifier: MIT */
/*
 * objects.h - what the scenarios of the pool share: a pool, and objects that know whether they have
 * an owner. They say so in a plain field: two owners at a time are a data race, and so is an owner
 * who does not see that the one before him has gone.
 */
#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>

#include "explore.h"

enum { OWNED = 0x4f574e44 };

#ifndef OBJECT_IS_DEFINED
struct object {
    int owned;
};
#endif

#ifndef OBJECTS_IN_BATCH
#    define OBJECTS_IN_BATCH 8
#endif
#define VF_T    struct object
#define VF_NAME objects
#define VF_N    OBJECTS_IN_BATCH
#include <veryfast/pool.h>

static objects *pool;

static inline struct object *own(struct object *object)
{
    assert(object != NULL && object->owned != OWNED);
    object->owned = OWNED;
    return object;
}

static inline struct object *take(void)
{
    return own(objects_alloc(pool));
}

static inline void disown(struct object *object)
{
    assert(object->owned == OWNED);
    object->owned = 0;
}

static inline void give(struct object *object)
{
    disown(object);
    objects_free(pool, object);
}

static inline void run(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t a, b;
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* The second in this thread: its attaching and its end are not among what is explored. */
static inline void run_beside(void *(*first)(void *), void *(*second)(void *))
{
    pthread_t a;
    pthread_create(&a, NULL, first, NULL);
    second(NULL);
    pthread_join(a, NULL);
}
