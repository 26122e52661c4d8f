/*
 * checked_leaks.c - the list of objects that are out when their pool ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "cancel.h"
#include "pool.h"

static FILE *leaks_out; /* atomic */

/* A list at work: the places of allocation, each once, as far as there is room. */
typedef struct leaks {
    FILE *out;
    vf_source *sources;
    size_t count, room;
} leaks;

typedef void leak_visitor(leaks *list, vf_pool *pool, const void *object, const void *place);

void vf_checked_list_leaks(FILE *out)
{
    vf_store_relaxed(&leaks_out, out);
}

/* Frees of other threads may run beside P_release: they end no batch. */
static void each_leak(leaks *list, vf_pool *pool, leak_visitor *visit)
{
    vf_threads_enter();
    for (size_t at = 0; at < vf_regions(pool); at++) {
        vf_region region = vf_region_at(pool, at);
        for (size_t i = 0; i < region.slots; i++) {
            const void *object = region.base + i * pool->stride;
            const vf_header *header = vf_header_of(pool, object);
            if (vf_header_is_whole(pool, object) && vf_load_relaxed(&header->state) == VF_LIVE)
                visit(list, pool, object, header->allocated);
        }
    }
    vf_threads_leave();
    vf_bypass_each_leak(pool, list, visit);
}

static vf_source *source_of(const leaks *list, const void *place)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->sources[i].place == place)
            return &list->sources[i];
    }
    return NULL;
}

static void note_place(leaks *list, vf_pool *pool, const void *object, const void *place)
{
    (void)pool;
    (void)object;
    if (list->count < list->room && source_of(list, place) == NULL)
        list->sources[list->count++].place = place;
}

static void print_leak(leaks *list, vf_pool *pool, const void *object, const void *place)
{
    const vf_source *source = source_of(list, place);
    char text[VF_PLACE_SIZE];
    vf_place_print_with(place, source != NULL ? source->line : "", text, sizeof text);
    fprintf(list->out, "veryfast: %s %p: %p is out, allocated at %s\n", pool->name,
            (const void *)pool, object, text);
}

/* Asks for source lines between two looks, so that no thread waits for whoever answers. */
void vf_leaks_print(vf_pool *pool)
{
    leaks list = {.out = vf_load_relaxed(&leaks_out)};
    if (list.out == NULL)
        return;
    int saved = errno;
    int state = vf_cancel_off(); /* printing is a point of cancellation */
    list.sources = malloc(VF_SOURCES_MOST * sizeof *list.sources);
    list.room = list.sources != NULL ? VF_SOURCES_MOST : 0;
    each_leak(&list, pool, note_place);
    vf_sources_find(list.sources, list.count);
    each_leak(&list, pool, print_leak);
    free(list.sources);
    vf_cancel_as_before(state);
    errno = saved;
}
