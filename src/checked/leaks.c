/* SPDX-License-Identifier: MIT */
/*
 * leaks.c - see leaks.h.
 */
#include "leaks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <veryfast/checked.h>

#include "../platform/cancel.h"
#include "bypass.h"
#include "caller.h"
#include "slot.h"

static FILE *leaks_out; /* atomic */

typedef struct named_caller {
    const void *caller;
    char text[VF_CALLER_SIZE];
} named_caller;

/* A list at work: the callers of allocation, each once, as far as there is memory. */
typedef struct leaks {
    FILE *out;
    vf_pool *pool;
    named_caller *callers;
    size_t count, capacity;
} leaks;

void vf_checked_list_leaks(FILE *out)
{
    vf_store_relaxed(&leaks_out, out);
}

/* Frees of other threads may run beside P_release: they end no batch. */
static void each_leak(leaks *list, vf_bypass_visitor *visit)
{
    vf_pool *pool = list->pool;
    vf_lock_acquire();
    for (size_t at = 0; at < pool->kind->regions(pool); at++) {
        vf_region region = pool->kind->region(pool, at);
        for (size_t i = 0; i < region.slots; i++) {
            const void *object = region.base + i * vf_pool_shape(pool)->stride;
            const vf_header *header = vf_slot_header(pool, object);
            if (vf_slot_has_header(pool, object) && vf_load_relaxed(&header->state) == VF_LIVE)
                visit(list, object, header->allocated);
        }
    }
    vf_lock_release();
    vf_bypass_each_leak(pool, visit, list);
}

static const named_caller *find_caller(const leaks *list, const void *caller)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->callers[i].caller == caller)
            return &list->callers[i];
    }
    return NULL;
}

static void note_caller(void *context, const void *object, const void *caller)
{
    leaks *list = context;
    (void)object;
    if (find_caller(list, caller) != NULL)
        return;
    if (list->count == list->capacity) {
        size_t capacity = 2 * list->capacity + 16;
        named_caller *callers = realloc(list->callers, capacity * sizeof *callers);
        if (callers == NULL)
            return;
        list->callers = callers;
        list->capacity = capacity;
    }
    list->callers[list->count++].caller = caller;
}

static void print_leak(void *context, const void *object, const void *caller)
{
    leaks *list = context;
    const named_caller *known = find_caller(list, caller);
    char address[32];
    snprintf(address, sizeof address, "%#zx", (size_t)caller);
    fprintf(list->out, "veryfast: %s %p: %p is still live, allocated at %s\n", list->pool->name,
            (const void *)list->pool, object, known != NULL ? known->text : address);
}

/*
 * Finds the names of callers between two looks, without a lock: a sanitizer takes its time for
 * them, and the loader has a lock of its own, under which a plug-in's destructors may call the
 * library.
 */
void vf_leaks_print(vf_pool *pool)
{
    leaks list = {.out = vf_load_relaxed(&leaks_out), .pool = pool};
    if (list.out == NULL)
        return;
    int saved = errno;
    int state = vf_cancel_off(); /* printing is a point of cancellation */
    each_leak(&list, note_caller);
    for (size_t i = 0; i < list.count; i++)
        vf_caller_print(list.callers[i].caller, list.callers[i].text, sizeof list.callers[i].text);
    each_leak(&list, print_leak);
    free(list.callers);
    vf_cancel_restore(state);
    errno = saved;
}
