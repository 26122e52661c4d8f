/*
 * depot_aba.c - one thread pops from the depot while another pops twice and pushes the first back.
 * Without a tag the first thread's swap would install a batch that is no longer in the depot, and
 * an object would have two owners. With MAX_OBJECTS the same in the stack of a capped pool.
 */
#include "objects.h"

#ifndef MAX_OBJECTS
#    define MAX_OBJECTS 0
#endif

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
    pool =
        objects_new(&(vf_pool_options){.cache_objects = VF_CACHE_NONE, .max_objects = MAX_OBJECTS});
    struct object *object[4];
    for (int i = 0; i < 4; i++) {
        object[i] = take();
    }
    for (int i = 0; i < 4; i++) {
        give(object[i]);
    }
    run(taker, swapper);
}
