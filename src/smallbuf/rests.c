/* SPDX-License-Identifier: MIT */
/*
 * rests.c - what writers with a key leave of their runs, for others to take.
 *
 * A thread that runs one job after the other takes what it has left last, and so has its elements
 * in a row; and one that has several writers open at a time finds a rest for each, by its key.
 *
 * While it may be taken a rest is neither counted nor marked as a gap, so that a job costs little:
 * exclusive access does that. And each of the first threads has a place of its own for what it has
 * left last, in the list: threads whose runs lie there, before and behind, soon write to them no
 * more, so that no other thread writes to the place's cache line.
 *
 *     own:      . . # . . . . . .        by the number of the thread
 *                   |
 *     list:         {rest} {7, 3, 3} {2, 6, 4} {2, 14, 5}
 */
#include "rests.h"

#include <errno.h>
#include <string.h>

#include <veryfast/detail/thread.h>

typedef struct vf_rest {
    uint64_t first; /* the index of the first slot */
    uint64_t end;   /* the index behind the last; 0: there are none */
} vf_rest;

/* ---- one in a word: its first slot, and how many there are ---- */

#define LENGTH_BITS 23
#define LENGTH_MAX  (((uint64_t)1 << LENGTH_BITS) - 1) /* only a block of a huge chunk has more */
_Static_assert(VF_SPILL_LEVELS + LENGTH_BITS <= 64, "an index and a length");

static uint64_t word_of(vf_rest rest)
{
    return rest.first << LENGTH_BITS | (rest.end - rest.first);
}

static vf_rest rest_of(uint64_t word)
{
    uint64_t first = word >> LENGTH_BITS;
    return (vf_rest){first, word != 0 ? first + (word & LENGTH_MAX) : 0};
}

/* ---- places of several threads ---- */

/* The place that a thread has which has none of its own. */
static uint64_t *place_of_thread(vf_keyed *keyed, uint64_t thread)
{
    return &keyed->rests[thread % VF_KEYED_RESTS];
}

/* Neighbouring keys, of writers that are open at the same time, have different ones. */
static uint64_t *place_of_key(vf_keyed *keyed, uint64_t key)
{
    return place_of_thread(keyed, key ^ key >> 16 ^ key >> 32);
}

static uint64_t take_out(uint64_t *place)
{
    /* acquire: pairs with the release in put_in; the load (relaxed) says only whether it is worth a
       swap */
    return vf_load_relaxed(place) != 0 ? vf_exchange_acquire(place, 0) : 0;
}

/* What was there; 0: nothing. */
static uint64_t put_in(uint64_t *place, uint64_t word)
{
    /* release: pairs with the acquire in take_out; acquire: with the release of the thread whose
       rest it was */
    return vf_exchange_acq_rel(place, word);
}

/* ---- a thread's own place ---- */

static uint64_t thread_number(void)
{
    uint64_t thread = vf_thread_lane();
    return thread != 0 ? thread : vf_thread_lane_begin();
}

/*
 * A run of the list that has no slots: its key is the index of the rest, and its first slot would
 * be the end of that. NULL: the thread has no number that is low enough, or no place yet.
 *
 * No other living thread has the same number, and one that gets it later comes after this one.
 */
static vf_run *own_place(const vf_keyed *keyed, uint64_t thread)
{
    return thread < VF_KEYED_RESTS ? keyed->own[thread] : NULL;
}

/* NULL: it cannot have one, or there is no memory. */
static vf_run *make_own_place(vf_keyed *keyed, uint64_t thread)
{
    int error = errno; /* stays: nothing is refused */
    if (thread >= VF_KEYED_RESTS)
        return NULL;
    vf_run *own = vf_runs_new(keyed);
    if (own != NULL)
        *own = (vf_run){0, 0};
    errno = error;
    return keyed->own[thread] = own;
}

static vf_rest rest_in(const vf_run *own)
{
    return (vf_rest){own->key, vf_run_first(own->slots)};
}

/* ---- any thread ---- */

uint64_t vf_rests_take(vf_directory *directory, uint64_t key, uint64_t *first)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t thread = thread_number();
    vf_run *own = own_place(keyed, thread);
    uint64_t word = 0;
    if (own != NULL && own->slots != 0) {
        uint64_t end = vf_run_first(own->slots);
        *first = own->key;
        own->slots = 0;
        return end;
    }
    if (thread >= VF_KEYED_RESTS)
        word = take_out(place_of_thread(keyed, thread));
    if (word == 0)
        word = take_out(place_of_key(keyed, key));
    vf_rest rest = rest_of(word);
    *first = rest.first;
    return rest.end;
}

/* What no writer will take is a gap. */
static void give_up(vf_directory *directory, vf_rest rest)
{
    if (rest.end != 0)
        vf_writer_leave(directory, rest.first, rest.end);
}

/* Leaves one in a place of several threads, and what was there in one of its key. */
static void leave_shared(vf_directory *directory, uint64_t key, uint64_t *place, vf_rest rest)
{
    uint64_t *other = place_of_key(&directory->keyed, key);
    if (rest.end - rest.first > LENGTH_MAX) {
        give_up(directory, rest);
        return;
    }
    uint64_t word = put_in(place, word_of(rest));
    if (word != 0 && place != other)
        word = put_in(other, word);
    give_up(directory, rest_of(word));
}

void vf_rests_leave(vf_directory *directory, uint64_t key, uint64_t first, uint64_t end)
{
    vf_keyed *keyed = &directory->keyed;
    uint64_t thread = thread_number();
    vf_run *own = own_place(keyed, thread);
    if (own == NULL)
        own = make_own_place(keyed, thread);
    if (own == NULL) {
        leave_shared(directory, key, place_of_thread(keyed, thread), (vf_rest){first, end});
        return;
    }
    vf_rest before = rest_in(own);
    own->key = first;
    own->slots = vf_run_slots(end, 0);
    if (before.end != 0)
        leave_shared(directory, key, place_of_key(keyed, key), before);
}

/* ---- exclusive access ---- */

#define PLACES ((size_t)2 * VF_KEYED_RESTS) /* of threads' own, and of several */

/* In so many places there may be rests; after a fill without keys in none. */
static size_t places_of(const vf_directory *directory)
{
    return directory->keyed.tail != 0 ? PLACES : 0;
}

static vf_rest rest_at(const vf_directory *directory, size_t place)
{
    const vf_keyed *keyed = &directory->keyed;
    if (place >= VF_KEYED_RESTS)
        return rest_of(keyed->rests[place - VF_KEYED_RESTS]);
    return keyed->own[place] != NULL ? rest_in(keyed->own[place]) : (vf_rest){0, 0};
}

uint64_t vf_rests_unused(const vf_directory *directory)
{
    uint64_t unused = 0;
    for (size_t i = 0; i < places_of(directory); i++) {
        vf_rest rest = rest_at(directory, i);
        unused += rest.end != 0 ? rest.end - rest.first : 0;
    }
    return unused;
}

void vf_rests_mark(vf_directory *directory)
{
    uint64_t offset = directory->offset;
    for (size_t i = 0; i < places_of(directory); i++) {
        vf_rest rest = rest_at(directory, i);
        if (rest.end != 0)
            vf_writer_mark(directory, rest.first + offset, rest.first + offset, rest.end + offset);
    }
}

void vf_rests_end(vf_directory *directory)
{
    vf_keyed *keyed = &directory->keyed;
    for (size_t i = 0; i < PLACES; i++)
        give_up(directory, rest_at(directory, i));
    memset(keyed->own, 0, sizeof keyed->own);
    memset(keyed->rests, 0, sizeof keyed->rests);
}
