/* SPDX-License-Identifier: MIT */
/*
 * decide.c - which chunks are there, and which were refused.
 *
 * Pushers that need a chunk each allocate one and publish it by compare-and-swap; one that comes
 * late gives its chunk back and takes the other's. No pusher waits for another.
 *
 * The schedule is TBB's and boxcar's: doubling sizes, found by the highest bit. That a failure is
 * decided by the same compare-and-swap as a success, in order, is what makes it a prefix.
 *
 * A pusher whose allocation fails does not know whether another's succeeds at the same time, and it
 * waits for none. So what it decides holds from its own slot on, and not for those before:
 *
 *     slots of a chunk:   x x x | . . .      the push into the fourth was refused: a limit of 3
 *
 * One whose slot is before the limit may still publish the chunk, which is then used up to there.
 */
#include "decide.h"

#include "../platform/tsan.h"
#include "chunk.h"

/* What a refused first chunk puts in the word where options were NULL; the same as NULL. */
static const vf_smallbuf_options no_options;

/*
 * Of the first chunk, whose refusal lies in the word, that knows only two limits: 0 if the first
 * slot was refused, or else 1.
 */
static uint64_t first_limit(const char *word)
{
    if (((uintptr_t)word & VF_REFUSED) == 0)
        return VF_NO_LIMIT;
    return ((uintptr_t)word & VF_REFUSED_FIRST) != 0 ? 0 : 1;
}

/* The word with the refusal of a slot. */
static void *refuse_first(char *word, uint64_t slot)
{
    const vf_smallbuf_options *options = vf_options_of(word);
    char *refusal = (char *)vf_word_of(options != NULL ? options : &no_options) + VF_REFUSED;
    return slot == 0 ? refusal + VF_REFUSED_FIRST : refusal;
}

/* What the thread that has made a directory, or could not, decides instead of the word. */
static void *decision_of_first(vf_directory *directory, char *word, uint64_t slot)
{
    uint64_t limit = first_limit(word);
    if (directory == NULL)
        return refuse_first(word, slot);
    vf_chunk_limit(directory, directory->first, limit);
    if (limit != VF_NO_LIMIT && !directory->type.lanes)
        return vf_word_behind(&directory->none + 1);
    return vf_word_of_chunk(directory, directory->first);
}

vf_directory *vf_decide_directory(void **spill, uint64_t slot, const vf_smallbuf_type *type)
{
    /* acquire, here and where the swap fails: pairs with the release of the swap below */
    char *word = vf_load_acquire(spill);
    if (((uintptr_t)word & VF_SPILLED) != 0 || slot >= first_limit(word))
        return vf_directory_in(word);
    vf_directory *mine = vf_chunk_directory_new(vf_options_of(word), type);
    if (mine == NULL && slot == VF_NO_SLOT)
        return vf_directory_of(spill);
    do {
        void *decision = decision_of_first(mine, word, slot);
        if (mine != NULL)
            vf_tsan_release(mine);
        vf_tsan_release(spill);
        /* release: what is in the directory comes before it */
        if (vf_cas_strong_acq_rel(spill, (void **)&word, decision))
            return mine;
    } while (((uintptr_t)word & VF_SPILLED) == 0 && slot < first_limit(word));
    if (mine != NULL)
        vf_chunk_directory_free(mine);
    return vf_directory_in(word);
}

/* Decides on a chunk, all before it being there, for its slot of that number; NULL: refused. */
static void *decide_chunk(vf_directory *directory, size_t level, uint64_t slot)
{
    void **decision = &directory->chunks[level];
    /* acquire, here and where the swap fails: pairs with the release of the swap below */
    void *known = vf_load_acquire(decision);
    if (!vf_is_chunk(known) && slot < vf_refusal_limit(known)) {
        void *mine = vf_chunk_new(directory, level);
        do {
            if (mine != NULL)
                vf_lead_of(mine)->limit = vf_refusal_limit(known);
            vf_tsan_release(directory);
            /* release: its lead and marks come before it */
            if (vf_cas_strong_acq_rel(decision, &known, mine != NULL ? mine : vf_refusal_at(slot)))
                return mine;
        } while (!vf_is_chunk(known) && slot < vf_refusal_limit(known));
        if (mine != NULL)
            vf_chunk_free(directory, mine, level);
    }
    return vf_is_chunk(known) ? known : NULL;
}

static void raise_room(vf_directory *directory, uint64_t room)
{
    uint64_t known = vf_load_relaxed(&directory->room);
    /* release: pairs with the acquires of room; the chunks below have been acquired or made */
    while (known < room && !vf_cas_weak_release(&directory->room, &known, room)) {
    }
}

bool vf_decide_up_to(vf_directory *directory, uint64_t index)
{
    if (index >= vf_chunk_end(directory, VF_SPILL_LEVELS - 1))
        return false; /* no chunk would have it */
    uint64_t place = index + directory->offset;
    size_t last = vf_level_of(place);
    for (size_t level = directory->first; level <= last; level++) {
        uint64_t slots = (uint64_t)1 << level;
        uint64_t slot = level < last ? slots : place - slots; /* those before it must be there */
        void *chunk = decide_chunk(directory, level, slot);
        if (chunk == NULL)
            return false;
        raise_room(directory, vf_chunk_room(directory, level));
        if (slot >= vf_lead_of(chunk)->limit)
            return false;
    }
    return true;
}
