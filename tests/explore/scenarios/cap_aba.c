/* SPDX-License-Identifier: MIT */
/*
 * cap_aba.c - in a capped pool one thread pops a slot while another pops twice and pushes the first
 * back. Without a tag the first thread's swap would put a slot on top of the stack that is no
 * longer on it, and an object would have two owners.
 */
#include "objects.h"

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
    pool = objects_new(&(vf_pool_options){.max_objects = 8});
    struct object *object[4];
    for (int i = 0; i < 4; i++) {
        object[i] = take();
    }
    for (int i = 0; i < 4; i++) {
        give(object[i]);
    }
    run(taker, swapper);
}
