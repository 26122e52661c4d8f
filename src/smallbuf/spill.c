/* SPDX-License-Identifier: MIT */
/*
 * spill.c - the small buffer's chunks: finds the slot of a push in them, and for a thread that has
 * the buffer for itself keeps what is there, gives it back and begins fills.
 */
#include "decide.h"

#include <assert.h>
#include <errno.h>

#include "../common/hook.h"
#include "../common/probe.h"
#include "../platform/tsan.h"
#include "chunk.h"
#include "keyed.h"
#include "lanes.h"
#include "rests.h"
#include "runs.h"

/* Wherever they are now. Any thread. */
static const vf_smallbuf_options *options_in(void *const *spill)
{
    /* acquire: pairs with the releases that change the word; one load, since a second one
       might see another */
    char *word = vf_load_acquire(spill);
    const vf_directory *directory = vf_directory_in(word);
    return directory != NULL ? directory->options : vf_options_of(word);
}

/* Pushes find the slots of a chunk that is there. */
static void keep_window(vf_directory *directory, size_t level, void *slots)
{
    vf_kept_window *kept = vf_kept_window_of(directory, level);
    if (kept != NULL) {
        vf_tsan_release(&kept->slots);
        vf_store_release(&kept->slots, slots); /* pairs with the acquire in vf_is_kept */
    }
}

/* The first chunk is the one to be filled. */
static void lead_to_first(void **spill, vf_directory *directory)
{
    /* release: pairs with the acquire in vf_expect. With VF_FLIP a push may look that has not had
       this bank since; the window comes before it */
    vf_tsan_release(spill);
    vf_store_release(spill, vf_word_of_chunk(directory, directory->first));
}

/* ---- pushes that need a chunk: any thread ---- */

/* The chunk is the one that is being filled, unless pushes have come to a later one, or it has a
   limit, for which those who look at its window do not look. */
static void lead_to(void **spill, vf_directory *directory, void *chunk)
{
    vf_window *window = vf_window_of(chunk);
    size_t level = vf_level_of(window->first + directory->offset);
    void *own = vf_word_of_chunk(directory, level);
    if (vf_lead_of(chunk)->limit != VF_NO_LIMIT || own == NULL || directory->type.lanes)
        return;
    keep_window(directory, level, chunk);
    /* acquire, here and where the swap fails: pairs with the releases of this and of the others
       that change the word; the window that it leads to comes before them */
    char *word = vf_load_acquire(spill);
    vf_tsan_release(spill);
    /* release: pairs with the acquire in vf_expect; the window has been acquired or made */
    while (vf_window_of(word - VF_SPILLED)->first < window->first &&
           !vf_cas_strong_acq_rel(spill, (void **)&word, own)) {
    }
}

static void *slot_spilled(void **spill, uint64_t index, const vf_smallbuf_type *type, uint64_t *run)
{
    vf_directory *directory = vf_decide_directory(spill, index - type->inside, type);
    if (directory == NULL)
        return NULL;
    /* acquire: pairs with the release in raise_room, which comes after the chunk's */
    if (index >= vf_load_acquire(&directory->room) && !vf_decide_up_to(directory, index))
        return NULL;
    vf_tsan_acquire(directory);
    lead_to(spill, directory, vf_chunk_of(directory, index));
    return vf_slot_of(directory, index, run);
}

void *vf_spill_find(void **spill, uint64_t index, const vf_smallbuf_type *type, uint64_t *run)
{
    assert(index >= type->inside);
    uint64_t taken = vf_plain_index(index);
    uint64_t cap = vf_chunk_cap(options_in(spill));
    void *slot = NULL;
    if (taken >= cap) {
        /* refused, and nothing to be decided */
    } else if (taken < type->inside) {
        slot = (char *)spill + type->inline_offset + (size_t)taken * type->size;
        *run = (cap < type->inside ? cap : type->inside) - taken;
    } else {
        slot = slot_spilled(spill, taken, type, run);
    }
    if (slot == NULL) {
        VF_PROBE(smallbuf_refusal, spill, taken);
        errno = ENOMEM;
    }
    return slot;
}

size_t vf_spill_about(void *const *spill, uint64_t index)
{
    uint64_t taken = vf_plain_index(index);
    uint64_t cap = vf_chunk_cap(options_in(spill));
    return (size_t)(taken < cap ? taken : cap);
}

/* ---- exclusive access ---- */

uint64_t vf_spill_init(void **spill, const vf_smallbuf_options *options,
                       const vf_smallbuf_type *type)
{
    assert(vf_directory_of(spill) == NULL);
    assert(options == NULL || vf_hook_is_valid(&options->allocator));
    *spill = vf_word_of(options);
    return vf_chunk_cap(options) < type->inside ? VF_CAP_INSIDE : 0;
}

size_t vf_spill_capacity(void *const *spill, const vf_smallbuf_type *type)
{
    const vf_directory *directory = vf_directory_of(spill);
    if (directory != NULL)
        return (size_t)directory->room;
    uint64_t cap = vf_chunk_cap(vf_options_of(*spill));
    return (size_t)(cap < type->inside ? cap : type->inside);
}

uint64_t vf_spill_used(void *const *spill, uint64_t index, const vf_smallbuf_type *type)
{
    uint64_t capacity = vf_spill_capacity(spill, type);
    uint64_t taken = vf_plain_index(index);
    return taken < capacity ? taken : capacity;
}

size_t vf_spill_count(void *const *spill, uint64_t index, const vf_smallbuf_type *type)
{
    vf_directory *directory = vf_directory_of(spill);
    uint64_t used = vf_spill_used(spill, index, type);
    if (directory == NULL)
        return (size_t)used;
    uint64_t unused = vf_lanes_unused(directory) + vf_rests_unused(directory);
    return (size_t)(used - directory->gaps - unused);
}

size_t vf_spill_refused(void *const *spill, uint64_t index, const vf_smallbuf_type *type)
{
    const vf_directory *directory = vf_directory_of(spill);
    uint64_t refused = vf_plain_index(index) - vf_spill_used(spill, index, type);
    return (size_t)(directory != NULL ? refused + directory->refused : refused);
}

/* The level above the chunks that are there. */
static size_t levels_end(const vf_directory *directory)
{
    size_t level = directory->first;
    while (level < VF_SPILL_LEVELS && vf_is_chunk(directory->chunks[level]))
        level++;
    return level;
}

/* Gives back the chunks from the level on; how many bytes. */
static size_t free_chunks(vf_directory *directory, size_t level)
{
    size_t bytes = 0;
    for (size_t top = levels_end(directory); top > level;) {
        void *chunk = directory->chunks[--top];
        directory->chunks[top] = NULL;
        /* relaxed: with VF_FLIP and VF_LANES a push may look; one that has its index acquires it */
        vf_store_relaxed(&directory->room, vf_chunk_room(directory, top - 1));
        keep_window(directory, top, NULL);
        bytes += vf_chunk_free(directory, chunk, top);
    }
    return bytes;
}

static size_t free_directory(void **spill, vf_directory *directory)
{
    size_t bytes = free_chunks(directory, directory->first + 1) + vf_lanes_free(directory);
    bytes += vf_runs_trim(&directory->keyed);
    *spill = vf_word_of(directory->options);
    return bytes + vf_chunk_directory_free(directory);
}

/* Lifts the refusal of a chunk, where there is one, and the limit of the last one that is there. */
static void lift_refusal(vf_directory *directory)
{
    size_t level = levels_end(directory);
    if (level < VF_SPILL_LEVELS)
        directory->chunks[level] = NULL;
    vf_chunk_limit(directory, level - 1, VF_NO_LIMIT);
}

/* Adds chunks up to the one that the index is in; false: nothing has changed. */
static bool add_chunks(vf_directory *directory, uint64_t index)
{
    size_t before = levels_end(directory);
    void *refusal = before < VF_SPILL_LEVELS ? directory->chunks[before] : NULL;
    uint64_t limit = vf_lead_of(directory->chunks[before - 1])->limit;
    lift_refusal(directory);
    if (vf_decide_up_to(directory, index))
        return true;
    lift_refusal(directory);
    free_chunks(directory, before);
    vf_chunk_limit(directory, before - 1, limit);
    if (before < VF_SPILL_LEVELS)
        directory->chunks[before] = refusal;
    return false;
}

/* The same, where there may be no directory yet. */
static bool reserve_chunks(void **spill, uint64_t index, const vf_smallbuf_type *type)
{
    vf_directory *directory = vf_directory_of(spill);
    if (directory != NULL)
        return add_chunks(directory, index);
    void *before = *spill;
    *spill = vf_word_of(vf_options_of(before)); /* a refusal is lifted */
    directory = vf_decide_directory(spill, 0, type);
    if (directory != NULL && add_chunks(directory, index))
        return true;
    if (directory != NULL)
        vf_chunk_directory_free(directory);
    *spill = before;
    return false;
}

/* No run is taken of slots below the index. */
static void promise(void **spill, uint64_t index)
{
    vf_directory *directory = vf_directory_of(spill);
    if (directory != NULL && index > directory->promised)
        directory->promised = index;
}

bool vf_spill_reserve(void **spill, uint64_t *index, size_t n, const vf_smallbuf_type *type)
{
    uint64_t used = vf_spill_used(spill, *index, type);
    uint64_t capacity = vf_spill_capacity(spill, type);
    vf_directory *directory = vf_directory_of(spill);
    if (n > 0 && directory != NULL && !vf_keyed_reserve(directory))
        return false;
    if (n > capacity - used) { /* else there is room for one more: nothing was refused */
        if (n > vf_chunk_cap(options_in(spill)) - used ||
            !reserve_chunks(spill, used + n - 1, type)) {
            errno = ENOMEM;
            return false;
        }
        vf_directory_of(spill)->refused += *index - used;
        *index = used;
    }
    promise(spill, used + n);
    return true;
}

/* Gives back the chunks behind so many slots, but for the first one; how many bytes. */
static size_t trim_to(void **spill, vf_directory *directory, uint64_t kept,
                      const vf_smallbuf_type *type)
{
    uint64_t last = kept > type->inside ? kept - 1 : type->inside;
    lead_to_first(spill, directory);
    return free_chunks(directory, vf_level_of(last + directory->offset) + 1);
}

size_t vf_spill_trim(void **spill, uint64_t index, size_t keep, const vf_smallbuf_type *type)
{
    vf_directory *directory = vf_directory_of(spill);
    if (directory == NULL)
        return 0;
    uint64_t used = vf_spill_used(spill, index, type);
    uint64_t kept = used > keep ? used : keep;
    if (kept >= directory->room)
        return 0; /* so nothing is refused, from here on */
    if (kept <= type->inside && directory->refused == 0)
        return free_directory(spill, directory);
    return vf_lanes_free(directory) + vf_runs_trim(&directory->keyed) +
           trim_to(spill, directory, kept, type);
}

size_t vf_spill_trim_drained(void **spill, size_t keep, const vf_smallbuf_type *type)
{
    vf_directory *directory = vf_directory_of(spill);
    return directory != NULL && keep < directory->room ? trim_to(spill, directory, keep, type) : 0;
}

void vf_spill_fork_child(void **spill, const vf_smallbuf_type *type)
{
    vf_drain unread = {.spill = spill};
    vf_directory *directory = vf_directory_of(spill);
    if (directory != NULL)
        vf_lanes_forget(directory);
    vf_spill_detach(spill, type->inside + 1, type, &unread);
}

/* Clears the marks of other fills: done every so often, no mark is older than its number. */
static void clear_old_marks(vf_directory *directory)
{
    for (size_t level = directory->first; level < levels_end(directory); level++) {
        vf_mark *marks = vf_mark_at(directory, (uint64_t)1 << level);
        for (size_t i = 0; i < vf_chunk_marks_size(directory, level) / sizeof *marks; i++)
            marks[i] = vf_mark_fill(marks[i]) == directory->fill ? marks[i] : 0;
    }
}

/* A fill ends, with so many slots: what was refused may be tried again, and its gaps are not the
   next one's. What is left of a promise is. */
static void begin_fill(vf_directory *directory, uint64_t used)
{
    lift_refusal(directory);
    directory->refused = 0;
    directory->hint = 0;
    directory->marked = 0;
    uint64_t promised = directory->promised > used ? directory->promised - used : 0;
    vf_store_relaxed(&directory->promised, promised); /* with VF_FLIP a push may look */
    if (directory->gaps == 0)
        return;
    directory->gaps = 0;
    /* twice in each round of numbers: marks of the present fill stay once, and are old by the
       second time */
    if (directory->fill % (VF_MARK_FILLS / 2) == 0)
        clear_old_marks(directory);
    directory->fill = directory->fill % VF_MARK_FILLS + 1;
}

uint64_t vf_spill_detach(void **spill, uint64_t index, const vf_smallbuf_type *type,
                         vf_drain *drain)
{
    vf_directory *directory = vf_directory_of(spill);
    drain->end = vf_spill_used(spill, index, type);
    drain->next = drain->next < drain->end ? drain->next : drain->end;
    if (type->bank_size != 0) /* VF_FLIP: S_drain_refused */
        drain->refused = vf_spill_refused(spill, index, type);
    if (directory == NULL) {
        /* a refusal is lifted; atomic, since with VF_FLIP a push may look */
        vf_store_relaxed(spill, vf_word_of(vf_options_of(*spill)));
        return index & VF_CAP_INSIDE;
    }
    uint64_t used = drain->end;
    drain->end = vf_lanes_end(directory, used);
    if ((directory->keyed.tail | directory->keyed.skipped) != 0) {
        drain->fill = VF_KEYED;
        vf_keyed_sort(directory, drain);
    }
    drain->fill |= directory->gaps != 0 ? directory->fill : 0;
    begin_fill(directory, used);
    lead_to_first(spill, directory);
    return 0;
}
