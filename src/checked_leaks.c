/*
 * checked_leaks.c - the list of objects that are out when their pool ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "cancel.h"
#include "pool.h"

static FILE *leaks_out; /* atomic */

typedef struct named_place {
    const void *place;
    char text[VF_PLACE_SIZE];
} named_place;

/* A list at work: the places of allocation, each once, as far as there is memory. */
typedef struct leaks {
    FILE *out;
    named_place *places;
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

static const named_place *find_place(const leaks *list, const void *place)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->places[i].place == place)
            return &list->places[i];
    }
    return NULL;
}

static void note_place(leaks *list, vf_pool *pool, const void *object, const void *place)
{
    (void)pool;
    (void)object;
    if (find_place(list, place) != NULL)
        return;
    if (list->count == list->room) {
        size_t room = 2 * list->room + 16;
        named_place *places = realloc(list->places, room * sizeof *places);
        if (places == NULL)
            return;
        list->places = places;
        list->room = room;
    }
    list->places[list->count++].place = place;
}

static void print_leak(leaks *list, vf_pool *pool, const void *object, const void *place)
{
    const named_place *known = find_place(list, place);
    char address[32];
    snprintf(address, sizeof address, "%#zx", (size_t)place);
    fprintf(list->out, "veryfast: %s %p: %p is out, allocated at %s\n", pool->name,
            (const void *)pool, object, known != NULL ? known->text : address);
}

/*
 * Finds the names of places between two looks, without a lock: a sanitizer takes its time for them,
 * and the loader has a lock of its own, under which a plug-in's destructors may call the library.
 */
void vf_leaks_print(vf_pool *pool)
{
    leaks list = {.out = vf_load_relaxed(&leaks_out)};
    if (list.out == NULL)
        return;
    int saved = errno;
    int state = vf_cancel_off(); /* printing is a point of cancellation */
    each_leak(&list, pool, note_place);
    for (size_t i = 0; i < list.count; i++)
        vf_place_print(list.places[i].place, list.places[i].text, sizeof list.places[i].text);
    each_leak(&list, pool, print_leak);
    free(list.places);
    vf_cancel_as_before(state);
    errno = saved;
}
