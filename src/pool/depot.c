/* SPDX-License-Identifier: MIT */
/* depot.c - see depot.h. That no free slot gets lost is shown in listed.c. */
#include "depot.h"

#include <assert.h>
#include <string.h>

#include "../common/probe.h"
#include "../platform/tsan.h"

/* ---- giving ---- */

void vf_depot_give(vf_batch *batch, size_t w, vf_word bits)
{
    /* release: pairs with the acquire of the thread that takes the bits: all that was done to the
       slots comes before. seq_cst: see the table in listed.c. An addition is the OR of bits that
       are not set, and x86 can tell what was there before in one instruction, where an OR takes a
       loop */
    vf_word old = vf_fetch_add_seq_cst(&batch->free[w], bits);
    assert((old & bits) == 0);
    if (old == 0)
        vf_listed_add(batch);
}

/* Does the slot lie in word w of the batch that begins at base? */
static inline bool is_in_word(vf_shape shape, uintptr_t base, size_t w, uintptr_t slot)
{
    size_t offset = slot - base;
    return offset < shape.bytes && vf_batch_slot_number(shape, offset) / VF_WORD_BITS == w;
}

/* The bits of slots[*i], which lies in word w, and of those behind it up to the first that does
   not, of n; *i is that one's place then. */
static inline vf_word gather(vf_shape shape, uintptr_t base, size_t w, void *const *slots, size_t n,
                             size_t *i)
{
    const size_t before = w * VF_WORD_BITS * shape.stride;
    const size_t bytes = vf_min(VF_WORD_BITS * shape.stride, shape.bytes - before);
    const uintptr_t first = base + before;
    size_t offset = (uintptr_t)slots[*i] - first;
    vf_word bits = 0;
    do {
        assert(offset < bytes && offset % shape.stride == 0);
        bits |= vf_bits_bit(vf_batch_slot_number(shape, offset));
        if (++*i == n)
            break;
        offset = (uintptr_t)slots[*i] - first;
    } while (offset < bytes);
    return bits;
}

void vf_depot_put(vf_depot *depot, void *const *slots, size_t n)
{
    vf_tsan_release(depot->batches.memory);
    const vf_shape shape = depot->batches.shape; /* a copy that no store can change */
    const vf_addresses *table = vf_addresses_now(&depot->batches);
    for (size_t i = 0; i < n;) {
        uintptr_t slot = (uintptr_t)slots[i];
        uintptr_t base;
        vf_batch *batch = vf_batch_of(&depot->batches, table, shape, slot, &base);
        assert((slot - base) % shape.stride == 0);
        size_t number = vf_batch_slot_number(shape, slot - base);
        const size_t w = number / VF_WORD_BITS;
        vf_word bits = vf_bits_bit(number);
        /* Slots in no order are most often alone in their word: so the preparations of gather are
           made only where there is another. */
        if (++i < n && is_in_word(shape, base, w, (uintptr_t)slots[i]))
            bits |= gather(shape, base, w, slots, n, &i);
        vf_depot_give(batch, w, bits);
    }
    /* release: pairs with the acquire in batches_for: what P_reserve counts on is found */
    vf_fetch_add_release(&depot->taken, (size_t)0 - n);
}

void vf_depot_free(vf_depot *depot, void *slot)
{
    vf_depot_put(depot, &slot, 1);
}

/* ---- taking ---- */

/* Takes up to most of the free slots of word w; which. */
static vf_word take_bits(vf_batch *batch, size_t w, size_t most)
{
    vf_word seen = vf_load_relaxed(&batch->free[w]); /* a look, that saves the exchange of a 0 */
    if (seen == 0)
        return 0;
    /* acquire, here and below: pairs with the addition in vf_depot_give */
    if (vf_bits_count(seen) <= most && most >= VF_WORD_BITS)
        return vf_exchange_acquire(&batch->free[w], 0);
    vf_word wanted = vf_bits_count(seen) <= most ? seen : vf_bits_lowest(seen, most);
    return vf_fetch_and_acquire(&batch->free[w], ~wanted) & wanted;
}

/* Words up to w have been taken from. */
static void note_begun(vf_batch *batch, size_t w)
{
    /* relaxed: a number for reports */
    uint32_t begun = vf_load_relaxed(&batch->begun);
    while (begun <= w && !vf_cas_weak_relaxed(&batch->begun, &begun, (uint32_t)w + 1)) {
    }
}

/* Writes the slots of a word in front of end, the lowest address last; where they begin. */
static void **write_slots(void **end, vf_word bits, char *first, size_t stride)
{
    if (bits == VF_WORD_ALL) { /* most often, where all was freed: without a search for bits */
        for (size_t i = 0; i < VF_WORD_BITS; i++)
            *--end = first + i * stride;
        return end;
    }
    for (; bits != 0; bits &= bits - 1)
        *--end = first + vf_bits_first(bits) * stride;
    return end;
}

/* Slots of the batch, from word home->word on, into the array before end, the one with the
   lowest address last; how many, most at most, which is not 0. */
static size_t take(const vf_depot *depot, vf_home *home, void **end, size_t most)
{
    vf_batch *batch = home->batch;
    const size_t words = depot->batches.shape.words, stride = depot->batches.shape.stride;
    void **begin = end, **const lowest = end - most;
    assert(most > 0);
    for (; home->word < words; home->word++) {
        vf_word bits = take_bits(batch, home->word, (size_t)(begin - lowest));
        if (bits == 0)
            continue;
        note_begun(batch, home->word);
        /* relaxed: written before the bits were set, which are the caller's now */
        char *first = vf_load_relaxed(&batch->base) + home->word * VF_WORD_BITS * stride;
        begin = write_slots(begin, bits, first, stride);
        if (begin == lowest)
            break; /* the word may have more */
    }
    return (size_t)(end - begin);
}

/* The caller, whose cache is empty, has taken n slots. relaxed: numbers for reports, and a promise
   to one thread. */
static void note_taken(vf_depot *depot, size_t n)
{
    size_t taken = vf_fetch_add_relaxed(&depot->taken, n);
    vf_depot_note_peak(depot, taken + 1);
    size_t promised = vf_load_relaxed(&depot->promised);
    if (promised != 0)
        vf_store_relaxed(&depot->promised, promised > n ? promised - n : 0);
}

/* The n slots that were taken stand at the end of an array of most; makes them the first. */
static size_t hand_over(vf_depot *depot, void **slots, size_t most, size_t n)
{
    if (n == 0)
        return 0;
    if (n < most)
        memmove(slots, slots + most - n, n * sizeof *slots);
    note_taken(depot, n);
    return n;
}

/* A search that has found less than this part of what is wanted looks at more batches, but not at
   more than so many. One that has found nothing goes on: what it leaves empty is listed no more. */
#define ENOUGH 4
#define VISITS 16

/* As vf_depot_get; not from batches of others, unless they are to be asked. */
static size_t get(vf_depot *depot, vf_home *home, void **slots, size_t most, bool ask_others)
{
    assert(most > 0);
    void **end = slots + most;
    size_t n = home->batch != NULL ? take(depot, home, end, most) : 0;
    size_t enough = (most + ENOUGH - 1) / ENOUGH;
    for (size_t i = 0; n == 0 || (n < enough && i < VISITS); i++) {
        if (!vf_home_move_on(&depot->batches, home, ask_others))
            break;
        n += take(depot, home, end - n, most - n);
    }
    return hand_over(depot, slots, most, n);
}

size_t vf_depot_get(vf_depot *depot, vf_home *home, void **slots, size_t most)
{
    return get(depot, home, slots, most, true);
}

size_t vf_depot_get_any(vf_depot *depot, void **slots, size_t most)
{
    size_t n = 0;
    /* acquire: pairs with the release in vf_batch_new */
    size_t count = vf_load_acquire(&depot->batches.count);
    for (size_t number = 0; n == 0 && number < count; number++) {
        vf_home home = {.batch = vf_batch_at(&depot->batches, number)};
        n = take(depot, &home, slots + most, most);
    }
    return hand_over(depot, slots, most, n);
}

void *vf_depot_alloc(vf_depot *depot)
{
    vf_home none = {0};
    void *slot;
    size_t n = vf_depot_refill(depot, &none, &slot, 1);
    vf_home_leave(&depot->batches, &none);
    return n > 0 ? slot : NULL;
}

/* ---- growing ---- */

/* All slots of a new batch are free. */
static void give_all(vf_depot *depot, vf_batch *batch)
{
    const vf_handles *handles = depot->batches.handles;
    size_t retired = vf_generations_count_retired(handles, batch->number);
    for (size_t w = 0; w < depot->batches.shape.words; w++) {
        vf_word all = vf_batch_usable(&depot->batches, batch, w);
        if (all != 0)
            vf_depot_give(batch, w, all);
    }
    if (retired > 0) /* which nobody will give back */
        vf_fetch_add_relaxed(&depot->taken, retired);
    VF_PROBE(pool_grow, depot->name, depot->batches.shape.objects);
}

/* One more batch, unless another thread has made one since grown was `seen`; false: out of
   memory. */
static bool grow_once(vf_depot *depot, size_t seen)
{
    bool grown = true;
    vf_mutex_lock(depot->batches.growth);
    if (depot->grown == seen) {
        vf_batch *batch = vf_batch_new(&depot->batches, 1);
        grown = batch != NULL;
        vf_store_relaxed(&depot->refused, !grown); /* see is_scarce */
        if (grown) {
            give_all(depot, batch);
            /* release: pairs with the acquire in vf_depot_refill: a thread that sees it finds
               the slots */
            vf_store_release(&depot->grown, seen + 1);
        }
    }
    vf_mutex_unlock(depot->batches.growth);
    return grown;
}

/* How many free slots the depot has, of that capacity. Others change it; it may be late. */
static size_t free_in_depot(const vf_depot *depot, size_t capacity)
{
    /* acquire: pairs with the release in vf_depot_put */
    size_t taken = vf_load_acquire(&depot->taken);
    return taken < capacity ? capacity - taken : 0;
}

/*
 * Is so little free that a batch more is better than the slots in those of others? These are single
 * ones, between objects of other threads, and each word that two threads write to costs both of
 * them. An eighth: by so much, and a batch, a pool may be larger than it has to be. Never where
 * P_reserve has promised that the allocator is not asked, or where it has refused.
 */
static bool is_scarce(const vf_depot *depot)
{
    size_t capacity = vf_depot_capacity(depot);
    /* relaxed: a preference, which orders nothing */
    return free_in_depot(depot, capacity) <= capacity / 8 &&
           vf_load_relaxed(&depot->promised) == 0 && !vf_load_relaxed(&depot->refused);
}

size_t vf_depot_refill(vf_depot *depot, vf_home *home, void **slots, size_t most)
{
    size_t n, seen;
    do {
        seen = vf_load_acquire(&depot->grown); /* pairs with the release in grow_once */
        n = get(depot, home, slots, most, !is_scarce(depot));
    } while (n == 0 && grow_once(depot, seen));
    return n > 0 ? n : get(depot, home, slots, most, true);
}

/* Batches that must come before there are n slots in the depot. */
static size_t batches_for(const vf_depot *depot, size_t n)
{
    size_t there = free_in_depot(depot, vf_depot_capacity(depot));
    return there < n ? (n - there - 1) / depot->batches.shape.objects + 1 : 0;
}

bool vf_depot_can_have(const vf_depot *depot, size_t n)
{
    size_t most = VF_POOL_SLOTS_MAX / depot->batches.shape.objects;
    return batches_for(depot, n) <= most - vf_load_relaxed(&depot->batches.held);
}

bool vf_depot_reserve(vf_depot *depot, size_t n)
{
    bool reserved = true;
    vf_mutex_lock(depot->batches.growth);
    size_t missing = batches_for(depot, n);
    if (missing > 0) {
        vf_batch *batch = vf_batch_new(&depot->batches, missing);
        reserved = batch != NULL;
        vf_store_relaxed(&depot->refused, !reserved); /* see is_scarce */
        for (; batch != NULL; batch = batch->next)
            give_all(depot, batch);
        vf_store_release(&depot->grown, depot->grown + 1); /* as in grow_once */
    }
    vf_mutex_unlock(depot->batches.growth);
    return reserved;
}

/* ---- numbers ---- */

void vf_depot_note_peak(vf_depot *depot, size_t live)
{
    /* relaxed throughout: a number for reports orders nothing */
    size_t peak = vf_load_relaxed(&depot->peak);
    while (live > peak && !vf_cas_weak_relaxed(&depot->peak, &peak, live)) {
    }
}

/* ---- all records ---- */

/* All slots that were never handed out are free; in the child of a fork, where a thread that did
   not come along may have been about to say so. How many are free then in all. */
static size_t free_fresh(const vf_depot *depot, vf_batch *batch)
{
    size_t n = 0;
    for (size_t w = 0; w < depot->batches.shape.words; w++) {
        if (w >= vf_load_relaxed(&batch->begun))
            vf_store_relaxed(&batch->free[w], vf_batch_usable(&depot->batches, batch, w));
        n += vf_bits_count(vf_load_relaxed(&batch->free[w]));
    }
    return n;
}

void vf_depot_after_fork(vf_depot *depot)
{
    depot->has_forked = true;
    vf_addresses_after_fork(&depot->batches);
    size_t held = 0, there = 0;
    for (size_t number = 0; number < depot->batches.count; number++) {
        vf_batch *batch = vf_batch_at(&depot->batches, number);
        if (vf_batch_base(batch) != NULL) {
            held++;
            there += free_fresh(depot, batch);
        }
        vf_listed_after_fork(&depot->batches, batch);
    }
    vf_store_relaxed(&depot->batches.held, held);
    vf_store_relaxed(&depot->taken, held * depot->batches.shape.objects - there);
}
