/*
 * seize.c - P_trim seizes what the first thread has in its cache; a third thread meanwhile looks at
 * the numbers of all caches. With BACK it is the first that goes on, and throws away what was
 * seized, while the one that trims looks at the numbers.
 */
#define OBJECTS_IN_BATCH 16
#include "objects.h"

static struct object *object[4];

static void *trimmer(void *argument)
{
    objects_trim(pool);
#ifdef BACK
    vf_pool_stats stats = objects_stats(pool);
    assert(stats.live <= stats.capacity && stats.cached <= stats.capacity);
#endif
    return argument;
}

static void *carver(void *argument)
{
    object[1] = take();
#ifdef BACK
    object[2] = take();
#endif
    return argument;
}

void scenario(void)
{
    pool = objects_new(&(vf_pool_options){.cache_objects = 4});
    object[0] = take();
#ifdef BACK
    run_beside(trimmer, carver);
    assert(objects_stats(pool).live == 3);
#else
    run(trimmer, carver);
    assert(objects_stats(pool).live == 2);
#endif
}
