/* SPDX-License-Identifier: MIT */
/*
 * test_failing_smallbuf.c - a table of all calls on a small buffer, of each kind: in each the k-th
 * call of the allocator fails, for every k, and then all from the k-th on.
 *
 * A call that fails says so and has changed nothing but the number of those refused: what was
 * accepted is there, in order (with VF_LANES what was pushed by writers, and what was not; and what
 * has a key, and what has none), and no
 * memory more or less is held by a call that is refused as a whole. Once there is memory S_reserve
 * makes the same call succeed. Those that cannot fail do all that they do. (All ways to push, one
 * after the other: test_smallbuf_refusal.c.)
 */
#include "test_common.h"

#define INSIDE 5
#define MANY   150 /* more than the first chunk has */

/* ---- the model: 0, 1, 2, ... were accepted ---- */

static test_allocator allocator;
static size_t fail_from; /* calls of the allocator from this one on fail; 0: none */

static struct {
    size_t count, refused;
    size_t missing; /* of the last call: so many were not accepted */
    size_t drops;
    size_t dropped[2];  /* the next one in order: of what was pushed directly, and by writers */
    bool written[4096]; /* by a writer, with VF_LANES or with a key; others have one order */
} model;

static int next(void)
{
    return (int)model.count;
}

static void note(size_t accepted, size_t wanted)
{
    model.count += accepted;
    model.refused += wanted - accepted;
    model.missing += wanted - accepted;
}

static bool failed(void)
{
    return model.missing > 0;
}

/* Each that was accepted comes out once, in order. */
static void see(int value, size_t next[2])
{
    cr_assert(value >= 0 && (size_t)value < model.count);
    bool written = model.written[value];
    while (next[written] < (size_t)value && model.written[next[written]] != written)
        next[written]++;
    check_equal((size_t)value, next[written]);
    next[written]++;
}

static void drop(const int *value)
{
    see(*value, model.dropped);
    model.drops++;
}

static void emptied(void)
{
    check_equal(model.drops, model.count);
    memset(&model, 0, sizeof model);
}

static void *failing_alloc(void *context, size_t size, size_t alignment)
{
    if (fail_from != 0 && allocator.calls + 1 >= fail_from)
        allocator.refuse = true;
    vf_allocator real = test_allocator_hook(context);
    return real.alloc(real.context, size, alignment);
}

static void real_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    vf_allocator real = test_allocator_hook(context);
    real.dealloc(real.context, memory, size, alignment);
}

static vf_smallbuf_options options;

/* ---- the calls ---- */

struct entry {
    const char *names;
    void (*call)(void);
    bool may_fail;
};

struct kind {
    void (*begin)(void);
    void (*check)(void);
    size_t (*room)(void);
    void (*push)(void);
    void (*clear)(void);
    void (*reserve)(void);
    void (*destroy)(void);
    const struct entry *entries;
};

#define NAME plain
#include "test_failing_smallbuf_type.h"

#define NAME apart
#define VF_CACHE_ALIGNED
#include "test_failing_smallbuf_type.h"

#define NAME lanes
#define VF_LANES
#include "test_failing_smallbuf_type.h"

#define NAME flipping
#define VF_FLIP
#include "test_failing_smallbuf_type.h"

#define NAME waiting
#define VF_FLIP
#define VF_EPOCH
#include "test_failing_smallbuf_type.h"

#define NAME flipping_lanes
#define VF_FLIP
#define VF_LANES
#include "test_failing_smallbuf_type.h"

/* ---- states of a buffer, before the call ---- */

static void nothing_was_done(const struct kind *kind)
{
    (void)kind;
}

static void all_inside_are_in_use(const struct kind *kind)
{
    while (model.count < INSIDE)
        kind->push();
}

static void all_slots_are_in_use(const struct kind *kind)
{
    for (size_t i = 0; i < 2 * MANY; i++)
        kind->push();
    while (model.count < kind->room())
        kind->push();
}

static void chunks_are_kept(const struct kind *kind)
{
    all_slots_are_in_use(kind);
    kind->clear();
    all_inside_are_in_use(kind);
}

/* All slots of the first chunk are, and no call had memory for more than that. */
static void the_first_chunk_is_in_use(const struct kind *kind)
{
    all_inside_are_in_use(kind);
    kind->push();
    allocator.refuse = true;
    while (model.count < kind->room())
        kind->push();
    allocator.refuse = false;
    errno = EXDEV;
}

static void some_were_refused(const struct kind *kind)
{
    allocator.refuse = true;
    while (!failed())
        kind->push();
    kind->push();
    allocator.refuse = false;
    errno = EXDEV;
}

static void (*const states[])(const struct kind *kind) = {
    nothing_was_done, all_inside_are_in_use,     all_slots_are_in_use,
    chunks_are_kept,  the_first_chunk_is_in_use, some_were_refused};

/* ---- running them ---- */

/* After a call that failed: with memory it does not, once the refusal is lifted. */
static void try_again(const struct kind *kind, const struct entry *entry)
{
    model.missing = 0;
    kind->reserve();
    cr_assert(!failed());
    entry->call();
    cr_assert(!failed(), "%s: fails with memory, too", entry->names);
    kind->check();
}

/* Once with a failure at, or from, the k-th call of the allocator. True if there is one. */
static bool run(const struct kind *kind, const struct entry *entry,
                void (*state)(const struct kind *kind), size_t k, bool from, size_t *failures)
{
    allocator = (test_allocator){0};
    memset(&model, 0, sizeof model);
    fail_from = 0;
    kind->begin();
    state(kind);
    kind->check();
    model.missing = 0;
    size_t count = model.count, bytes = allocator.bytes, blocks = allocator.blocks;
    size_t last = allocator.calls + k;
    fail_from = from ? last : 0;
    atomic_store(&allocator.fail_at, from ? 0 : last);
    errno = EXDEV;
    entry->call();
    int error = errno;
    bool reached = allocator.calls >= last;
    fail_from = 0;
    atomic_store(&allocator.fail_at, 0);
    allocator.refuse = false;
    cr_assert(error == (failed() ? ENOMEM : EXDEV), "%s: errno is %d", entry->names, error);
    cr_assert(!failed() || entry->may_fail, "%s: has failed", entry->names);
    kind->check();
    if (failed()) {
        ++*failures;
        bool kept = allocator.bytes != bytes || allocator.blocks != blocks;
        /* a chunk, where the list of runs could not be had */
        bool may_keep = model.count > count || strcmp(entry->names, "writer_open_keyed") == 0;
        cr_assert(may_keep || !kept, "%s: has failed, and kept memory", entry->names);
        try_again(kind, entry);
    }
    kind->destroy();
    check_all_back(&allocator);
    return reached;
}

static void run_all(const struct kind *kind)
{
    static const size_t first_chunks[] = {0, 1, MANY};
    for (const struct entry *entry = kind->entries; entry->names != NULL; entry++) {
        size_t failures = 0;
        for (size_t i = 0; i < 3 * sizeof states / sizeof *states; i++) {
            options = (vf_smallbuf_options){.allocator = {failing_alloc, real_dealloc, &allocator},
                                            .first_chunk = first_chunks[i % 3]};
            for (size_t k = 1; run(kind, entry, states[i / 3], k, false, &failures); k++) {
            }
            for (size_t k = 1; run(kind, entry, states[i / 3], k, true, &failures); k++) {
            }
        }
        cr_assert((failures > 0) == entry->may_fail, "%s: has failed %zu times", entry->names,
                  failures);
    }
}

Test(failing_smallbuf, every_call)
{
    run_all(&plain_kind);
}

Test(failing_smallbuf, every_call_with_the_counter_apart)
{
    run_all(&apart_kind);
}

Test(failing_smallbuf, every_call_with_lanes)
{
    run_all(&lanes_kind);
}

Test(failing_smallbuf, every_call_of_one_that_flips)
{
    run_all(&flipping_kind);
}

Test(failing_smallbuf, every_call_of_one_that_flips_with_lanes)
{
    run_all(&flipping_lanes_kind);
}

Test(failing_smallbuf, every_call_of_one_that_waits_for_readers)
{
    run_all(&waiting_kind);
}
