/* SPDX-License-Identifier: MIT */
/*
 * smallbuf.h - the small buffer's parts and how they hang together. Read this first.
 *
 *   S_push                template, inline: one fetch_add, one store   include/veryfast/smallbuf.h
 *      |  behind N: one look at the chunk that is being filled         detail/smallbuf_core.h
 *      |  a slot that is not there
 *   spill                 finds it; keeps chunks and gives them back   spill.c
 *      |
 *   decide                which chunks are there, which are refused    decide.c
 *      |
 *   chunk                 their memory                                 chunk.c
 *      |
 *   allocator                                                          ../common/hook.c
 *
 * Beside them: drain.c walks over what was pushed, writer.c hands out runs of slots, keyed.c hands
 * out those of writers with a key, which runs.c lists and sorts and of which rests.c keeps what is
 * left, lane.c and lanes.c keep a run for each thread with VF_LANES, flip.c waits for pushes in
 * flight, and lane_flip.c is for lanes with flips.
 *
 * Words, one for one thing:
 *
 *   slot        memory for one element; slots have indices
 *   inside      of a slot: in the buffer itself, index below N
 *   spill       to have elements beyond those inside; the word spill leads to them
 *   chunk       2^k slots from one allocation, with their lead and their marks
 *   lead        what stands before a chunk's slots
 *   mark        how many slots at the end of a block were never used; behind the chunk's slots
 *   window      which slots a chunk has; in its lead
 *   place       of a slot in the chunks' numbering: its index + the directory's offset
 *   level       of a chunk: the highest bit of its places
 *   directory   what leads from a level to its chunk; in one allocation with the first chunk
 *   room        slots that are available without the allocator, those inside included
 *   refusal     the decision that a chunk has no slots from some index on, which holds until the
 *               next drain
 *   fill        what is pushed between two drains
 *   run         neighbouring slots that a writer has taken, or a lane
 *   lane        a writer that the buffer keeps for a thread, with VF_LANES
 *   claim       to take a slot of one's lane, which a flip may end, with VF_FLIP
 *   gap         the unused end of a run that could not be given back
 *   rest        what a writer with a key has left of a run, for another to take
 *   bank        one of the two buffers within a buffer with VF_FLIP
 *
 * The one rule behind the promise that what was accepted is a prefix: a chunk is decided, by one
 * compare-and-swap, when all chunks before it are there with all their slots, and until a drain a
 * decision changes only for indices before all that were refused: these may still get the chunk.
 */
#ifndef VF_SMALLBUF_H
#define VF_SMALLBUF_H

#include <veryfast/detail/smallbuf_core.h>
#include <veryfast/detail/smallbuf_lane_flip.h>

#include "../common/arith.h"
#include "../platform/compiler.h"

static inline size_t vf_level_of(uint64_t place)
{
    return vf_compiler_highest(place);
}

/*
 * What is known of a chunk: NULL, it is not decided; its address; or a refusal, an odd number:
 * there was no memory for a push whose slot in it is the one with the number `limit`, or behind it.
 * Pushes with slots before that may still get the chunk, and then its limit lies in its lead.
 */
#define VF_NO_LIMIT UINT64_MAX

static inline void *vf_refusal_at(uint64_t limit)
{
    uint64_t most = UINTPTR_MAX >> 1; /* no chunk has more slots */
    return (void *)(uintptr_t)((limit < most ? limit : most) << 1 | 1);
}

static inline bool vf_is_chunk(const void *decision)
{
    return decision != NULL && ((uintptr_t)decision & 1) == 0;
}

static inline uint64_t vf_refusal_limit(const void *decision)
{
    return decision != NULL ? (uintptr_t)decision >> 1 : VF_NO_LIMIT;
}

/* Highest bits that a place can have: 2^40 slots and more. */
#define VF_SPILL_LEVELS 41

/* keyed.c's, of one fill. */
#ifndef VF_KEYED_RESTS
#    define VF_KEYED_RESTS 16
#endif
typedef struct vf_keyed {
    struct vf_run *own[VF_KEYED_RESTS]; /* rests.c: by number of thread, a place of its own */
    uint64_t rests[VF_KEYED_RESTS];     /* atomic: what is in the places of several; 0: nothing */
    void *spill;                        /* atomic: the list of the runs is a small buffer of its */
    vf_smallbuf_options options;        /* constant: own, of the same allocator, */
    uint64_t skipped;                   /* slots inside that were left unused */
    uint64_t begin;                     /* in a drain: the number of the first slot with a key */
    uint64_t tail; /* atomic: and without slots inside; written often, so far from what is read */
} vf_keyed;

/*
 * Slot i, from N on, has a place in the chunks, i + offset: the highest bit of the place says in
 * which chunk, the bits below it where. The first chunk has 2^k slots, with k chosen, and offset is
 * 2^k - N.
 *
 *     directory | padding | lead | slots of the first chunk | marks
 *                                  ^
 *                         padding | lead | slots of another | marks
 *                                          ^
 *
 * These two, and their like, are in chunks[].
 */
typedef struct vf_directory {
    uint64_t room;                 /* atomic: slots below it have a chunk and are within the cap */
    uint64_t offset;               /* constant; modulo 2^64 */
    size_t first;                  /* constant: level of the first chunk */
    uint64_t block;                /* constant: slots in the shortest block */
    void *chunks[VF_SPILL_LEVELS]; /* atomic: what is known of each */
    const vf_smallbuf_options *options;
    vf_smallbuf_type type; /* constant; a copy, since what the program has may be unloaded */
    uint64_t refused; /* since the last drain, by refusals that S_reserve has lifted; exclusive, but
                         that with VF_LANES and VF_FLIP (atomic) a run refused counts as one */
    uint64_t gaps;    /* atomic: slots in the gaps of this fill */
    uint64_t fill;    /* number of this fill, as marks have it; exclusive */
    uint64_t hint;    /* atomic: drain.c, a place to look from */
    uint64_t taken;   /* VF_FLIP: the index that a flip has taken, if it is large; the drainer's */
    uint64_t promised; /* VF_LANES, atomic: slots below it are S_reserve's */
    uint64_t marked;   /* atomic: elements there were when drain.c marked lanes and rests */
    vf_keyed keyed;
    /* What pushes look at that the word leads to: */
    vf_kept_window none;      /* without slots; */
    vf_kept_window windows[]; /* with VF_FLIP those of the chunks, from the first one on */
} vf_directory;

/* With VF_FLIP pushes ask the core for the slots of later chunks. */
#define VF_KEPT_WINDOWS 24

/* What lies before the slots of a chunk. */
typedef struct vf_lead {
    uint64_t limit;   /* pushes have slots below it in this fill; constant while there are pushes */
    vf_window window; /* constant; the slots begin behind it */
} vf_lead;

/* A window, and so a lead, is found by where it ends. */
#define VF_ENDS_WITH_WINDOW(type) (offsetof(type, window) + sizeof(vf_window) == sizeof(type))
_Static_assert(VF_ENDS_WITH_WINDOW(vf_lead), "vf_window_of relies on it");
_Static_assert(VF_ENDS_WITH_WINDOW(vf_kept_window), "vf_word_of_chunk relies on it");

static inline vf_lead *vf_lead_of(void *chunk)
{
    return (vf_lead *)chunk - 1;
}

static inline vf_window *vf_window_of(void *chunk)
{
    return (vf_window *)chunk - 1;
}

/*
 * Marks, behind the slots of a chunk, say where its gaps are: for each block of some lines how many
 * slots at its end were never used, and in which fill, since marks are not cleared at a drain.
 *
 *     block:  x x x x x x . .    mark:  fill << 27 | 2
 */
typedef uint32_t vf_mark;
#define VF_MARK_SLOT_BITS 27 /* a block has at most 2^26 slots: the largest chunk's */
#define VF_MARK_FILLS     30 /* fills have numbers from 1 to this */
#define VF_MARKS_BITS     14 /* a chunk has at most 2^14 blocks */

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

/*
 * Slots in the shortest block, which is a writer's first run: the least power of two that makes a
 * pair of cache lines (Intel's prefetcher fetches two), 8 at least, but not more than fit into
 * VF_RUN_BYTES, or one. Elements of odd sizes share a line at the ends of their blocks: it would
 * take up to 128 of them to fill whole ones.
 */
#define VF_RUN_BYTES 8192

static inline uint64_t vf_block_least(size_t size)
{
    uint64_t slots = 8;
    while (slots <= (2 * VF_CACHE_LINE - 1) / size)
        slots *= 2;
    while (slots > 1 && slots > VF_RUN_BYTES / size)
        slots /= 2;
    return slots;
}

/*
 * Slots in a block of a chunk of the level, least being those in the shortest. The one push that
 * gets a chunk zeroes its marks, so a large chunk has larger blocks instead of more marks.
 */
static inline uint64_t vf_block_slots(size_t level, uint64_t least)
{
    uint64_t part = (uint64_t)1 << level >> VF_MARKS_BITS;
    uint64_t slots = least < part ? part : least;
    return slots >> level > 0 ? (uint64_t)1 << level : slots;
}

/* ---- the word spill: see detail/smallbuf_core.h ---- */

static inline const vf_smallbuf_options *vf_options_of(const char *word)
{
    size_t refused = (uintptr_t)word & (VF_REFUSED | VF_REFUSED_FIRST);
    word = refused != 0 ? word - refused : word; /* C11 has no NULL - 0 */
    return (const vf_smallbuf_options *)(const void *)word;
}

static inline void *vf_word_of(const vf_smallbuf_options *options)
{
    return (void *)(uintptr_t)options;
}

/* Leads to the window that ends there. */
static inline void *vf_word_behind(void *window_end)
{
    return (char *)window_end + VF_SPILLED;
}

/* The directory that a value of the word leads to; NULL where nothing has spilled. */
static inline vf_directory *vf_directory_in(char *word)
{
    return (uintptr_t)word & VF_SPILLED ? (vf_directory *)vf_window_of(word - VF_SPILLED)->directory
                                        : NULL;
}

static inline vf_directory *vf_directory_of(void *const *spill)
{
    /* acquire: pairs with the releases in spill.c and decide.c that change the word; the window
       that it leads to comes before them */
    return vf_directory_in((char *)vf_load_acquire(spill));
}

/* The window of a chunk that a word may lead to with VF_FLIP; NULL: none may. */
static inline vf_kept_window *vf_kept_window_of(vf_directory *directory, size_t level)
{
    size_t number = level - directory->first;
    if (directory->type.writers || number >= VF_KEPT_WINDOWS || level >= VF_SPILL_LEVELS)
        return NULL;
    return &directory->windows[number];
}

/* The word while the chunk of the level is filled; NULL: it goes on leading to an earlier one. With
   VF_LANES it is the same for all. */
static inline void *vf_word_of_chunk(vf_directory *directory, size_t level)
{
    if (directory->type.lanes)
        return vf_word_behind(vf_lane_heads(directory));
    if (directory->type.writers)
        return vf_word_behind(vf_load_relaxed(&directory->chunks[level])); /* the caller has it */
    vf_kept_window *kept = vf_kept_window_of(directory, level);
    return kept != NULL ? vf_word_behind(kept + 1) : NULL;
}

/* The chunk that a slot is in whose index is within room. relaxed: room has been acquired. */
static inline void *vf_chunk_of(const vf_directory *directory, uint64_t index)
{
    return vf_load_relaxed(&directory->chunks[vf_level_of(index + directory->offset)]);
}

/* The slot, and *run that follow in the same chunk and are within its limit, itself included. */
static inline void *vf_slot_of(const vf_directory *directory, uint64_t index, uint64_t *run)
{
    char *chunk = (char *)vf_chunk_of(directory, index);
    const vf_lead *lead = vf_lead_of(chunk);
    uint64_t at = index - lead->window.first;
    *run = (lead->limit < lead->window.count ? lead->limit : lead->window.count) - at;
    return chunk + (size_t)at * directory->type.size;
}

/* The index of the first slot behind a chunk. */
static inline uint64_t vf_chunk_end(const vf_directory *directory, size_t level)
{
    return ((uint64_t)2 << level) - directory->offset;
}

/* Slots in the block that the place is in. */
static inline uint64_t vf_block_at(const vf_directory *directory, uint64_t place)
{
    return vf_block_slots(vf_level_of(place), directory->block);
}

/* Bytes from a chunk's first slot to its marks, which are aligned whatever the elements are. */
static inline size_t vf_marks_offset(size_t level, size_t size)
{
    return vf_round_up(size << level, sizeof(vf_mark));
}

/* The mark of the block that the place is in. Only where there can be writers. */
static inline vf_mark *vf_mark_at(const vf_directory *directory, uint64_t place)
{
    size_t level = vf_level_of(place);
    char *chunk = vf_load_relaxed(&directory->chunks[level]); /* room has been acquired */
    vf_mark *marks = (vf_mark *)(void *)(chunk + vf_marks_offset(level, directory->type.size));
    size_t block_level = vf_level_of(vf_block_at(directory, place)); /* no division: it is slow */
    return &marks[(place ^ (uint64_t)1 << level) >> block_level];
}

/*
 * writer.c: marks what a run leaves unused, slots from the place `from` to `end`, as gaps, in all
 * its blocks from that with the place `first` on. They end in this run, and so does the last of its
 * chunk, so the marks are this run's.
 */
void vf_writer_mark(vf_directory *directory, uint64_t first, uint64_t from, uint64_t end);

/* writer.c: counts and marks slots of a run, from the index to its end, as a gap. */
void vf_writer_leave(vf_directory *directory, uint64_t index, uint64_t end);

/* writer.c: the index behind a run of about so many slots that begins at the index, where so many
   follow in the chunk. */
uint64_t vf_writer_end(uint64_t run, const vf_directory *directory, uint64_t index,
                       uint64_t in_chunk);

/* writer.c: a run of slots that are there; 0: they are to be decided, or refused. */
size_t vf_writer_take(vf_writer *writer, uint64_t *tail, void **spill, const vf_smallbuf_type *type,
                      void **slots);

/* writer.c: the next run is twice as long, within bounds. */
void vf_writer_lengthen(vf_writer *writer, const vf_directory *directory);

/* spill.c: how many slots below the index are within room. Exclusive access. */
uint64_t vf_spill_used(void *const *spill, uint64_t index, const vf_smallbuf_type *type);

#endif
