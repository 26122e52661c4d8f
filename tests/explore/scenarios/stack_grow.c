/*
 * stack_grow.c - one thread takes several magazines off a stack while a second makes a magazine, in
 * a chunk of its own, and pushes it, and a third takes the top and puts it back, above the new one.
 * The first may have read the head long ago, and then follow a new link: its swap will fail, but on
 * the way there it must find the chunk. With CHAIN it is the second link that is new.
 */
#include <assert.h>
#include <pthread.h>

#include "depot.h"
#include "explore.h"

#ifdef CHAIN
enum { TAKEN = 3, BACK = 2 };
#else
enum { TAKEN = 2, BACK = 1 };
#endif

static vf_depot depot;
static vf_stack stack;
static vf_magazine old[VF_CHUNK_MAGAZINES], fresh[VF_CHUNK_MAGAZINES];
static vf_magazine *chunks[VF_DIRECTORY_FIRST];

static void *taker(void *argument)
{
    uint32_t n;
    vf_magazine *first = vf_stack_pop(&depot, &stack, TAKEN, &n);
    assert(first == NULL || (n > 0 && n <= TAKEN));
    return argument;
}

static void *maker(void *argument)
{
    chunks[1] = fresh;
    fresh[0].index = VF_CHUNK_MAGAZINES + 1;
    vf_stack_push(&stack, &fresh[0], &fresh[0]);
    return argument;
}

static void *returner(void *argument)
{
    uint32_t n;
    vf_magazine *first = vf_stack_pop(&depot, &stack, BACK, &n);
    if (first != NULL) {
        vf_magazine *last = n > 1 ? vf_magazine_at(&depot, first->link) : first;
        vf_stack_push(&stack, first, last);
    }
    return argument;
}

void scenario(void)
{
    depot.levels[0] = chunks;
    chunks[0] = old;
    for (uint32_t i = 0; i < 2; i++) {
        old[i].index = i + 1;
        vf_stack_push(&stack, &old[i], &old[i]);
    }
    pthread_t thread[3];
    pthread_create(&thread[0], NULL, taker, NULL);
    pthread_create(&thread[1], NULL, maker, NULL);
    pthread_create(&thread[2], NULL, returner, NULL);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
    }
}
