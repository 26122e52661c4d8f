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
 * drain begins. What a run is not used for never goes back to the buffer: it is a rest, which the
 * next writer with a key may take, so that of many that push little few leave slots unused. Hence
 * all slots of a block that lie behind one of such a run are of such runs too, or gaps; and for a
 * drain these are marked as gaps, so that it walks over what has no key as ever. Then it goes
 * through the list.
 *
 * Slots inside cannot be marked, so these writers take none, and the first of a fill leaves those
 * that are free. The numbers of a drain's slots are their indices as far as they have no key, and
 * then go on through the sorted runs.
 */
#include "keyed.h"

#include <errno.h>
#include <string.h>

#include <veryfast/detail/thread.h>

#include "../platform/tsan.h"
#include "chunk.h"
#include "decide.h"
#include "runs.h"

/* ---- writers: any thread ---- */

/*
 * A rest: the index at which it begins, and in how many blocks it lies, at most as many as there
 * are in 8 KiB. A thread that runs one job after the other has its elements in a row, therefore;
 * and one that has several writers open at a time finds a rest for each, by its key.
 */
#define REST_BLOCK_BITS 16

static uint64_t *rest_of_thread(vf_keyed *keyed)
{
    uint64_t thread = vf_thread_lane();
    return &keyed->rests[(thread != 0 ? thread : vf_thread_lane_begin()) % VF_KEYED_RESTS];
}

/* Neighbouring keys, of writers that are open at the same time, have different ones. */
static uint64_t *other_rest(vf_keyed *keyed, uint64_t key)
{
    return &keyed->others[(key ^ key >> 16 ^ key >> 32) % VF_KEYED_RESTS];
}

static uint64_t take_out(uint64_t *rest)
{
    /* acquire: pairs with the releases in leave_rest; the rest was marked before, and no more is
       from here on. The load (relaxed) says only whether it is worth a swap */
    return vf_load_relaxed(rest) != 0 ? vf_exchange_acquire(rest, 0) : 0;
}

/* A run of slots that another writer has left; 0: there are none. */
static size_t take_rest(vf_writer *writer, uint64_t key, vf_directory *directory, void **slots)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t rest = take_out(rest_of_thread(keyed));
    if (rest == 0)
        rest = take_out(other_rest(keyed, key));
    if (rest == 0)
        return 0;
    uint64_t offset = directory->offset;
    uint64_t index = rest >> REST_BLOCK_BITS;
    uint64_t blocks = rest & (((uint64_t)1 << REST_BLOCK_BITS) - 1);
    uint64_t in_chunk;
    *slots = vf_slot_of(directory, index, &in_chunk);
    uint64_t run = blocks * vf_block_at(directory, index + offset);
    writer->end = vf_writer_end(run, directory, index, in_chunk);
    vf_writer_mark(directory, index + offset, writer->end + offset, writer->end + offset);
    /* relaxed, both: as in vf_writer_leave */
    vf_fetch_add_relaxed(&directory->gaps, index - writer->end);
    vf_store_relaxed(&directory->hint, 0);
    return (size_t)(writer->end - index);
}

/* Leaves slots of a run for another writer. */
static void leave_rest(vf_directory *directory, uint64_t key, uint64_t index, uint64_t end)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t first = index + directory->offset;
    size_t level = vf_level_of(vf_block_at(directory, first));
    uint64_t blocks = ((end - 1 + directory->offset) >> level) - (first >> level) + 1;
    vf_writer_leave(directory, index, end);
    /* release: pairs with the acquire in take_out; acquire: with the release of the thread whose
       rest it was, and which another one takes from there */
    uint64_t before = vf_exchange_acq_rel(rest_of_thread(keyed), index << REST_BLOCK_BITS | blocks);
    if (before != 0) /* a rest that was there stays a gap */
        vf_store_release(other_rest(keyed, key), before);
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
 * and as many as take so large a part each leave little unused. No longer, since each job marks its
 * rest as a gap and then no more.
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
    vf_writer next = {0, next_run(writer, directory)};
    size_t n = take_rest(&next, key, directory, slots);
    if (n != 0)
        writer->run |= HAS_HAD_REST;
    else
        n = take_next_run(&next, directory, tail, spill, slots);
    if (n == 0) {
        writer->run = REFUSED; /* the index that was refused counts */
        return 0;
    }
    uint64_t first = next.end - n;
    if (n > VF_RUN_COUNT_MAX) {
        n = VF_RUN_COUNT_MAX;
        leave_rest(directory, key, first + n, next.end);
    }
    if (!enter(writer, key, first, n, directory)) {
        leave_rest(directory, key, first, first + n);
        return refuse(writer, directory);
    }
    writer->end = first + n;
    return n;
}

void vf_keyed_give_back(const vf_writer *writer, size_t unused, vf_directory *directory)
{
    vf_run *run = run_of(writer);
    run->slots -= unused;
    leave_rest(directory, run->key, writer->end - unused, writer->end);
}

/* ---- drains: exclusive access ---- */

static void forget_rests(vf_keyed *keyed)
{
    memset(keyed->rests, 0, sizeof keyed->rests);
    memset(keyed->others, 0, sizeof keyed->others);
}

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
        for (const vf_run *end = run + n; run < end; run++)
            hide_run(directory, run->slots);
    }
}

void vf_keyed_sort(vf_directory *directory, vf_drain *drain)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t inside = directory->type.inside - keyed->skipped;
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
    forget_rests(keyed);
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

/* vf_slot_of, which looks at the chunk too. */
static void *slot_at(const vf_directory *directory, uint64_t index)
{
    uint64_t place = index + directory->offset;
    size_t level = vf_level_of(place);
    uint64_t at = place ^ (uint64_t)1 << level;
    return (char *)directory->chunks[level] + (size_t)at * directory->type.size;
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
        forget_rests(keyed);
    return true;
}
