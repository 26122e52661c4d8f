/*
 * stack_aba.c - one thread pops from a stack of magazines while another pops two and puts the first
 * back: the ABA problem by itself, with as few operations as it has. Without a tag the first
 * thread's swap would install a magazine that somebody holds, and two would hold one. In the end
 * each magazine must be with one thread or on the stack, once.
 */
#include <assert.h>
#include <pthread.h>

#include "depot.h"
#include "explore.h"

enum { MAGAZINES = 3 };

static vf_depot depot;
static vf_stack stack;
static vf_magazine magazines[VF_CHUNK_MAGAZINES];
static vf_magazine *chunks[VF_DIRECTORY_FIRST];

static vf_magazine *pop(void)
{
    uint32_t one;
    vf_magazine *magazine = vf_stack_pop(&depot, &stack, 1, &one);
    assert(magazine != NULL && magazine->count == 0);
    magazine->count = 1; /* held; plain, as the holder's own */
    return magazine;
}

static void push(vf_magazine *magazine)
{
    magazine->count = 0;
    vf_stack_push(&stack, magazine, magazine);
}

static void *taker(void *argument)
{
    pop();
    return argument;
}

static void *swapper(void *argument)
{
    vf_magazine *first = pop();
    pop();
    push(first);
    return argument;
}

void scenario(void)
{
    depot.levels[0] = chunks;
    chunks[0] = magazines;
    for (uint32_t i = 0; i < MAGAZINES; i++) {
        magazines[i].index = i + 1;
        push(&magazines[i]);
    }
    pthread_t a, b;
    pthread_create(&a, NULL, taker, NULL);
    pthread_create(&b, NULL, swapper, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    pop();
    assert(vf_head_index(stack.head, VF_STACK_INDEX_MASK) == 0);
}
