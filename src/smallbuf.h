/*
 * smallbuf.h - the small buffer's parts and how they hang together. Read this first.
 *
 *   S_push                template, inline: one fetch_add, one store   include/veryfast/smallbuf.h
 *      |  behind N: one look into the directory                        detail/smallbuf_core.h
 *   spill                 decides on chunks, gives them back           spill.c
 *      |
 *   allocator                                                          memory.c
 *
 * Beside them: drain.c walks over what was pushed, writer.c hands out runs of slots, flip.c waits
 * for pushes in flight.
 *
 * Words, one for one thing:
 *
 *   slot        memory for one element; slots have indices
 *   inside      of a slot: in the buffer itself, index below N
 *   chunk       2^k slots from one allocation
 *   place       of a slot in the chunks' numbering: its index + the directory's offset
 *   level       of a chunk: the highest bit of its places
 *   directory   what leads from a level to its chunk; in one allocation with the first chunk
 *   room        slots that can be had without the allocator, those inside included
 *   refusal     the decision that a chunk is not to be had, which holds until the next drain
 *   fill        what is pushed between two drains
 *   run         neighbouring slots that a writer has taken
 *   gap         the unused end of a run that could not be given back
 *   bank        one of the two buffers within a buffer with VF_FLIP
 *
 * The one rule behind the promise that what was accepted is a prefix: a chunk is decided, by one
 * compare-and-swap, when all chunks before it are there, and no decision changes until a drain.
 */
#ifndef VF_SMALLBUF_H
#define VF_SMALLBUF_H

#include <veryfast/detail/smallbuf_core.h>

/* An undecided chunk is NULL; one that could not be had is this. */
#define VF_CHUNK_REFUSED ((void *)(uintptr_t)1)

/*
 * Directory:
 *
 *     room | offset | chunks | bookkeeping | padding | slots of the first chunk | marks |
 */
typedef struct vf_directory {
    vf_spill fast; /* first: the word spill leads here */
    const vf_smallbuf_options *options;
    uint64_t refused; /* since the last drain, by refusals that S_reserve has lifted; exclusive */
    uint64_t gaps;    /* atomic: slots in the gaps of this fill */
    uint64_t fill;    /* number of this fill, as marks have it; exclusive */
    uint64_t hint;    /* atomic: drain.c, a place to look from */
    size_t first;     /* level of the first chunk */
} vf_directory;

/*
 * Marks, behind the slots of a chunk, say where its gaps are: for each block of some lines how many
 * slots at its end were never used, and in which fill, since marks are not cleared at a drain.
 *
 *     block:  x x x x x x . .    mark:  fill << 10 | 2
 */
typedef uint16_t vf_mark;
#define VF_MARK_SLOT_BITS 10 /* a block has at most 512 slots: of a byte, with lines of 256 */
#define VF_MARK_FILLS     62 /* fills have numbers from 1 to this */

static inline vf_mark vf_mark_of(uint64_t fill, uint64_t slots)
{
    return (vf_mark)(fill << VF_MARK_SLOT_BITS | slots);
}

static inline uint64_t vf_mark_fill(vf_mark mark)
{
    return (uint64_t)mark >> VF_MARK_SLOT_BITS;
}

static inline uint64_t vf_mark_slots(vf_mark mark)
{
    return mark & (((uint64_t)1 << VF_MARK_SLOT_BITS) - 1);
}

/* Slots in a block: whole pairs of cache lines (Intel's prefetcher fetches two), 8 at least. */
static inline uint64_t vf_block_slots(size_t size)
{
    uint64_t power = size & (0 - size); /* the greatest that divides the size */
    uint64_t slots = 2 * VF_CACHE_LINE / power;
    return slots < 8 ? 8 : slots;
}

/*
 * NULL where nothing has spilled. relaxed: for who has exclusive access, or has a slot in a chunk
 * and so has acquired the word before.
 */
static inline vf_directory *vf_directory_of(void *const *spill)
{
    char *word = vf_load_relaxed(spill);
    return (uintptr_t)word & VF_SPILLED ? (vf_directory *)(void *)(word - VF_SPILLED) : NULL;
}

/* The index of the first slot behind a chunk. */
static inline uint64_t vf_chunk_end(const vf_directory *directory, size_t level)
{
    return ((uint64_t)2 << level) - directory->fast.offset;
}

static inline char *vf_slot_at(const vf_directory *directory, uint64_t place, size_t size)
{
    size_t level = vf_level_of(place);
    char *chunk = vf_load_relaxed(&directory->fast.chunks[level]); /* room has been acquired */
    return chunk + (size_t)(place ^ (uint64_t)1 << level) * size;
}

/* The mark of the block that the place is in. Only where there can be writers. */
static inline vf_mark *vf_mark_at(const vf_directory *directory, uint64_t place, size_t size)
{
    size_t level = vf_level_of(place);
    char *chunk = vf_load_relaxed(&directory->fast.chunks[level]); /* room has been acquired */
    vf_mark *marks = (vf_mark *)(void *)(chunk + ((size_t)1 << level) * size);
    return &marks[(place ^ (uint64_t)1 << level) / vf_block_slots(size)];
}

/* spill.c: how many slots below the index are within room. Exclusive access. */
uint64_t vf_spill_used(void *const *spill, uint64_t index, const vf_smallbuf_type *type);

#endif
