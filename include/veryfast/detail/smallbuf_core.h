/*
 * smallbuf_core.h - what the small buffer's template sees of the core.
 *
 *   buffer                 directory, from the first chunk on
 *   +-------------+        +------+--------+-----------------------------+
 *   | tail        |    +-> | room | offset | chunks[0] ... chunks[40]    | ... and the first chunk
 *   | spill ------+----+   +------+--------+----|----------------|-------+
 *   | inline_[N]  |                             v                v
 *   +-------------+                        [ 2^k slots ]   [ 2^(k+1) slots ]   ...
 *
 * Slot i is inline_[i] below N. From N on it has a place in the chunks, i + offset: the highest bit
 * of the place says in which chunk, the bits below it where. The first chunk has 2^k slots, with
 * k chosen, and offset is 2^k - N. Chunks are never moved, so neither is an element.
 *
 * The word spill is one of
 *
 *     options + 0           nothing has spilled; options may be NULL
 *     options + VF_REFUSED  the same, and the first chunk could not be had
 *     directory + VF_SPILLED
 *
 * where + is on bytes: the words before are aligned, so that their lowest bits are free.
 */
#ifndef VF_DETAIL_SMALLBUF_CORE_H
#define VF_DETAIL_SMALLBUF_CORE_H

#include <veryfast/detail/atomic.h>
#include <veryfast/detail/config.h>
#include <veryfast/veryfast.h>

VF_EXTERN_C_BEGIN

#define VF_SPILLED 1
#define VF_REFUSED 2

/* Highest bits that a place can have: 2^40 slots and more. */
#define VF_SPILL_LEVELS 41

/* The part of a directory that pushes know. */
typedef struct vf_spill {
    uint64_t room;                 /* atomic: slots below it have a chunk and are within the cap */
    uint64_t offset;               /* constant; modulo 2^64 */
    void *chunks[VF_SPILL_LEVELS]; /* atomic; NULL: not decided; VF_CHUNK_REFUSED */
} vf_spill;

/* What the core must know of an instance; constant, one for each. */
typedef struct vf_smallbuf_type {
    const char *interface_kind; /* &vf_interface_...: headers and core must agree to link */
    uint64_t inside;            /* VF_N */
    size_t size;                /* of an element */
    size_t alignment;           /* of an element */
    size_t inline_offset;       /* bytes from the word spill to slot 0 */
    bool writers;               /* can it have them? */
} vf_smallbuf_type;

extern VF_API const char vf_interface_1;

/*
 * A counter's bits above the index. With a cap below N, the index has VF_CAP_INSIDE in it: no push
 * then believes that it is below N, all ask the core, and no other buffer pays for the question.
 */
#define VF_BANK_BIT   ((uint64_t)1 << 63) /* VF_FLIP: which bank */
#define VF_CAP_INSIDE ((uint64_t)1 << 62)

static inline uint64_t vf_plain_index(uint64_t index)
{
    return index & (VF_CAP_INSIDE - 1);
}

/* A drain's place in the chunks. */
typedef struct vf_drain {
    void **spill;
    uint64_t next, end; /* slots that no span has had yet, from N on */
    uint64_t refused;
    uint64_t fill; /* whose gaps are to be skipped; 0: there are none */
} vf_drain;

/* A writer's run of slots. */
typedef struct vf_writer {
    uint64_t end; /* index behind the run */
    uint64_t run; /* slots in the next one */
} vf_writer;

/*
 * The slot at the index, from N on, or NULL and ENOMEM: decides on chunks that are not decided yet.
 * For indices that vf_spill_slots knows nothing of. Any thread.
 */
VF_API void *vf_spill_grow(void **spill, uint64_t index, const vf_smallbuf_type *type);

/* Exclusive access from here on. An index may be behind what was refused. */

/* Sets the options; the index at which an empty buffer with them begins. */
VF_API uint64_t vf_spill_init(void **spill, const vf_smallbuf_options *options,
                              const vf_smallbuf_type *type);
VF_API size_t vf_spill_count(void *const *spill, uint64_t index, const vf_smallbuf_type *type);
VF_API size_t vf_spill_refused(void *const *spill, uint64_t index, const vf_smallbuf_type *type);
VF_API size_t vf_spill_capacity(void *const *spill, const vf_smallbuf_type *type);
VF_API bool vf_spill_reserve(void **spill, uint64_t *index, size_t n, const vf_smallbuf_type *type);
VF_API size_t vf_spill_trim(void **spill, uint64_t index, size_t keep,
                            const vf_smallbuf_type *type);
VF_API size_t vf_spill_span(void *const *spill, uint64_t index, size_t from,
                            const vf_smallbuf_type *type, const void **elements);

/* Takes what is below the index out of the buffer; the index at which it begins anew. */
VF_API uint64_t vf_spill_detach(void **spill, uint64_t index, const vf_smallbuf_type *type,
                                vf_drain *drain);
VF_API size_t vf_drain_more(vf_drain *drain, const vf_smallbuf_type *type, void **elements);

/* A new run for a writer that has used up the last one; how many slots, 0: none, and ENOMEM. */
VF_API size_t vf_writer_more(vf_writer *writer, uint64_t *tail, void **spill,
                             const vf_smallbuf_type *type, void **slots);
/* What the writer has not used of its run. */
VF_API void vf_writer_give_back(vf_writer *writer, size_t unused, uint64_t *tail, void **spill,
                                const vf_smallbuf_type *type);

/* Waits until n pushes into a bank are done. */
VF_API void vf_flip_wait(const uint64_t *done, uint64_t n);

VF_EXTERN_C_END

/* A program may call other things index, spill, slot or room. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

/* The highest bit; the exclusive or, unlike a subtraction, costs nothing. */
static inline size_t vf_level_of(uint64_t place)
{
    return (size_t)__builtin_clzll(place) ^ 63;
}

/*
 * Finds the slot at the index, from N on; false where the core must be asked. *run: how many slots
 * follow in the same chunk, itself included, all within the cap.
 */
static inline bool vf_spill_slots(void *const *spill, uint64_t index, size_t size, void **slots,
                                  uint64_t *run)
{
    /* acquire: pairs with the release in src/spill.c that publishes the directory */
    char *word = (char *)vf_load_acquire(spill);
    if (VF_UNLIKELY(((uintptr_t)word & VF_SPILLED) == 0))
        return false;
    const vf_spill *known = (const vf_spill *)(const void *)(word - VF_SPILLED);
    /* acquire: pairs with the release in src/spill.c, which comes after the chunk's */
    uint64_t room = vf_load_acquire(&known->room);
    if (VF_UNLIKELY(index >= room))
        return false;
    uint64_t place = index + known->offset;
    size_t level = vf_level_of(place);
    uint64_t behind = place ^ (uint64_t)1 << level; /* slots in the chunk before this one */
    uint64_t to_chunk_end = ((uint64_t)1 << level) - behind;
    /* relaxed: room has been acquired */
    *slots = (char *)vf_load_relaxed(&known->chunks[level]) + (size_t)behind * size;
    *run = to_chunk_end < room - index ? to_chunk_end : room - index;
    return true;
}

#pragma GCC diagnostic pop

#endif
