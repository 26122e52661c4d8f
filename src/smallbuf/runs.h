/* SPDX-License-Identifier: MIT */
/*
 * runs.h - the list of the runs of writers with a key.
 */
#ifndef VF_RUNS_H
#define VF_RUNS_H

#include "smallbuf.h"

/* A run of a writer with a key. */
typedef struct vf_run {
    uint64_t key;   /* in a drain, sorted: the number of its first slot there */
    uint64_t slots; /* the index of the first one, and how many are used */
} vf_run;

/* A longer run is entered as several. */
#define VF_RUN_COUNT_BITS 12
#define VF_RUN_COUNT_MAX  (((uint64_t)1 << VF_RUN_COUNT_BITS) - 1)

static inline uint64_t vf_run_slots(uint64_t first, uint64_t count)
{
    return first << VF_RUN_COUNT_BITS | count;
}

static inline uint64_t vf_run_first(uint64_t slots)
{
    return slots >> VF_RUN_COUNT_BITS;
}

static inline uint64_t vf_run_count(uint64_t slots)
{
    return slots & VF_RUN_COUNT_MAX;
}

/* Do n slots, from the index on, go on where others end, in the same chunk, and may they be one
   run with these? */
static inline bool vf_run_goes_on(const vf_directory *directory, uint64_t slots, uint64_t index,
                                  uint64_t n)
{
    uint64_t place = index + directory->offset;
    return index == vf_run_first(slots) + vf_run_count(slots) && (place & (place - 1)) != 0 &&
           n <= VF_RUN_COUNT_MAX - vf_run_count(slots);
}

/*
 * The run with the number, which is within the list's room, on a side: each slot of the list has
 * room for two runs, so that a drain can sort them from one side to the other. Else they are on
 * side 0. In a chunk of the list each side is in a row:
 *
 *     chunk:  a b c d e f . . | . . . . . . . .
 */
static inline vf_run *vf_run_at(const vf_directory *list, uint64_t number, unsigned side)
{
    uint64_t place = number + list->offset;
    size_t level = vf_level_of(place);
    uint64_t slots = (uint64_t)1 << level;
    /* relaxed: room has been acquired */
    return (vf_run *)vf_load_relaxed(&list->chunks[level]) + side * slots + (place ^ slots);
}

/* Any thread: a run of the list; NULL: there is no memory. */
vf_run *vf_runs_new(vf_keyed *keyed);

/* Exclusive access from here on. */

/* What was in the list at the end of a fill. Some may have no slots. */
typedef struct vf_runs {
    const vf_directory *list;
    uint64_t count;
    uint64_t elements;
    uint64_t differ; /* bits in which not all keys are the same */
    bool ascending;  /* the keys, in the order of the list */
} vf_runs;

/* Runs in a row from the one with the number on, and how many. */
vf_run *vf_runs_row(const vf_runs *runs, uint64_t number, unsigned side, uint64_t *n);

/* Empties the list, which keeps what was in it until the next fill. */
vf_runs vf_runs_take(vf_keyed *keyed);

/* By ascending key; those of the same key stay in their order. The side on which they are then. */
unsigned vf_runs_sort(const vf_runs *runs);

/* Has the list room for one more, where one was refused? False and ENOMEM: there is no memory. */
bool vf_runs_reserve(vf_keyed *keyed);

/* Gives back memory of the list that no run is in; how many bytes. */
size_t vf_runs_trim(vf_keyed *keyed);

#endif
