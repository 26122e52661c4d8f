/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - writers with a key, whose elements are drained by it, whatever thread has pushed them
 * and when.
 *
 *     slots:   u u u k k k | k k k k . . | u u . . | k k k k k      k: with a key, u: without
 *     list:          {7, 3, 3} {2, 6, 4}             {2, 14, 5}     {key, first, count}
 *     drain:   u u u         u u         k k k k   k k k k k   k k k
 *
 * Each run that such a writer takes is entered in a list (runs.c), which is sorted by key when the
 * drain begins. What a run is not used for never goes back to the buffer: it is a rest (rests.c),
 * which the next writer with a key may take, so that of many that push little few leave slots
 * unused. Hence all slots of a block that lie behind one of such a run are of such runs too, or
 * gaps; and for a drain these are marked as gaps, so that it walks over what has no key as ever.
 * Then it goes through the list.
 *
 * Slots inside cannot be marked, so these writers take none, and the first of a fill leaves those
 * that are free. The numbers of a drain's slots are their indices as far as they have no key, and
 * then go on through the sorted runs.
 */
#include "keyed.h"

#include <errno.h>

#include "chunk.h"
#include "decide.h"
#include "rests.h"

/* vf_slot_of, which looks at the chunk too. */
static void *slot_at(const vf_directory *directory, uint64_t index)
{
    uint64_t place = index + directory->offset;
    size_t level = vf_level_of(place);
    uint64_t at = place ^ (uint64_t)1 << level;
    return (char *)vf_chunk_of(directory, index) + (size_t)at * directory->type.size;
}

/* ---- writers: any thread ---- */

/* Leaves the slots inside that are free. */
static void skip_inside(vf_directory *directory, uint64_t *tail)
{
    /* relaxed, all: as in vf_writer_take; a gap counts with exclusive access only */
    uint64_t inside = directory->type.inside;
    uint64_t index = vf_load_relaxed(tail);
    while (index < inside) {
        if (vf_cas_weak_relaxed(tail, &index, inside)) {
            directory->keyed.skipped = inside - index;
            vf_fetch_add_relaxed(&directory->gaps, inside - index);
            return;
        }
    }
}

/* Is there no room for a chunk below the cap? */
static bool is_capped_inside(void *const *spill, const vf_smallbuf_type *type)
{
    return vf_spill_about(spill, type->inside + 1) <= type->inside;
}

/* Of a writer that was refused. What is accepted of it is a prefix, though others leave rests. */
#define REFUSED UINT64_MAX

static size_t refuse(vf_writer *writer, vf_directory *directory)
{
    writer->run = REFUSED;
    if (directory != NULL)
        vf_fetch_add_relaxed(&directory->refused, 1); /* read with exclusive access only */
    errno = ENOMEM;
    return 0;
}

/* A bit in a writer's word `run`, where it has a run, whose address is a multiple of 16 at least:
   it has had a rest. */
#define HAS_HAD_REST ((uint64_t)1)

/* A writer's last run in the list; NULL: it has had none. */
static vf_run *run_of(const vf_writer *writer)
{
    return (vf_run *)(uintptr_t)((writer->run & ~HAS_HAD_REST) << 1);
}

/*
 * How many slots are to follow a writer's last run: four times as many as that has, within bounds;
 * what is left of them is for others. Behind a rest it may be a part of all slots before them, as
 * long as a plain writer's runs: a thread that has had one has run other jobs, and will run more,
 * and as many as take so large a part each leave little unused.
 */
#define KEYED_PART     128
#define KEYED_PART_MAX 8 /* times the shortest run */

static uint64_t next_run(const vf_writer *writer, const vf_directory *directory)
{
    const vf_run *last = run_of(writer);
    uint64_t most = VF_RUN_BYTES / directory->type.size;
    uint64_t more = last != NULL ? 4 * vf_run_count(last->slots) : 0;
    uint64_t part = (writer->run & HAS_HAD_REST) != 0 ? writer->end / KEYED_PART : 0;
    uint64_t part_max = KEYED_PART_MAX * directory->block;
    part = part < part_max ? part : part_max;
    uint64_t run = more > part ? more : part;
    return run < most ? run : most;
}

/* A run of the buffer's next slots; the index behind it, or 0: refused. */
static uint64_t take_next_run(const vf_writer *writer, vf_directory *directory, uint64_t *tail,
                              void **spill, void **slots, uint64_t *first)
{
    const vf_smallbuf_type *type = &directory->type;
    vf_writer next = {0, next_run(writer, directory)};
    size_t n;
    skip_inside(directory, tail);
    while ((n = vf_writer_take(&next, tail, spill, type, slots)) == 0) {
        uint64_t index = vf_load_relaxed(tail); /* the swap will tell whether it is still so */
        if (index < vf_chunk_cap(directory->options) && vf_decide_up_to(directory, index))
            continue;
        /* relaxed: takes the index, which is refused from now to the next drain, so that it counts
           as such. It takes no slot otherwise: one among those without a key */
        if (vf_cas_strong_relaxed(tail, &index, index + 1)) {
            errno = ENOMEM;
            return 0;
        }
    }
    *first = next.end - n;
    return next.end;
}

/* How many slots can be entered in the list at once: whole blocks, or what is left ends inside one;
   but for a block of a huge chunk. */
static uint64_t part_of_run(const vf_directory *directory, uint64_t first, uint64_t end)
{
    uint64_t place = first + directory->offset;
    if (end - first <= VF_RUN_COUNT_MAX)
        return end - first;
    uint64_t in_block = (place + VF_RUN_COUNT_MAX) & (vf_block_at(directory, place) - 1);
    return in_block < VF_RUN_COUNT_MAX ? VF_RUN_COUNT_MAX - in_block : VF_RUN_COUNT_MAX;
}

/* Enters slots of a writer in the list; false: there is no memory. */
static bool enter(vf_writer *writer, uint64_t key, uint64_t first, uint64_t n,
                  vf_directory *directory)
{
    vf_run *run = run_of(writer);
    if (run != NULL && vf_run_goes_on(directory, run->slots, first, n)) {
        run->slots += n;
        return true;
    }
    run = vf_runs_new(&directory->keyed);
    if (run == NULL)
        return false;
    *run = (vf_run){key, vf_run_slots(first, n)};
    writer->run = VF_KEYED | (uintptr_t)run >> 1 | (writer->run & HAS_HAD_REST);
    return true;
}

/* Readers may have marked a rest, and counted elements as if there were none in it. */
static void unmark(vf_directory *directory, uint64_t first, uint64_t end)
{
    uint64_t offset = directory->offset;
    vf_writer_mark(directory, first + offset, end + offset, end + offset);
    vf_store_relaxed(&directory->hint, 0); /* as in vf_writer_leave */
}

size_t vf_keyed_more(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                     void **slots)
{
    vf_directory *directory = vf_directory_of(spill);
    if (directory == NULL && writer->run != REFUSED && !is_capped_inside(spill, type))
        directory = vf_decide_directory(spill, VF_NO_SLOT, type);
    if (directory == NULL || writer->run == REFUSED)
        return refuse(writer, directory);
    const vf_run *last = run_of(writer);
    uint64_t key = last != NULL ? last->key : writer->end;
    uint64_t first;
    uint64_t end = vf_rests_take(directory, key, &first);
    if (end != 0) {
        *slots = slot_at(directory, first);
        writer->run |= HAS_HAD_REST;
    } else {
        end = take_next_run(writer, directory, tail, spill, slots, &first);
        if (end == 0) {
            writer->run = REFUSED; /* the index that was refused counts */
            return 0;
        }
    }
    uint64_t n = part_of_run(directory, first, end);
    if (!enter(writer, key, first, n, directory)) {
        vf_rests_leave(directory, key, first, end);
        /* relaxed, and below: read with exclusive access, but by writers only whether it is 0. No
           reader has counted so many elements: there are no more now, and yet another rest */
        vf_store_relaxed(&directory->marked, UINT64_MAX);
        return refuse(writer, directory);
    }
    if (vf_load_relaxed(&directory->marked) != 0)
        unmark(directory, first, end);
    writer->end = first + n;
    if (first + n != end)
        vf_rests_leave(directory, key, first + n, end);
    return (size_t)n;
}

void vf_keyed_give_back(const vf_writer *writer, size_t unused, vf_directory *directory)
{
    vf_run *run = run_of(writer);
    run->slots -= unused;
    vf_rests_leave(directory, run->key, writer->end - unused, writer->end);
}

/* ---- drains: exclusive access ---- */

/* Gives the slots of sorted runs the numbers from the first one with a key on, and joins those that
   go on where the one before them ends. The number behind the last. */
static uint64_t number_runs(vf_directory *directory, const vf_runs *runs, unsigned side)
{
    uint64_t number = directory->keyed.begin;
    uint64_t joined = 0;
    vf_run last = {number, 0};
    for (uint64_t i = 0, n; i < runs->count; i += n) {
        const vf_run *run = vf_runs_row(runs, i, side, &n);
        for (const vf_run *end = run + n; run < end; run++) {
            uint64_t count = vf_run_count(run->slots);
            if (count == 0)
                continue;
            if (vf_run_goes_on(directory, last.slots, vf_run_first(run->slots), count)) {
                last.slots += count;
            } else {
                if (last.slots != 0)
                    *vf_run_at(runs->list, joined++, 0) = last;
                last = (vf_run){number, run->slots};
            }
            number += count;
        }
    }
    if (last.slots != 0)
        *vf_run_at(runs->list, joined, 0) = last;
    return number;
}

/* Marks a run as a gap, up to the end of its last block: what is behind it there has a key too, or
   is a gap. */
static void hide_run(vf_directory *directory, uint64_t slots)
{
    uint64_t first = vf_run_first(slots) + directory->offset;
    uint64_t in_block = vf_block_at(directory, first) - 1;
    uint64_t block_end = (first | in_block) + 1;
    uint64_t end = ((first + vf_run_count(slots) - 1) | in_block) + 1;
    vf_mark mark = *vf_mark_at(directory, first);
    uint64_t hidden = vf_mark_fill(mark) == directory->fill ? vf_mark_slots(mark) : 0;
    if (end > block_end || first < block_end - hidden)
        vf_writer_mark(directory, first, first < block_end - hidden ? first : block_end - hidden,
                       end);
}

static void hide_runs(vf_directory *directory, const vf_runs *runs)
{
    for (uint64_t i = 0, n; i < runs->count; i += n) {
        const vf_run *run = vf_runs_row(runs, i, 0, &n);
        for (const vf_run *end = run + n; run < end; run++) {
            if (vf_run_count(run->slots) != 0)
                hide_run(directory, run->slots);
        }
    }
}

void vf_keyed_sort(vf_directory *directory, vf_drain *drain)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t inside = directory->type.inside - keyed->skipped;
    vf_rests_end(directory);
    vf_runs runs = vf_runs_take(keyed);
    directory->gaps += runs.elements;
    drain->next = inside; /* the template hands these out */
    if (directory->gaps == drain->end - inside)
        drain->end = inside; /* no other element is without a key */
    else
        hide_runs(directory, &runs);
    keyed->begin = drain->end;
    drain->end = number_runs(directory, &runs, vf_runs_sort(&runs));
    drain->refused = 0;
    keyed->skipped = 0;
}

/* The next span of what has no key; 0: there is no more. */
static size_t drain_without_key(vf_drain *drain, uint64_t end, void **elements)
{
    uint64_t inside = vf_directory_of(drain->spill)->type.inside;
    vf_drain walk = {.spill = drain->spill, .fill = drain->fill & ~VF_KEYED};
    walk.next = drain->next < inside ? inside : drain->next;
    walk.end = end < drain->end ? end : drain->end;
    size_t n = vf_drain_more(&walk, elements);
    drain->next = n > 0 ? walk.next : walk.end;
    return n;
}

size_t vf_keyed_drain(vf_drain *drain, void **elements)
{
    const vf_directory *directory = vf_directory_of(drain->spill);
    const vf_keyed *keyed = &directory->keyed;
    size_t n = 0;
    if (drain->next < keyed->begin)
        n = drain_without_key(drain, keyed->begin, elements);
    if (n > 0 || drain->next >= drain->end)
        return n;
    const vf_directory *list = vf_directory_of(&keyed->spill);
    const vf_run *run = vf_run_at(list, drain->refused, 0);
    while (drain->next - run->key >= vf_run_count(run->slots))
        run = vf_run_at(list, ++drain->refused, 0);
    uint64_t from = drain->next - run->key;
    uint64_t here = vf_run_count(run->slots) - from;
    uint64_t left = drain->end - drain->next;
    *elements = slot_at(directory, vf_run_first(run->slots) + from);
    drain->refused += here <= left; /* it is used up */
    n = (size_t)(here < left ? here : left);
    drain->next += n;
    return n;
}

bool vf_keyed_reserve(vf_directory *directory)
{
    vf_keyed *keyed = &directory->keyed;
    if (keyed->tail == 0)
        return true;
    if (!vf_runs_reserve(keyed))
        return false;
    if (keyed->tail == 0) /* all were refused: to the next drain there is no list */
        vf_rests_end(directory);
    return true;
}
