/* SPDX-License-Identifier: MIT */
/*
 * drain.c - walks over the chunks of a small buffer and skips the gaps that writers and lanes have
 * left.
 *
 *     x x x x x x x x | x x x . . . . . | x x x x x x x x    the runs of three writers
 *     <--- one span ------>               <-- another -->
 */
#include "smallbuf.h"

#include <assert.h>

#include "keyed.h"
#include "lanes.h"
#include "rests.h"

/* The first place from here on, below end, that is not in a gap; end, where there is none. */
static uint64_t skip_gap(const vf_directory *directory, const vf_drain *drain, uint64_t place,
                         uint64_t end)
{
    uint64_t block = vf_block_at(directory, place);
    while (place < end) {
        uint64_t block_end = (place / block + 1) * block;
        /* relaxed, here and below: another reader may write the same (mark_unused) */
        vf_mark mark = vf_load_relaxed(vf_mark_at(directory, place));
        if (vf_mark_fill(mark) != drain->fill || place < block_end - vf_mark_slots(mark))
            return place;
        place = block_end;
    }
    return end;
}

/* The first gap behind a place that is in none, below end; end, where there is none. */
static uint64_t find_gap(const vf_directory *directory, const vf_drain *drain, uint64_t place,
                         uint64_t end)
{
    uint64_t block = vf_block_at(directory, place);
    const vf_mark *mark = vf_mark_at(directory, place);
    for (uint64_t block_end = (place / block + 1) * block; place < end; mark++) {
        vf_mark known = vf_load_relaxed(mark);
        if (vf_mark_fill(known) == drain->fill && vf_mark_slots(known) > 0) {
            uint64_t gap = block_end - vf_mark_slots(known);
            return gap < end ? gap : end;
        }
        place = block_end;
        block_end += block;
    }
    return end;
}

/* Without gaps: to the end of the chunk. */
static size_t more_in_chunk(const vf_directory *directory, vf_drain *drain, void **elements)
{
    uint64_t left = drain->end - drain->next;
    uint64_t run;
    *elements = vf_slot_of(directory, drain->next, &run);
    run = run < left ? run : left;
    drain->next += run;
    return (size_t)run;
}

size_t vf_drain_more(vf_drain *drain, void **elements)
{
    const vf_directory *directory = vf_directory_of(drain->spill);
    if (drain->fill == 0)
        return drain->next < drain->end ? more_in_chunk(directory, drain, elements) : 0;
    if ((drain->fill & VF_KEYED) != 0)
        return vf_keyed_drain(drain, elements);
    while (drain->next < drain->end) {
        assert(directory != NULL && drain->next >= directory->type.inside);
        uint64_t offset = directory->offset;
        uint64_t place = drain->next + offset;
        uint64_t end = (uint64_t)2 << vf_level_of(place);
        if (end > drain->end + offset)
            end = drain->end + offset;
        place = skip_gap(directory, drain, place, end);
        if (place < end)
            end = find_gap(directory, drain, place, end);
        drain->next = end - offset;
        if (place < end) {
            uint64_t run; /* to the end of the chunk */
            *elements = vf_slot_of(directory, place - offset, &run);
            return (size_t)(end - place);
        }
    }
    return 0;
}

/* How many elements inside there are, of so many slots. */
static uint64_t inside_of(const vf_directory *directory, const vf_smallbuf_type *type,
                          uint64_t used)
{
    uint64_t skipped = directory != NULL ? directory->keyed.skipped : 0;
    return (used < type->inside ? used : type->inside) - skipped;
}

/* How many elements there are before the slot at which the walk goes on. */
static uint64_t walk_from_hint(vf_directory *directory, vf_drain *walk, uint64_t from)
{
    uint64_t hint = vf_load_relaxed(&directory->hint); /* orders nothing, both halves are there */
    uint64_t before = hint & UINT32_MAX;
    if (hint == 0 || before > from)
        return inside_of(directory, &directory->type, walk->next);
    walk->next = hint >> 32;
    return before;
}

/* A reader that goes on will ask for what is behind this span. */
static void leave_hint(vf_directory *directory, uint64_t next, uint64_t before)
{
    if (next <= UINT32_MAX)
        vf_store_relaxed(&directory->hint, next << 32 | before); /* several may read at once */
}

/* Among gaps, an element's index does not tell its slot: they have to be counted. */
static size_t span_among_gaps(vf_directory *directory, vf_drain *walk, uint64_t from,
                              void **elements)
{
    uint64_t before = walk_from_hint(directory, walk, from);
    size_t n;
    while ((n = vf_drain_more(walk, elements)) > 0 && from - before >= n)
        before += n;
    if (n == 0)
        return 0;
    leave_hint(directory, walk->next, before + n);
    *elements = (char *)*elements + (size_t)(from - before) * directory->type.size;
    return n - (size_t)(from - before);
}

/* Marks what lanes and rests have unused as gaps, while there are so many elements. */
static void mark_unused(vf_directory *directory, uint64_t count)
{
    /* acquire: pairs with the release below, of a reader that has done it for the same count: since
       then nothing was pushed */
    if (vf_load_acquire(&directory->marked) == count)
        return;
    vf_lanes_mark(directory);
    vf_rests_mark(directory);
    vf_store_relaxed(&directory->hint, 0); /* counts what is no more; others may write a new one */
    vf_store_release(&directory->marked, count);
}

size_t vf_spill_span(void *const *spill, uint64_t index, size_t from, const vf_smallbuf_type *type,
                     const void **elements)
{
    vf_directory *directory = vf_directory_of(spill);
    uint64_t used = vf_spill_used(spill, index, type);
    uint64_t inside = inside_of(directory, type, used);
    vf_drain walk = {.spill = (void **)(uintptr_t)spill, .next = type->inside, .end = used};
    if (from < inside) {
        *elements = (const char *)spill + type->inline_offset + from * type->size;
        return (size_t)(inside - from);
    }
    if (directory == NULL || from >= walk.end)
        return 0;
    void *found = NULL;
    size_t n;
    uint64_t unused = vf_lanes_unused(directory) + vf_rests_unused(directory);
    uint64_t count = used - directory->gaps - unused;
    if (count == 0) /* as it is when nothing is marked yet */
        return 0;
    if (directory->type.lanes || unused != 0)
        mark_unused(directory, count);
    if (directory->gaps + unused != 0) {
        walk.fill = directory->fill;
        n = span_among_gaps(directory, &walk, from, &found);
    } else {
        walk.next = from;
        n = vf_drain_more(&walk, &found);
    }
    *elements = found;
    return n;
}
