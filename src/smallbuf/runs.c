/* SPDX-License-Identifier: MIT */
/*
 * runs.c - the list of the runs of writers with a key, and how a drain sorts it.
 *
 * The list is a small buffer itself: so it grows as the buffer does and keeps its room, and where
 * it has no memory the push is refused.
 *
 * Threads that take jobs in the order of their keys leave few runs out of order: these are inserted
 * where they belong. If that takes too long, the runs are sorted digit by digit (LSD radix sort:
 * Knuth, The Art of Computer Programming 3, 5.2.5). Of n runs with keys that are far between, the
 * upper digits tell nearly all apart that n * n have; the others are inserted again. The worst
 * there is costs two passes for each digit of eight bits in which the keys differ.
 */
#include "runs.h"

#include "../platform/tsan.h"
#include "chunk.h"

/* So its directory has no windows to keep. */
static const vf_smallbuf_type list_type = {
    .size = 2 * sizeof(vf_run),
    .alignment = _Alignof(vf_run),
    .writers = true,
};

vf_run *vf_runs_new(vf_keyed *keyed)
{
    uint64_t number = vf_fetch_add_relaxed(&keyed->tail, 1); /* orders nothing: see S_push */
    const vf_directory *list = vf_directory_of(&keyed->spill);
    /* acquire: pairs with the release in raise_room, which comes after the chunk's */
    if (list == NULL || number >= vf_load_acquire(&list->room)) {
        uint64_t rest;
        if (vf_spill_find(&keyed->spill, number, &list_type, &rest) == NULL)
            return NULL;
        list = vf_directory_of(&keyed->spill);
    }
    vf_tsan_acquire(list);
    return vf_run_at(list, number, 0);
}

vf_run *vf_runs_row(const vf_runs *runs, uint64_t number, unsigned side, uint64_t *n)
{
    uint64_t place = number + runs->list->offset;
    uint64_t in_chunk = ((uint64_t)2 << vf_level_of(place)) - place;
    uint64_t left = runs->count - number;
    *n = in_chunk < left ? in_chunk : left;
    return vf_run_at(runs->list, number, side);
}

vf_runs vf_runs_take(vf_keyed *keyed)
{
    vf_drain drain = {.spill = &keyed->spill};
    keyed->tail = vf_spill_detach(&keyed->spill, keyed->tail, &list_type, &drain);
    vf_runs runs = {vf_directory_of(&keyed->spill), drain.end, 0, 0, true};
    uint64_t last = 0, either = 0, both = UINT64_MAX;
    for (uint64_t i = 0, n; i < runs.count; i += n) {
        vf_run *run = vf_runs_row(&runs, i, 0, &n);
        for (const vf_run *end = run + n; run < end; run++) {
            if (vf_run_count(run->slots) == 0)
                run->key = last; /* not to be out of order */
            runs.elements += vf_run_count(run->slots);
            runs.ascending = runs.ascending && run->key >= last;
            either |= run->key;
            both &= run->key;
            last = run->key;
        }
    }
    runs.differ = either & ~both;
    return runs;
}

/* ---- sorting ---- */

#define DIGIT_BITS 8
#define DIGITS     (1 << DIGIT_BITS)

/* Inserts the run with the number among those before it, which are sorted; by how many. */
static uint64_t insert_run(const vf_runs *runs, uint64_t number, unsigned side)
{
    vf_run run = *vf_run_at(runs->list, number, side);
    uint64_t to = number;
    for (; to > 0; to--) {
        vf_run before = *vf_run_at(runs->list, to - 1, side);
        if (before.key <= run.key)
            break;
        *vf_run_at(runs->list, to, side) = before;
    }
    *vf_run_at(runs->list, to, side) = run;
    return number - to;
}

/* Sorts by insertion; but gives up, which is false, when that has taken more than a few moves for
   each run so far. */
static bool insert_runs(const vf_runs *runs, unsigned side)
{
    uint64_t moves = 0;
    uint64_t last = 0;
    for (uint64_t i = 0, n; i < runs->count; i += n) {
        const vf_run *row = vf_runs_row(runs, i, side, &n);
        for (uint64_t at = 0; at < n; at++) {
            if (row[at].key >= last)
                last = row[at].key;
            else
                moves += insert_run(runs, i + at, side);
            if (moves > 32 + 4 * (i + at))
                return false;
        }
    }
    return true;
}

/* By ascending digit, from one side to the other; those of the same digit stay in their order. */
static void sort_by_digit(const vf_runs *runs, unsigned shift, unsigned side)
{
    uint64_t next[DIGITS] = {0}; /* how many; then where the next one goes */
    uint64_t before = 0;
    for (uint64_t i = 0, n; i < runs->count; i += n) {
        const vf_run *run = vf_runs_row(runs, i, side, &n);
        for (const vf_run *end = run + n; run < end; run++)
            next[run->key >> shift & (DIGITS - 1)]++;
    }
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint64_t n = next[digit];
        next[digit] = before;
        before += n;
    }
    for (uint64_t i = 0, n; i < runs->count; i += n) {
        const vf_run *run = vf_runs_row(runs, i, side, &n);
        for (const vf_run *end = run + n; run < end; run++)
            *vf_run_at(runs->list, next[run->key >> shift & (DIGITS - 1)]++, !side) = *run;
    }
}

/* By the digits in which keys differ, from the one at the shift on. The side on which they are. */
static unsigned sort_by_digits(const vf_runs *runs, unsigned shift, unsigned side)
{
    for (; shift < 64; shift += DIGIT_BITS) {
        if ((runs->differ >> shift & (DIGITS - 1)) != 0) {
            sort_by_digit(runs, shift, side);
            side = !side;
        }
    }
    return side;
}

/* Where the upper digits begin that so many runs need. */
static unsigned upper_digits(const vf_runs *runs)
{
    unsigned shift = 64;
    uint64_t n = runs->count < UINT32_MAX ? runs->count : UINT32_MAX; /* so that n * n is no more */
    for (uint64_t pairs = n * n; shift > 0 && pairs > 0;) {
        shift -= DIGIT_BITS;
        if ((runs->differ >> shift & (DIGITS - 1)) != 0)
            pairs >>= DIGIT_BITS;
    }
    return shift;
}

unsigned vf_runs_sort(const vf_runs *runs)
{
    if (runs->ascending || insert_runs(runs, 0))
        return 0;
    unsigned shift = upper_digits(runs);
    unsigned side = sort_by_digits(runs, shift, 0);
    bool all = (runs->differ & (((uint64_t)1 << shift) - 1)) == 0; /* shift is less than 64 */
    return all || insert_runs(runs, side) ? side : sort_by_digits(runs, 0, side);
}

/* ---- memory ---- */

bool vf_runs_reserve(vf_keyed *keyed)
{
    if (!vf_spill_reserve(&keyed->spill, &keyed->tail, 1, &list_type))
        return false;
    vf_directory_of(&keyed->spill)->refused = 0; /* the buffer's own counts these */
    return true;
}

size_t vf_runs_trim(vf_keyed *keyed)
{
    return vf_spill_trim(&keyed->spill, keyed->tail, 0, &list_type);
}
