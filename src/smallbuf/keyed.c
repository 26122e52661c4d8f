/* SPDX-License-Identifier: MIT */
/*
 * keyed.c - writers with a key, whose elements are drained by it, whatever thread has pushed them
 * and when.
 *
 *     slots:   u u u k k k | k k k k . . | u u . . | k k k k k      k: with a key, u: without
 *     list:          {7, 3, 3} {2, 6, 4}             {2, 14, 5}     {key, first, count}
 *     drain:   u u u         u u         k k k k   k k k k k   k k k
 *
 * Each run that such a writer takes is entered in a list, which is a small buffer itself: so it
 * grows as the buffer does and keeps its room, and where it has no memory the push is refused.
 * What a run is not used for never goes back to the buffer: it is a rest, which the next writer
 * with a key may take, so that of many that push little few leave slots unused. Hence all slots of
 * a block that lie behind one of such a run are of such runs too, or gaps; and for a drain these
 * are marked as gaps, so that it walks over what has no key as ever. Then it goes through the list,
 * which is sorted by key when the drain begins: digit by digit, from the lowest on (LSD radix sort,
 * as Knuth, The Art of Computer Programming 3, 5.2.5, has it with links), which needs no memory and
 * keeps the order of equal keys.
 *
 * Slots inside cannot be marked, so these writers take none, and the first of a fill leaves those
 * that are free. The numbers of a drain's slots are their indices as far as they have no key, and
 * then go on through the sorted runs.
 */
#include "keyed.h"

#include <errno.h>
#include <string.h>

#include "../platform/tsan.h"
#include "chunk.h"
#include "decide.h"

/* The list of the runs. */
static const vf_smallbuf_type list_type = {
    .size = sizeof(vf_keyed_run),
    .alignment = _Alignof(vf_keyed_run),
    .writers = true, /* so its directory has no windows to keep */
};

/* ---- writers: any thread ---- */

/* Neighbouring keys, of writers that are open at the same time, have different ones. */
static uint64_t *rest_for(vf_keyed *keyed, uint64_t key)
{
    return &keyed->rests[(key ^ key >> 16 ^ key >> 32) % VF_KEYED_RESTS];
}

/* A run of slots that another writer has left; 0: there are none. */
static size_t take_rest(vf_writer *writer, uint64_t key, vf_directory *directory, void **slots)
{
    /* acquire: pairs with the release in vf_keyed_give_back; the rest was marked before, and no
       more is from here on */
    uint64_t index = vf_exchange_acquire(rest_for(&directory->keyed, key), 0);
    if (index == 0)
        return 0;
    uint64_t in_chunk;
    uint64_t offset = directory->offset;
    *slots = vf_slot_of(directory, index, &in_chunk);
    writer->end = vf_writer_end(writer, directory, index, in_chunk);
    vf_writer_mark(directory, index + offset, writer->end + offset, writer->end + offset);
    /* relaxed, both: as in vf_writer_leave */
    vf_fetch_add_relaxed(&directory->gaps, index - writer->end);
    vf_store_relaxed(&directory->hint, 0);
    return (size_t)(writer->end - index);
}

/* Leaves slots of a run for another writer: those in the last block, and the others as a gap. */
static void leave_rest(vf_directory *directory, uint64_t key, uint64_t index, uint64_t end)
{
    uint64_t last = end - 1 + directory->offset;
    uint64_t block = vf_block_at(directory, last);
    uint64_t begin = last / block * block - directory->offset;
    vf_writer_leave(directory, index, end);
    /* release: pairs with the acquire in take_rest. Another rest that was there stays a gap */
    vf_store_release(rest_for(&directory->keyed, key), index > begin ? index : begin);
}

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

/* A run of the buffer's next slots; 0: refused. */
static size_t take_next_run(vf_writer *writer, vf_directory *directory, uint64_t *tail,
                            void **spill, void **slots)
{
    const vf_smallbuf_type *type = &directory->type;
    size_t n;
    skip_inside(directory, tail);
    vf_writer_lengthen(writer, directory);
    while ((n = vf_writer_take(writer, tail, spill, type, slots)) == 0) {
        uint64_t index = vf_load_relaxed(tail); /* the swap will tell whether it is still so */
        if (index < vf_chunk_cap(directory->options) && vf_decide_up_to(directory, index))
            continue;
        /* relaxed: takes the index, which is refused from now to the next drain, so that it counts
           as such. It takes no slot otherwise: one among those without a key */
        if (vf_cas_strong_relaxed(tail, &index, index + 1)) {
            errno = ENOMEM;
            break;
        }
    }
    return n;
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

/* A writer's last run in the list; NULL: it has had none. */
static vf_keyed_run *run_of(const vf_writer *writer)
{
    return (vf_keyed_run *)(uintptr_t)(writer->run << 1);
}

size_t vf_keyed_more(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                     void **slots)
{
    vf_directory *directory = vf_directory_of(spill);
    if (directory == NULL && writer->run != REFUSED && !is_capped_inside(spill, type))
        directory = vf_decide_directory(spill, VF_NO_SLOT, type);
    if (directory == NULL || writer->run == REFUSED)
        return refuse(writer, directory);
    const vf_keyed_run *last = run_of(writer);
    uint64_t key = last != NULL ? last->key : writer->end;
    vf_writer next = {0, last != NULL ? last->count : 0};
    size_t n = last == NULL ? take_rest(&next, key, directory, slots) : 0;
    if (n == 0)
        n = take_next_run(&next, directory, tail, spill, slots);
    if (n == 0) {
        writer->run = REFUSED; /* the index that was refused counts */
        return 0;
    }
    uint64_t entries;
    uint64_t entry = vf_fetch_add_relaxed(&directory->keyed.tail, 1); /* as in S_push */
    vf_keyed_run *run = vf_spill_find(&directory->keyed.spill, entry, &list_type, &entries);
    if (run == NULL) {
        leave_rest(directory, key, next.end - n, next.end);
        return refuse(writer, directory);
    }
    *run = (vf_keyed_run){NULL, key, next.end - n, n};
    writer->end = next.end;
    writer->run = VF_KEYED | (uintptr_t)run >> 1;
    return n;
}

void vf_keyed_give_back(const vf_writer *writer, size_t unused, vf_directory *directory)
{
    vf_keyed_run *run = run_of(writer);
    run->count -= unused;
    leave_rest(directory, run->key, writer->end - unused, writer->end);
}

/* ---- drains: exclusive access ---- */

/* Links the runs of a fill in the order of the list; *differ: bits in which not all keys are the
   same. How many elements they have. */
static uint64_t link_runs(vf_keyed *keyed, vf_keyed_run **runs, uint64_t *differ)
{
    vf_drain list = {.spill = &keyed->spill};
    vf_keyed_run **last = runs;
    uint64_t elements = 0;
    void *found = NULL;
    keyed->tail = vf_spill_detach(&keyed->spill, keyed->tail, &list_type, &list);
    for (size_t n; (n = vf_drain_more(&list, &found)) > 0;) {
        vf_keyed_run *run = found;
        for (size_t i = 0; i < n; i++, run++) {
            *last = run;
            last = &run->next;
            elements += run->count;
            *differ |= run->key ^ (*runs)->key;
        }
    }
    *last = NULL;
    return elements;
}

/* By ascending key; those of the same key stay in their order. */
#define DIGIT_BITS 8
#define DIGITS     (1 << DIGIT_BITS)

static vf_keyed_run *sort(vf_keyed_run *runs, uint64_t differ)
{
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if ((differ >> shift & (DIGITS - 1)) == 0)
            continue;
        vf_keyed_run *first[DIGITS] = {NULL};
        vf_keyed_run **ends[DIGITS];
        for (vf_keyed_run *run = runs; run != NULL; run = run->next) {
            size_t digit = run->key >> shift & (DIGITS - 1);
            *(first[digit] == NULL ? &first[digit] : ends[digit]) = run;
            ends[digit] = &run->next;
        }
        vf_keyed_run **end = &runs;
        for (size_t digit = 0; digit < DIGITS; digit++) {
            if (first[digit] != NULL) {
                *end = first[digit];
                end = ends[digit];
            }
        }
        *end = NULL;
    }
    return runs;
}

/* Marks a run as a gap, up to the end of its last block: what is behind it there has a key too, or
   is a gap. */
static void hide_run(vf_directory *directory, const vf_keyed_run *run)
{
    uint64_t first = run->first + directory->offset;
    uint64_t block = vf_block_at(directory, first);
    uint64_t block_end = (first / block + 1) * block;
    uint64_t end = ((first + run->count - 1) / block + 1) * block;
    vf_mark mark = *vf_mark_at(directory, first);
    uint64_t hidden = vf_mark_fill(mark) == directory->fill ? vf_mark_slots(mark) : 0;
    vf_writer_mark(directory, first, first < block_end - hidden ? first : block_end - hidden, end);
}

void vf_keyed_sort(vf_directory *directory, vf_drain *drain)
{
    vf_keyed *keyed = &directory->keyed;
    vf_keyed_run *runs = NULL;
    uint64_t differ = 0;
    uint64_t inside = directory->type.inside - keyed->skipped;
    directory->gaps += link_runs(keyed, &runs, &differ);
    drain->next = inside; /* the template hands these out */
    if (directory->gaps == drain->end - inside)
        drain->end = inside; /* no other element is without a key */
    else
        for (const vf_keyed_run *run = runs; run != NULL; run = run->next)
            hide_run(directory, run);
    runs = sort(runs, differ);
    for (vf_keyed_run *run = runs; run != NULL; run = run->next) {
        run->key = drain->end;
        drain->end += run->count;
    }
    drain->refused = (uintptr_t)runs;
    keyed->skipped = 0;
    memset(keyed->rests, 0, sizeof keyed->rests);
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
    const vf_keyed_run *run = (const vf_keyed_run *)(uintptr_t)drain->refused;
    uint64_t end = run != NULL ? run->key : drain->end;
    size_t n = 0;
    if (drain->next < end)
        n = drain_without_key(drain, end, elements);
    if (n > 0 || drain->next >= drain->end)
        return n;
    while (drain->next - run->key >= run->count)
        run = run->next;
    uint64_t from = drain->next - run->key;
    uint64_t left = drain->end - drain->next;
    uint64_t in_chunk;
    *elements = vf_slot_of(vf_directory_of(drain->spill), run->first + from, &in_chunk);
    n = (size_t)(run->count - from < left ? run->count - from : left);
    drain->next += n;
    drain->refused = (uintptr_t)run;
    return n;
}

bool vf_keyed_reserve(vf_directory *directory)
{
    vf_keyed *keyed = &directory->keyed;
    if (keyed->tail == 0)
        return true;
    if (!vf_spill_reserve(&keyed->spill, &keyed->tail, 1, &list_type))
        return false;
    vf_directory_of(&keyed->spill)->refused = 0; /* the buffer's own counts these */
    if (keyed->tail == 0) /* all were refused: to the next drain there is no list */
        memset(keyed->rests, 0, sizeof keyed->rests);
    return true;
}

size_t vf_keyed_trim(vf_directory *directory)
{
    return vf_spill_trim(&directory->keyed.spill, directory->keyed.tail, 0, &list_type);
}
