/*
 * depot.c - see depot.h.
 *
 * No free slot gets lost. A batch is listed before it is forgotten, whoever runs when:
 *
 *     giver                                taker that has found the batch empty
 *     old = free[w] |= bits                listed &= ~batch
 *     old == 0 and not listed?             any bit in free[]?
 *     then listed |= batch                 then listed |= batch
 *
 * All four are sequentially consistent: either the giver finds the batch unlisted and lists it, or
 * the taker finds the bit and does. Where old is not 0, a thread that set a bit before lists the
 * batch, or has. If that thread is stopped in between, or one is that has taken a batch off the
 * list, slots are not found meanwhile; before an alloc is refused, vf_depot_get_any looks at all
 * records. In the same way, a group is listed in the group above it.
 *
 * A search begins behind the batch that the cache used last and goes on by number, round the end.
 * So caches move over all batches, and find each with as many free slots as it could gather.
 */
#include "depot.h"

#include <assert.h>
#include <string.h>

#include "pool.h"
#include "probe.h"
#include "threads_seen.h"

/* ---- the list of batches with free slots ---- */

/* Lists member `place` of the group, and the group above, if they are not listed. */
static void list(vf_group *group, size_t place)
{
    while (group != NULL) {
        vf_word bit = (vf_word)1 << place;
        /* seq_cst: see the table above; and release, for a thread that follows the bit */
        if ((vf_load_seq_cst(&group->listed) & bit) != 0 ||
            vf_fetch_or_seq_cst(&group->listed, bit) != 0)
            return;
        place = group->place;
        /* seq_cst, there too: where this finds no group above, unlist has not found one that it
           takes this group off; pairs with the store in add_level, which lists it anew */
        group = vf_load_seq_cst(&group->parent);
    }
}

static bool batch_has_free(const vf_pool *pool, const vf_batch *batch)
{
    for (size_t w = 0; w < pool->batches.shape.words; w++) {
        if (vf_load_seq_cst(&batch->free[w]) != 0)
            return true;
    }
    return false;
}

/* Takes the batch off the list, if it is empty, and the groups that are empty by that. */
void vf_depot_unlist(const vf_pool *pool, vf_batch *batch)
{
    vf_group *group = batch->group;
    vf_word bit = (vf_word)1 << batch->number % VF_WORD_BITS;
    if ((vf_load_relaxed(&group->listed) & bit) == 0)
        return;
    bool others = (vf_fetch_and_seq_cst(&group->listed, ~bit) & ~bit) != 0;
    if (batch_has_free(pool, batch)) {
        list(group, batch->number % VF_WORD_BITS);
        return;
    }
    vf_group *parent;
    /* seq_cst: as in list */
    for (; !others && (parent = vf_load_seq_cst(&group->parent)) != NULL; group = parent) {
        bit = (vf_word)1 << group->place;
        others = (vf_fetch_and_seq_cst(&parent->listed, ~bit) & ~bit) != 0;
        if (vf_load_seq_cst(&group->listed) != 0) {
            list(parent, group->place);
            return;
        }
    }
}

/* The listed batch with the lowest number from `from` on, within the group; NULL: none. Those that
   are claimed are passed over, unless `any`. */
static vf_batch *next_in(vf_group *group, size_t from, bool any)
{
    unsigned shift = group->height * VF_WORD_LOG2;
    size_t first = (from >> shift) % VF_WORD_BITS;
    /* acquire: pairs with the OR in list, which comes after the member was made */
    vf_word word = vf_load_acquire(&group->listed) & VF_WORD_ALL << first;
    if (group->height == 0) {
        if (!any)
            word &= ~vf_load_relaxed(&group->claimed); /* a preference: it orders nothing */
        return word != 0 ? group->members[__builtin_ctzll(word)] : NULL;
    }
    for (; word != 0; word &= word - 1) {
        size_t i = (size_t)__builtin_ctzll(word);
        vf_batch *batch = next_in(group->members[i], i == first ? from : 0, any);
        if (batch != NULL)
            return batch;
    }
    return NULL;
}

/* The next listed batch behind number `from`, round the end; NULL: none. */
static vf_batch *next_listed(const vf_pool *pool, size_t from, bool any)
{
    /* acquire: pairs with the release in add_level */
    vf_group *root = vf_load_acquire(&pool->batches.root);
    if (root == NULL)
        return NULL;
    bool inside = from >> root->height * VF_WORD_LOG2 < VF_WORD_BITS;
    vf_batch *batch = inside ? next_in(root, from, any) : NULL;
    return batch != NULL || from == 0 ? batch : next_in(root, 0, any);
}

/* ---- giving ---- */

static inline void give(vf_batch *batch, size_t w, vf_word bits)
{
    /* release: pairs with the acquire of the thread that takes the bits: all that was done to the
       slots comes before. seq_cst: see the table above */
    vf_word old = vf_fetch_or_seq_cst(&batch->free[w], bits);
    assert((old & bits) == 0);
    if (old == 0)
        list(batch->group, batch->number % VF_WORD_BITS);
}

void vf_depot_give(vf_batch *batch, size_t w, vf_word bits)
{
    give(batch, w, bits);
}

void vf_depot_put(vf_pool *pool, void *const *slots, size_t n)
{
    vf_tell_before(&pool->outstanding);
    const vf_shape shape = pool->batches.shape; /* a copy that no store can change */
    const vf_addresses *table = vf_batch_addresses(&pool->batches);
    for (size_t i = 0; i < n;) {
        vf_batch *batch = vf_batch_of(&pool->batches, table, shape, (uintptr_t)slots[i]);
        /* relaxed: what leads to a slot was acquired with it */
        uintptr_t base = (uintptr_t)vf_load_relaxed(&batch->base);
        size_t offset = (uintptr_t)slots[i] - base;
        size_t w = vf_slot_number(shape, offset) / VF_WORD_BITS;
        vf_word bits = 0;
        do { /* the slots of this word that come one behind the other */
            assert(vf_slot_number(shape, offset) < pool->batch_objects);
            bits |= (vf_word)1 << vf_slot_number(shape, offset) % VF_WORD_BITS;
            offset = ++i < n ? (uintptr_t)slots[i] - base : shape.bytes;
        } while (offset < shape.bytes && vf_slot_number(shape, offset) / VF_WORD_BITS == w);
        give(batch, w, bits);
    }
    /* release: pairs with the acquire in batches_for: what P_reserve counts on is found */
    vf_fetch_add_release(&pool->depot.taken, (size_t)0 - n);
}

void vf_depot_free(vf_pool *pool, void *slot)
{
    vf_depot_put(pool, &slot, 1);
}

/* ---- taking ---- */

/* The lowest n bits that are set in word, which has at least as many. */
static vf_word lowest(vf_word word, size_t n)
{
    vf_word rest = word;
    while (n-- > 0)
        rest &= rest - 1;
    return word & ~rest;
}

/* Takes up to most of the free slots of word w; which. */
static vf_word take_bits(vf_batch *batch, size_t w, size_t most)
{
    vf_word seen = vf_load_relaxed(&batch->free[w]); /* a look, that saves the exchange of a 0 */
    if (seen == 0)
        return 0;
    /* acquire, here and below: pairs with the OR in vf_depot_give */
    if ((size_t)__builtin_popcountll(seen) <= most && most >= VF_WORD_BITS)
        return vf_exchange_acquire(&batch->free[w], 0);
    vf_word wanted = (size_t)__builtin_popcountll(seen) <= most ? seen : lowest(seen, most);
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

/* Slots of the batch, from word home->word on, into the places before end, the lowest address
   last; how many, most at most. */
static size_t take(const vf_pool *pool, vf_home *home, void **end, size_t most)
{
    vf_batch *batch = home->batch;
    size_t n = 0;
    for (; home->word < pool->batches.shape.words && n < most; home->word++) {
        size_t w = home->word;
        vf_word bits = take_bits(batch, w, most - n);
        if (bits == 0)
            continue;
        note_begun(batch, w);
        /* relaxed: written before the bits were set, which are the caller's now */
        char *slot = vf_load_relaxed(&batch->base) + w * VF_WORD_BITS * pool->stride;
        for (; bits != 0; bits &= bits - 1)
            *(end - ++n) = slot + (size_t)__builtin_ctzll(bits) * pool->stride;
        if (n == most)
            break; /* the word may have more */
    }
    return n;
}

void vf_depot_leave(vf_pool *pool, vf_home *home)
{
    vf_batch *batch = home->batch;
    if (batch == NULL)
        return;
    if (home->claimed)
        vf_fetch_and_relaxed(&batch->group->claimed, ~((vf_word)1 << batch->number % VF_WORD_BITS));
    if (!batch_has_free(pool, batch))
        vf_depot_unlist(pool, batch);
    *home = (vf_home){NULL, 0, false};
}

/* Makes the next listed batch the home; false: none is listed. Others' come last. */
static bool move_on(vf_pool *pool, vf_home *home)
{
    size_t from = home->batch != NULL ? (size_t)home->batch->number + 1 : 0;
    vf_depot_leave(pool, home);
    vf_batch *batch = next_listed(pool, from, false);
    if (batch == NULL)
        batch = next_listed(pool, from, true);
    if (batch == NULL)
        return false;
    vf_word bit = (vf_word)1 << batch->number % VF_WORD_BITS;
    bool claimed = (vf_fetch_or_relaxed(&batch->group->claimed, bit) & bit) == 0;
    *home = (vf_home){batch, 0, claimed};
    return true;
}

/* The caller, whose cache is empty, has taken n slots. relaxed: numbers for reports, and a promise
   to one thread. */
static void note_taken(vf_pool *pool, size_t n)
{
    vf_depot *depot = &pool->depot;
    size_t taken = vf_fetch_add_relaxed(&depot->taken, n);
    vf_pool_note_peak(pool, taken + 1);
    size_t promised = vf_load_relaxed(&depot->promised);
    if (promised != 0)
        vf_store_relaxed(&depot->promised, promised > n ? promised - n : 0);
}

/* The n slots that were taken stand at the end of most places; makes them the first. */
static size_t hand_over(vf_pool *pool, void **slots, size_t most, size_t n)
{
    if (n == 0)
        return 0;
    if (n < most)
        memmove(slots, slots + most - n, n * sizeof *slots);
    note_taken(pool, n);
    return n;
}

/* A search that has found less than this part of what is wanted looks at more batches, but not at
   more than so many. One that has found nothing goes on: what it leaves empty is listed no more. */
#define ENOUGH 4
#define VISITS 16

size_t vf_depot_get(vf_pool *pool, vf_home *home, void **slots, size_t most)
{
    assert(most > 0);
    void **end = slots + most;
    size_t n = home->batch != NULL ? take(pool, home, end, most) : 0;
    size_t enough = (most + ENOUGH - 1) / ENOUGH;
    for (size_t i = 0; n == 0 || (n < enough && i < VISITS); i++) {
        if (!move_on(pool, home))
            break;
        n += take(pool, home, end - n, most - n);
    }
    return hand_over(pool, slots, most, n);
}

size_t vf_depot_get_any(vf_pool *pool, void **slots, size_t most)
{
    size_t n = 0;
    /* acquire: pairs with the release in add_record */
    size_t count = vf_load_acquire(&pool->batches.count);
    for (size_t number = 0; n == 0 && number < count; number++) {
        vf_home home = {vf_batch_at(&pool->batches, number), 0, false};
        n = take(pool, &home, slots + most, most);
    }
    return hand_over(pool, slots, most, n);
}

void *vf_depot_alloc(vf_pool *pool)
{
    vf_home none = {NULL, 0, false};
    void *slot;
    size_t n = vf_depot_refill(pool, &none, &slot, 1);
    vf_depot_leave(pool, &none);
    return n > 0 ? slot : NULL;
}

/* ---- growing ---- */

/* All slots of a new batch are free. */
static void give_all(vf_pool *pool, vf_batch *batch)
{
    for (size_t w = 0; w < pool->batches.shape.words; w++)
        vf_depot_give(batch, w, vf_batch_mask(&pool->batches, pool->batch_objects, w));
    VF_PROBE(pool_grow, pool->name, pool->batch_objects);
}

/* One more batch, unless another thread has made one since grown was `seen`; false: out of
   memory. */
static bool grow(vf_pool *pool, size_t seen)
{
    bool grown = true;
    pthread_mutex_lock(&pool->growth_lock);
    if (pool->depot.grown == seen) {
        vf_batch *batch = vf_batch_new(pool, 1);
        grown = batch != NULL;
        if (grown) {
            give_all(pool, batch);
            /* release: pairs with the acquire in vf_depot_refill: who sees it finds the slots */
            vf_store_release(&pool->depot.grown, seen + 1);
        }
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return grown;
}

size_t vf_depot_refill(vf_pool *pool, vf_home *home, void **slots, size_t most)
{
    size_t n, seen;
    do {
        seen = vf_load_acquire(&pool->depot.grown); /* pairs with the release in grow */
        n = vf_depot_get(pool, home, slots, most);
    } while (n == 0 && grow(pool, seen));
    return n;
}

/* Batches that must come before there are n slots in the depot. */
static size_t batches_for(const vf_pool *pool, size_t n)
{
    size_t capacity = vf_load_relaxed(&pool->batches.held) * pool->batch_objects;
    /* acquire: pairs with the release in vf_depot_put. Others change it; it may be late */
    size_t taken = vf_load_acquire(&pool->depot.taken);
    size_t there = taken < capacity ? capacity - taken : 0;
    return there < n ? (n - there - 1) / pool->batch_objects + 1 : 0;
}

bool vf_depot_can_have(const vf_pool *pool, size_t n)
{
    size_t most = VF_POOL_SLOTS_MAX / pool->batch_objects;
    return batches_for(pool, n) <= most - vf_load_relaxed(&pool->batches.held);
}

bool vf_depot_reserve(vf_pool *pool, size_t n)
{
    bool reserved = true;
    pthread_mutex_lock(&pool->growth_lock);
    size_t missing = batches_for(pool, n);
    if (missing > 0) {
        vf_batch *batch = vf_batch_new(pool, missing);
        reserved = batch != NULL;
        for (; batch != NULL; batch = batch->next)
            give_all(pool, batch);
        vf_store_release(&pool->depot.grown, pool->depot.grown + 1); /* as in grow */
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return reserved;
}

/* ---- all records ---- */

/* Lists the batch in its group, and each group in the one above, whether they are or not: a thread
   that did not come along over a fork may have got half way. */
static void list_again(vf_batch *batch)
{
    size_t place = batch->number % VF_WORD_BITS;
    for (vf_group *group = batch->group; group != NULL;) {
        group->listed |= (vf_word)1 << place;
        place = group->place;
        group = group->parent;
    }
}

/* All slots that were never handed out are free; in the child of a fork, where a thread that did
   not come along may have been about to say so. How many are free then in all. */
static size_t free_fresh(const vf_pool *pool, vf_batch *batch)
{
    size_t n = 0;
    for (size_t w = 0; w < pool->batches.shape.words; w++) {
        if (w >= vf_load_relaxed(&batch->begun))
            vf_store_relaxed(&batch->free[w],
                             vf_batch_mask(&pool->batches, pool->batch_objects, w));
        n += (size_t)__builtin_popcountll(vf_load_relaxed(&batch->free[w]));
    }
    return n;
}

void vf_depot_after_fork(vf_pool *pool)
{
    size_t held = 0, there = 0;
    for (size_t number = 0; number < pool->batches.count; number++) {
        vf_batch *batch = vf_batch_at(&pool->batches, number);
        vf_store_relaxed(&batch->group->claimed, (vf_word)0);
        if (vf_batch_base(batch) == NULL)
            continue;
        held++;
        there += free_fresh(pool, batch);
        if (batch_has_free(pool, batch))
            list_again(batch);
    }
    vf_store_relaxed(&pool->batches.held, held);
    vf_store_relaxed(&pool->depot.taken, held * pool->batch_objects - there);
}
