/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_core.h - what the small buffer's template sees of the core.
 *
 *   buffer                   the chunk that is being filled
 *   +-------------+          +--------+-------+-----------+-------------------------+
 *   | tail        |          | first  | count | directory | slot | slot | slot | ... |
 *   | spill ------+---+      +--------+-------+-----------+-------------------------+
 *   | inline_[N]  |   |       <------- window ----------> ^
 *   +-------------+   +-----------------------------------+
 *
 * Slot i is inline_[i] below N. From N on it is in a chunk. The word spill leads to the one that is
 * being filled, and the core knows the others (the directory, see src/smallbuf/smallbuf.h). Chunks
 * are never moved, so neither is an element.
 *
 * The word spill is one of
 *
 *     options + 0           nothing has spilled; options may be NULL
 *     options + VF_REFUSED  the same, and there was no memory for a push into the first chunk; with
 *                           VF_REFUSED_FIRST too for one into its first slot
 *     slots + VF_SPILLED    of a chunk, behind its window; with VF_FLIP the end of a window that
 *                           stays when the chunk goes (vf_kept_window); with VF_LANES of one
 *                           without slots, and the lanes' heads behind it
 *
 * where + is on bytes: the words before are aligned, so that their lowest bits are free.
 */
#ifndef VF_DETAIL_SMALLBUF_CORE_H
#define VF_DETAIL_SMALLBUF_CORE_H

#include <veryfast/detail/atomic.h>
#include <veryfast/detail/config.h>
#include <veryfast/veryfast.h>

/* What only a checked build looks at: see smallbuf_checked.h. */
#ifdef VF_CHECKED
#    include <veryfast/detail/smallbuf_checked.h>
#else
#    define vf_push_begin(buffer)                  ((void)0)
#    define vf_push_end(buffer)                    ((void)0)
#    define vf_writer_opened(writer, of)           ((void)0)
#    define vf_writer_closed(writer, of)           ((void)0)
#    define vf_exclusive(buffer, what)             ((void)0)
#    define vf_flip_began(buffer)                  ((void)0)
#    define vf_flip_finished(buffer)               ((void)0)
#    define vf_forked(buffer)                      ((void)0)
#    define vf_drain_began(buffer, drain, current) ((drain)->over = false)
#    define vf_drain_used(drain, what)             ((void)0)
#    define vf_drain_over(drain)                   ((void)0)
#    define vf_drain_goes_behind(drain)            ((void)0)
#    define vf_drain_shared(drain)                 ((void)0)
#    define vf_drain_trims(drain)                  ((void)0)
#endif

VF_EXTERN_C_BEGIN

#define VF_SPILLED       1
#define VF_REFUSED       2
#define VF_REFUSED_FIRST 4

/* What lies before a chunk's slots. Constant. */
typedef struct vf_window {
    uint64_t first; /* index of the first slot */
    uint64_t count; /* slots that are within the cap */
    void *directory;
} vf_window;

/*
 * With VF_FLIP a chunk may go while other threads push, and a push that has yet to take its index
 * is in no count: it may look at the window of a chunk that is gone, even after its bank was
 * drained. So what it looks at is a copy beside the directory, and when it has its index it asks
 * whether the chunk is still there.
 */
typedef struct vf_kept_window {
    void *slots; /* atomic: those of the chunk; NULL: it is not there */
    vf_window window;
} vf_kept_window;

/* What the core must know of an instance; constant, one for each. */
typedef struct vf_smallbuf_type {
    const char *interface_kind; /* &vf_interface_...: headers and core must agree to link */
    uint64_t inside;            /* VF_N */
    size_t size;                /* of an element */
    size_t alignment;           /* of an element */
    size_t inline_offset;       /* bytes from the word spill to slot 0 */
    bool writers;               /* can it have them? */
    bool lanes;                 /* VF_LANES */
    size_t bank_size;           /* VF_FLIP: bytes from one bank to the other; 0: there is one */
    size_t options_size; /* of the options that the program knows: later versions may have more */
} vf_smallbuf_type;

/*
 * A counter's bits above the index. With any but the first of them an index is not below N, and in
 * no window: a push then asks the core, and where none is set no push pays for the question.
 */
#define VF_BANK_BIT   ((uint64_t)1 << 63) /* VF_FLIP: which bank */
#define VF_CAP_INSIDE ((uint64_t)1 << 62) /* the cap is below N */
#define VF_ASLEEP     ((uint64_t)1 << 61) /* VF_FLIP: a thread sleeps in S_wait */
#define VF_WOKEN      ((uint64_t)1 << 60) /* VF_FLIP: S_wake has come, and no S_wait since */

/* A program may call other things tail or index. */
VF_NAMES_BEGIN

/* Where the pushes to the other bank begin. A thread that sleeps is not woken by a flip. */
static inline uint64_t vf_other_bank(uint64_t tail)
{
    return (~tail & VF_BANK_BIT) | (tail & (VF_CAP_INSIDE | VF_ASLEEP | VF_WOKEN));
}

static inline uint64_t vf_plain_index(uint64_t index)
{
    return index & (VF_WOKEN - 1);
}

/* As exclusive access has an index: with VF_CAP_INSIDE and no other bit. */
static inline uint64_t vf_index_of(uint64_t tail)
{
    return tail & ~(VF_BANK_BIT | VF_ASLEEP | VF_WOKEN);
}

VF_NAMES_END

/* A bit of a writer, and of a drain, with keys: see src/smallbuf/keyed.c. */
#define VF_KEYED ((uint64_t)1 << 63)

/* How far a drain has come in the chunks. */
typedef struct vf_drain {
    void **spill;
    uint64_t next, end; /* slots that no span has contained yet, behind those inside */
    uint64_t refused;   /* with VF_KEYED: the address of the run that it is in */
    uint64_t fill;      /* whose gaps are to be skipped; 0: there are none. VF_KEYED: by key */
} vf_drain;

/* A writer's run of slots. */
typedef struct vf_writer {
    uint64_t end; /* index behind the run. The key of a writer that has had none */
    uint64_t run; /* slots in the next one; or VF_KEYED, and half the address of the last one */
} vf_writer;

/*
 * The slot at the index, or NULL and ENOMEM: decides on chunks that are not decided yet. *run: how
 * many slots follow in a row that are available, itself included. For indices that the template
 * knows nothing of: not below N, or with VF_CAP_INSIDE. Any thread.
 */
VF_API void *vf_spill_find(void **spill, uint64_t index, const vf_smallbuf_type *type,
                           uint64_t *run);

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

/* Takes what is below the index out of the buffer; the index at which it begins again. */
VF_API uint64_t vf_spill_detach(void **spill, uint64_t index, const vf_smallbuf_type *type,
                                vf_drain *drain);
VF_API size_t vf_drain_more(vf_drain *drain, void **elements);

/* A new run for a writer that has used up the last one; how many slots, 0: none, and ENOMEM. */
VF_API size_t vf_writer_more(vf_writer *writer, uint64_t *tail, void **spill,
                             const vf_smallbuf_type *type, void **slots);
/* What the writer has not used of its run. */
VF_API void vf_writer_give_back(vf_writer *writer, size_t unused, uint64_t *tail, void **spill);

/* How much there may be below the index: an estimate, within the cap. Any thread. */
VF_API size_t vf_spill_about(void *const *spill, uint64_t index);

/* With VF_FLIP. `done` is that of the bank that a flip has taken, and n its last index. */

/* From here on `done` says how many pushes are in flight. */
VF_API void vf_flip_take(uint64_t *done, uint64_t n, void **spill, const vf_smallbuf_type *type);
/* Are all pushes into the bank done? *n: the index. False too where no flip has taken it. */
VF_API bool vf_flip_over(const uint64_t *done, void *const *spill, uint64_t *n);
/* Waits for that; the index. */
VF_API uint64_t vf_flip_wait(const uint64_t *done, void *const *spill);

/* S_wait, S_wake; and what a push calls behind its end where a thread sleeps. */
VF_API bool vf_flip_sleep(uint64_t *tail, int64_t timeout_ns);
VF_API void vf_flip_wake(uint64_t *tail);
VF_API void vf_flip_rouse(uint64_t *tail);
/* What a flip does about bits that it has overwritten. */
VF_API void vf_flip_missed(uint64_t *tail, uint64_t bits);

/* In the child of a fork: gives up what is in a bank. */
VF_API void vf_spill_fork_child(void **spill, const vf_smallbuf_type *type);

/* Gives back what a drained bank does not need for `keep` elements, beside pushes into the other.
 */
VF_API size_t vf_spill_trim_drained(void **spill, size_t keep, const vf_smallbuf_type *type);

VF_EXTERN_C_END

/* The slots among which a push expects its own; none, if it expects a slot inside the buffer. */
typedef struct vf_expected {
    uint64_t first, count;
    void *slots;
    void *const *kept; /* with VF_FLIP: where to ask for the slots once more */
} vf_expected;

/* A program may call other things spill, word or window. */
VF_NAMES_BEGIN

/*
 * A push calls this before it takes its index. On x86 a
 * load waits for an atomic operation before it: a push that read the word only after the counter
 * would wait twice, one wait after the other. If the two share a cache line that several threads
 * write to, it would have to fetch that line twice as well.
 */
static inline vf_expected vf_expect(void *const *spill)
{
    vf_expected expected = {0, 0, NULL, NULL};
    /* acquire: pairs with the releases in src/smallbuf that make a chunk the one to be filled */
    char *word = (char *)vf_load_acquire(spill);
    if (((uintptr_t)word & VF_SPILLED) != 0) {
        expected.slots = word - VF_SPILLED;
        const vf_window *window = (const vf_window *)expected.slots - 1;
        expected.first = window->first;
        expected.count = window->count;
    }
    return expected;
}

/* The same with VF_FLIP. */
static inline vf_expected vf_expect_in_bank(void *const *spill)
{
    vf_expected expected = vf_expect(spill);
    if (expected.slots != NULL) {
        expected.kept = &((const vf_kept_window *)expected.slots - 1)->slots;
        expected.slots = vf_load_relaxed(expected.kept); /* vf_is_kept tells whether it is so */
        if (expected.slots == NULL)
            expected.count = 0; /* the chunk is gone, and may be so still when vf_is_kept looks */
    }
    return expected;
}

/* Are the slots still those? When the push has its index, and is counted as in flight. */
static inline bool vf_is_kept(const vf_expected *expected)
{
    /* acquire: pairs with the release in src/smallbuf/spill.c: the chunk comes before it */
    return vf_load_acquire(expected->kept) == expected->slots;
}

VF_NAMES_END

#endif
