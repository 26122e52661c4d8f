/* SPDX-License-Identifier: MIT */
/*
 * lane_flip.c - with VF_LANES and VF_FLIP: as lane.c, where the counter may go to the other bank at
 * any time, and what a flip does about the lanes of the bank that it takes.
 *
 * Until it has its slot a push is in no count, and its look at the counter may be of an old fill,
 * even where the swap succeeds, since the counter may have come round to the same. So it looks at
 * nothing of a chunk before that, and asks afterwards whether the chunk is there: the drainer may
 * have given it back. Lanes and directory stay as long as there are pushes.
 *
 * What a thread takes is behind all that it has taken before: of the fill that the counter is in it
 * has seen all its own runs, and if it has not seen the fill it has none there.
 */
#include <assert.h>

#include "../platform/tsan.h"
#include "../platform/wait.h"
#include "lane.h"
#include "lanes.h"

/* The word of the bank that a counter's value belongs to. */
static void **spill_of(void **spill, uint64_t tail, const vf_smallbuf_type *type)
{
    return (void **)(void *)((char *)spill + (size_t)(tail >> 63) * type->bank_size);
}

static void *take_counted(uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                          vf_claim *claim)
{
    claim->tail = vf_fetch_add_acquire(tail, 1); /* as in vf_self_count_up */
    vf_tsan_acquire(tail);
    void **word = spill_of(spill, claim->tail, type);
    uint64_t index = claim->tail & ~VF_BANK_BIT;
    uint64_t run;
    if (index < type->inside) /* a flip has come in between */
        return (char *)word + type->inline_offset + (size_t)index * type->size;
    return vf_spill_find(word, index, type, &run);
}

/* The index behind a run from this one on: it ends with a block, and within the chunk and room. Its
   length goes by the index alone: a lane's fields are the drainer's until the run is taken. */
static uint64_t end_from(const vf_directory *directory, uint64_t index)
{
    uint64_t place = index + directory->offset;
    uint64_t run = vf_block_at(directory, place);
    while (vf_lane_may_double(run, index, &directory->type))
        run *= 2;
    uint64_t chunk_end = vf_chunk_end(directory, vf_level_of(place));
    uint64_t room = vf_load_relaxed(&directory->room); /* whoever has the run asks once more */
    uint64_t most = chunk_end < room ? chunk_end : room;
    return most > index ? vf_writer_end(run, directory, index, most - index) : index;
}

/* The lane that is to have a run from the index on; NULL: the push takes a single slot. */
static vf_lane *lane_for(vf_directory *directory, uint64_t thread, uint64_t index)
{
    if (directory == NULL || vf_lane_is_single(directory, index) ||
        !vf_lane_is_there(directory, index))
        return NULL;
    vf_lane *lane = vf_lane_find(directory, thread);
    return lane != NULL ? lane : vf_lane_new(directory, thread);
}

/* Gives the lane the run, all but its first slot; NULL and ENOMEM: refused. */
static void *begin_run(vf_directory *directory, vf_flip_lane *own, void **word, uint64_t end,
                       vf_claim *claim)
{
    uint64_t index = vf_plain_index(claim->tail);
    uint64_t n = end - index;
    uint64_t there;
    claim->n = n;
    char *slots = vf_spill_find(word, index, &directory->type, &there);
    if (slots == NULL) {
        /* relaxed: the drainer's look comes when the push is done. One push, and no more */
        vf_fetch_add_relaxed(&directory->refused, 1 - n);
        return NULL;
    }
    assert(there >= n); /* whoever set a limit has an index behind it */
    vf_lane *lane = &own->lane;
    vf_lanes_unmark(directory, lane);
    lane->stop = slots + (size_t)n * directory->type.size;
    lane->first = index;
    lane->core.end = end;
    own->filled = n - 1; /* plain, both: a flip looks when it has seen the run counted as done */
    own->left = n - 1;
    return slots;
}

void *vf_lane_flip_next(uint64_t *tail, void **spill, const vf_smallbuf_type *type, vf_claim *claim)
{
    void *slots;
    if (vf_lane_flip_rest(tail, spill, type, 1, &slots, claim) > 0)
        return slots;
    claim->lane = NULL;
    claim->n = 1;
    uint64_t thread = vf_thread_lane_begin();
    claim->tail = vf_load_relaxed(tail); /* the swap tells whether it is still so */
    for (;;) {
        uint64_t index = vf_plain_index(claim->tail);
        void **word = spill_of(spill, claim->tail, type);
        vf_directory *directory = vf_directory_of(word);
        vf_lane *lane = lane_for(directory, thread, index);
        uint64_t end = lane != NULL ? end_from(directory, index) : index;
        if (end <= index) /* or room is less than it was: another fill */
            return take_counted(tail, spill, type, claim);
        /* acquire: as in vf_self_count_up */
        if (vf_cas_weak_acquire(tail, &claim->tail, claim->tail + (end - index))) {
            vf_tsan_acquire(tail);
            return begin_run(directory, vf_flip_lane_of(lane), word, end, claim);
        }
    }
}

size_t vf_lane_flip_rest(uint64_t *tail, void **spill, const vf_smallbuf_type *type, size_t n,
                         void **slots, vf_claim *claim)
{
    uint64_t thread = vf_thread_lane_begin(); /* first, as in vf_lane_next */
    uint64_t seen = vf_load_relaxed(tail);    /* as in vf_self_put */
    vf_directory *directory = vf_directory_of(spill_of(spill, seen, type));
    vf_lane *lane = directory != NULL ? vf_lane_find(directory, thread) : NULL;
    if (lane == NULL)
        return 0;
    claim->lane = vf_flip_lane_of(lane);
    uint64_t left;
    n = (size_t)vf_claim_slots(claim->lane, n, &left);
    if (n == 0)
        return 0;
    *slots = lane->stop - (size_t)left * type->size;
    claim->left = left - n;
    claim->tail = lane->core.end - left;
    return n;
}

/* ---- the drainer ---- */

/* Sets the bits in what is left to each lane; is what was claimed filled? */
static bool are_filled(void *const *spill, uint64_t bits)
{
    vf_directory *directory = vf_directory_of(spill);
    bool filled = true;
    for (vf_lane *lane = NULL; (lane = vf_lanes_next(directory, lane)) != NULL;) {
        vf_flip_lane *of = vf_flip_lane_of(lane);
        /* relaxed: pairs with the swap of a push, and nothing is read by it but how much is left */
        uint64_t left = vf_fetch_or_relaxed(&of->left, bits) & ~VF_RUN_ENDED;
        /* acquire: pairs with the release of each push, whose element comes before it */
        if (vf_load_acquire(&of->filled) != left)
            filled = false;
        vf_tsan_acquire(&of->filled);
    }
    return filled;
}

bool vf_lane_flip_end(void *const *spill)
{
    return are_filled(spill, VF_RUN_ENDED);
}

void vf_lane_flip_wait(void *const *spill)
{
    for (unsigned round = 0; !vf_lane_flip_end(spill);)
        vf_wait_round(&round);
}

bool vf_lane_flip_is_filled(void *const *spill)
{
    return are_filled(spill, 0);
}
