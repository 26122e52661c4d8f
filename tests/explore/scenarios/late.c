/*
 * late.c - a pop that is late: between its look at a stack's head and the one at the link of the
 * magazine there, another thread takes that magazine and links it anew, among its spares, or those
 * that P_trim has in its hands (TRIM), or as one of several that it is about to push (CHAIN). The
 * late one's swap fails, but it has read the link.
 */
#include "depot.h"

#ifdef CHAIN
enum { MOST = VF_MAGAZINE_SLOTS + 1 };
#    define OBJECTS_IN_BATCH 66 /* MOST + 1: all are taken, no magazine has room for one more */
#else
enum { MOST = 1 };
#    define OBJECTS_IN_BATCH 1
#endif
#include "objects.h"

static struct object *object[MOST + 1];

static void *late(void *argument)
{
#ifdef CHAIN
    give(object[MOST]); /* asks for an empty magazine */
#else
    take();
#endif
    return argument;
}

static void *other(void *argument)
{
#ifdef TRIM
    objects_trim(pool);
#elif defined(CHAIN)
    vf_spares none = {NULL, 0, 0};
    vf_depot_put(vf_pool_whole(&pool->core), (void **)object, MOST, &none);
#else
    take();
#endif
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE});
#ifdef CHAIN
    for (int i = 0; i <= MOST; i++) {
        object[i] = take();
    }
#else
    object[0] = take();
    give(object[0]);
#endif
    run_beside(late, other);
}
