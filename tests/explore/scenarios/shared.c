/* SPDX-License-Identifier: MIT */
/*
 * shared.c - two threads ask for the program's one pool at the same time, and look into it.
 */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "explore.h"

#define VF_T    int
#define VF_N    4
#define VF_NAME numbers
#define VF_SHARED
#include <veryfast/pool.h>

static numbers *found[2];

static void *use(void *argument)
{
    numbers **mine = argument;
    *mine = numbers_shared();
    assert(*mine != NULL);
    assert(!numbers_owns(*mine, &found));
    return argument;
}

void scenario(void)
{
    pthread_t other;
    pthread_create(&other, NULL, use, &found[0]);
    use(&found[1]);
    pthread_join(other, NULL);
    assert(found[0] == found[1] && numbers_shared() == found[0]);
}
