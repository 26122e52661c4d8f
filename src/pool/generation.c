/* SPDX-License-Identifier: MIT */
/*
 * generation.c - see generation.h.
 */
#include "generation.h"

#include <assert.h>
#include <string.h>

#define FIRST_BATCHES 8

const vf_generations vf_generation_none;

/* The directory of a pool that has no batch yet. Never written. */
static struct {
    vf_handle_table directory;
    vf_generations *entries[1];
} nothing;

void vf_generations_init(vf_handles *handles, vf_generations ***directory, size_t objects,
                         vf_memory *memory, vf_mutex *growth)
{
    *handles = (vf_handles){
        .directory = directory, .objects = objects, .memory = memory, .growth = growth};
    *directory = nothing.entries;
}

/* ---- growth ---- */

static size_t directory_bytes(size_t size)
{
    return sizeof(vf_handle_table) + size * sizeof(vf_generations *);
}

static size_t generations_bytes(const vf_handles *handles)
{
    return sizeof(vf_generations) + handles->objects * sizeof(uint32_t);
}

/* A directory twice as long, at least; false: out of memory. The one before stays until the pool
   ends, because a thread may still be reading it. */
static bool lengthen_directory(vf_handles *handles, size_t batches)
{
    assert(vf_mutex_held(handles->growth));
    vf_generations **entries = *handles->directory;
    size_t size = vf_max(vf_max(2 * vf_handle_table_of(entries)->size, FIRST_BATCHES), batches);
    vf_handle_table *longer =
        vf_memory_alloc(handles->memory, directory_bytes(size), _Alignof(vf_handle_table));
    if (longer == NULL)
        return false;
    *longer = (vf_handle_table){.size = size,
                                .older = vf_handle_table_of(entries),
                                .numbers = vf_handle_table_of(entries)->numbers};
    vf_generations **copies = (vf_generations **)(void *)(longer + 1);
    memcpy(copies, entries, handles->count * sizeof *copies);
    vf_store_release(handles->directory, copies); /* pairs with the acquire in vf_handle_look_up */
    return true;
}

/* Those of one more batch; false: out of memory. */
static bool add_batch(vf_handles *handles)
{
    assert(vf_mutex_held(handles->growth));
    vf_generations *of =
        vf_memory_alloc(handles->memory, generations_bytes(handles), _Alignof(vf_generations));
    if (of == NULL)
        return false;
    *of = (vf_generations){.first = (uint32_t)(handles->count * handles->objects)};
    for (size_t slot = 0; slot < handles->objects; slot++)
        vf_generations_of(of)[slot] = VF_GENERATION_FIRST;
    vf_generations **entries = *handles->directory;
    entries[handles->count] = of;
    /* release, both: pairs with the acquire in vf_handle_look_up, and those of count. The child of
       a fork in between adds the batch's once more, which nothing has come to use */
    vf_store_release(&vf_handle_table_of(entries)->numbers,
                     (handles->count + 1) * handles->objects);
    vf_store_release(&handles->count, handles->count + 1);
    return true;
}

bool vf_generations_reserve(vf_handles *handles, size_t batches)
{
    assert(vf_mutex_held(handles->growth));
    if (batches > vf_handle_table_of(*handles->directory)->size &&
        !lengthen_directory(handles, batches))
        return false;
    while (handles->count < batches) {
        if (!add_batch(handles))
            return false;
    }
    return true;
}

void vf_generations_set_base(vf_handles *handles, size_t number, char *base)
{
    assert(vf_mutex_held(handles->growth));
    /* relaxed: a thread that needs it has acquired the generation of an object that was allocated
       since; and an object's own thread has its slot */
    vf_store_relaxed(&vf_generations_at(handles, number)->base, base);
}

/* ---- retired slots ---- */

vf_word vf_generations_retired(const vf_handles *handles, size_t number, size_t w)
{
    if (handles == NULL || vf_generations_count_retired(handles, number) == 0)
        return 0;
    const uint32_t *generations = vf_generations_of(vf_generations_at(handles, number));
    vf_word retired = 0;
    size_t end = vf_min((w + 1) * VF_WORD_BITS, handles->objects);
    for (size_t slot = w * VF_WORD_BITS; slot < end; slot++) {
        /* acquire: pairs with the release in vf_generation_retire */
        if (vf_load_acquire(&generations[slot]) == VF_GENERATION_RETIRED)
            retired |= vf_bits_bit(slot);
    }
    return retired;
}

size_t vf_generations_count_retired(const vf_handles *handles, size_t number)
{
    if (handles == NULL)
        return 0;
    return vf_load_relaxed(&vf_generations_at(handles, number)->retired); /* for reports */
}

size_t vf_generations_count_all_retired(const vf_handles *handles)
{
    size_t n = 0;
    /* acquire: pairs with the release in add_batch */
    size_t count = handles != NULL ? vf_load_acquire(&handles->count) : 0;
    for (size_t number = 0; number < count; number++) {
        const vf_generations *of = vf_generations_at(handles, number);
        if (vf_load_relaxed(&of->base) != NULL) /* a number for reports */
            n += vf_generations_count_retired(handles, number);
    }
    return n;
}

void vf_generation_retire(vf_generations *of, size_t slot)
{
    /* release: pairs with the acquire in vf_generations_retired: what was done to the slot comes
       before its memory goes back */
    vf_store_release(&vf_generations_of(of)[slot], VF_GENERATION_RETIRED);
    vf_fetch_add_relaxed(&of->retired, 1U); /* tells where to look */
}

/* ---- the end ---- */

void vf_generations_free(vf_handles *handles)
{
    vf_generations **entries = *handles->directory;
    for (size_t number = 0; number < handles->count; number++)
        vf_memory_free(handles->memory, entries[number], generations_bytes(handles),
                       _Alignof(vf_generations));
    vf_handle_table *older;
    for (vf_handle_table *each = vf_handle_table_of(entries); each->size > 0; each = older) {
        older = each->older;
        vf_memory_free(handles->memory, each, directory_bytes(each->size),
                       _Alignof(vf_handle_table));
    }
}
