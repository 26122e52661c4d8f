/* SPDX-License-Identifier: MIT */
/*
 * capped.c - see capped.h. Slots move singly through a tagged stack:
 *
 *     head: | tag | index |            spans:  [ N slots | N links ]  [ 2N slots | 2N links ] ...
 *                    |                                       |
 *                    +--> slot and link of that index        +--> the index below
 *
 * Links stand behind the slots, 4 bytes each; that of a live object is LIVE. Slots that were never
 * handed out are not on the stack but above carved (bump allocation), and are taken only when the
 * stack is empty: so carved is also the most that were ever live. Spans double, so there are few,
 * and finding the one of a slot or an index is a short look through an array.
 *
 * When the pool is released the stack is closed: a free either came before and is on the stack, or
 * is refused by it and counts itself off.
 */
#include "capped.h"

#include <assert.h>
#include <string.h>

#include "../common/probe.h"
#include "../common/stack.h"
#include "../platform/tsan.h"
#include "depot.h"
#include "map.h"

/* Doubling makes 31 at most; more only where the allocator refuses to double. */
#define SPANS_MAX 64

/* The link of a live object: no index is so high. */
#define LIVE UINT32_MAX

typedef struct span {
    char *base;
    uint32_t *links; /* atomic: stale poppers read them */
    uint32_t first;  /* index of its first slot is first + 1 */
    uint32_t slots;
} span;

struct vf_capped {
    VF_APART vf_stack free;
    VF_APART uint32_t carved; /* atomic: slots handed out at least once */
    /* read by all, written by growth */
    VF_APART uint32_t max;
    uint32_t ready;      /* atomic: slots in all spans; growth lock */
    uint32_t span_count; /* atomic; growth lock */
    vf_shape shape;
    const void *pool;    /* for the map; NULL: not entered there */
    vf_handles *handles; /* NULL: it has none */
    vf_memory *memory;
    vf_mutex *growth;
    const char *name;
    span spans[SPANS_MAX];
};

vf_capped *vf_capped_new(const void *pool, vf_memory *memory, const vf_shape *shape, size_t most,
                         vf_mutex *growth, const char *name)
{
    assert(most > 0 && most <= VF_POOL_SLOTS_MAX);
    vf_capped *capped = vf_memory_alloc(memory, sizeof *capped, _Alignof(vf_capped));
    if (capped == NULL)
        return NULL;
    memset(capped, 0, sizeof *capped);
    capped->max = (uint32_t)most;
    capped->shape = *shape;
    capped->pool = pool;
    capped->memory = memory;
    capped->growth = growth;
    capped->name = name;
    vf_stack_init(&capped->free, capped->max);
    return capped;
}

/* Newest first: it has as many slots as all others. acquire: pairs with the release in add_span,
   where it was not already visible by way of the head. */
static const span *span_of_index(const vf_capped *capped, uint32_t index)
{
    uint32_t i = vf_load_acquire(&capped->span_count);
    do {
        assert(i > 0);
        i--;
    } while (capped->spans[i].first >= index);
    return &capped->spans[i];
}

/* The span that the address lies in, and the slot's number there; NULL: none. */
static const span *span_of(const vf_capped *capped, const void *address, uint32_t *number)
{
    /* acquire: pairs with the release in add_span */
    for (uint32_t i = vf_load_acquire(&capped->span_count); i-- > 0;) {
        const span *of = &capped->spans[i];
        size_t offset = (uintptr_t)address - (uintptr_t)of->base;
        if (offset < of->slots * capped->shape.stride) {
            *number = (uint32_t)vf_batch_slot_number(capped->shape, offset);
            return of;
        }
    }
    return NULL;
}

/* The same, of a slot that the pool has; anything else is misuse. */
static uint32_t number_of(const vf_capped *capped, const void *slot, const span **of)
{
    uint32_t number = 0;
    *of = span_of(capped, slot, &number);
    assert(*of != NULL && number < (*of)->slots);
    return number;
}

/* Links stand behind the slots, the next multiple of 4 on. */
static size_t links_offset(const vf_capped *capped, size_t slots)
{
    return vf_round_up(slots * capped->shape.stride, sizeof(uint32_t));
}

static size_t span_size(const vf_capped *capped, size_t slots)
{
    return links_offset(capped, slots) + slots * sizeof(uint32_t);
}

static size_t span_alignment(const vf_capped *capped)
{
    return vf_max(capped->shape.alignment, VF_CACHE_LINE);
}

/* The generations of the slots that come behind those that are ready; false: out of memory. */
static bool reserve_span_generations(vf_capped *capped, size_t slots)
{
    size_t objects = capped->shape.objects;
    return capped->handles == NULL ||
           vf_generations_reserve(capped->handles, (capped->ready + slots + objects - 1) / objects);
}

/* Their memory begins at base. */
static void set_span_bases(vf_capped *capped, char *base, size_t slots)
{
    size_t objects = capped->shape.objects;
    for (size_t slot = 0; capped->handles != NULL && slot < slots; slot += objects)
        vf_generations_set_base(capped->handles, (capped->ready + slot) / objects,
                                base + slot * capped->shape.stride);
}

/* False: out of memory. */
static bool enter_span(const vf_capped *capped, const char *base, size_t slots)
{
    return capped->pool == NULL || vf_map_enter(capped->pool, base, slots * capped->shape.stride);
}

static bool add_span(vf_capped *capped, uint32_t slots)
{
    assert(vf_mutex_held(capped->growth));
    if (capped->span_count == SPANS_MAX || slots > (SIZE_MAX / 2) / (capped->shape.stride + 16))
        return false;
    char *base = vf_memory_alloc(capped->memory, span_size(capped, slots), span_alignment(capped));
    if (base == NULL)
        return false;
    if (!reserve_span_generations(capped, slots) || !enter_span(capped, base, slots)) {
        vf_memory_free(capped->memory, base, span_size(capped, slots), span_alignment(capped));
        return false;
    }
    set_span_bases(capped, base, slots);
    capped->spans[capped->span_count] = (span){
        .base = base,
        .links = (uint32_t *)(void *)(base + links_offset(capped, slots)),
        .first = capped->ready,
        .slots = slots,
    };
    vf_tsan_release(capped->memory);
    /* release: pairs with the acquires of span_count, and of ready in carve */
    vf_store_release(&capped->span_count, capped->span_count + 1);
    vf_store_release(&capped->ready, capped->ready + slots);
    VF_PROBE(pool_grow, capped->name, slots);
    return true;
}

/* At least so many slots more than are ready, at best as many again. */
static bool add_spans(vf_capped *capped, uint32_t needed)
{
    assert(vf_mutex_held(capped->growth));
    uint32_t left = capped->max - capped->ready;
    assert(needed > 0 && needed <= left);
    size_t wanted = vf_min(vf_round_up(needed, capped->shape.objects), left);
    size_t doubled = vf_min(capped->ready, left);
    return (doubled > wanted && add_span(capped, (uint32_t)doubled)) ||
           add_span(capped, (uint32_t)wanted);
}

/* A slot never handed out before; NULL: at the cap, or out of memory. */
static void *carve(vf_capped *capped)
{
    uint32_t carved = vf_load_relaxed(&capped->carved);
    for (;;) {
        if (carved == capped->max)
            return NULL;
        /* acquire: pairs with the release in add_span. It may be less than carved: carved is newer
           then, since nothing orders these two loads; under the lock it is not */
        if (carved >= vf_load_acquire(&capped->ready)) {
            vf_mutex_lock(capped->growth);
            bool grown = carved < capped->ready || add_spans(capped, 1);
            vf_mutex_unlock(capped->growth);
            if (!grown)
                return NULL;
        }
        /* relaxed: the slot is nobody's before, so there is nothing to see */
        if (vf_cas_weak_relaxed(&capped->carved, &carved, carved + 1)) {
            const span *of = span_of_index(capped, carved + 1);
            vf_store_relaxed(&of->links[carved - of->first], LIVE); /* as in pop */
            return of->base + (carved - of->first) * capped->shape.stride;
        }
    }
}

static uint32_t *link_of(void *context, uint32_t index)
{
    const span *of = span_of_index(context, index);
    return &of->links[index - 1 - of->first];
}

/* The slot on top of the stack, removed; NULL where that is empty or closed. */
static void *pop(vf_capped *capped)
{
    uint32_t index = vf_stack_pop(&capped->free, link_of, capped);
    if (index == 0)
        return NULL;
    const span *of = span_of_index(capped, index);
    uint32_t number = index - 1 - of->first;
    /* relaxed: for calls beside which there is no other; a thread that follows the link late fails
       at its swap */
    vf_store_relaxed(&of->links[number], LIVE);
    return of->base + number * capped->shape.stride;
}

/*
 * The stack is looked at again after carved has come to max, from where it never goes back: if it
 * is empty then, all slots are live at that moment, and the refusal is right.
 */
static VF_NOINLINE void *alloc_empty(vf_capped *capped)
{
    if (vf_stack_is_closed(&capped->free))
        return NULL; /* misuse; but what is carved now would not be counted */
    void *slot = carve(capped);
    return slot != NULL ? slot : pop(capped);
}

void *vf_capped_alloc(vf_capped *capped)
{
    void *slot = pop(capped);
    return VF_LIKELY(slot != NULL) ? slot : alloc_empty(capped);
}

bool vf_capped_free(vf_capped *capped, void *slot)
{
    vf_tsan_release(capped->memory);
    const span *of;
    uint32_t number = number_of(capped, slot, &of);
    return vf_stack_push(&capped->free, of->first + number + 1, link_of, capped);
}

/* Slots from this head down. Exact if nobody else is at work; otherwise links may lead anywhere,
   but never for longer than there are slots. */
static uint32_t count_free(vf_capped *capped, uint64_t head)
{
    /* acquire: pairs with the release in add_span. A link that changes meanwhile may lead to a span
       that has come since, which is not to be looked at; CLOSED is above all spans */
    uint32_t ready = vf_load_acquire(&capped->ready);
    uint32_t most = vf_load_relaxed(&capped->carved);
    uint32_t index = vf_stack_top(&capped->free, head);
    uint32_t n = 0;
    for (; n < most && index != 0 && index <= ready; n++) {
        const span *of = span_of_index(capped, index);
        /* relaxed: a number that is followed no further than ready */
        index = vf_load_relaxed(&of->links[index - 1 - of->first]);
    }
    return n;
}

size_t vf_capped_close(vf_capped *capped)
{
    uint64_t head = vf_stack_close(&capped->free);
    return vf_load_relaxed(&capped->carved) - count_free(capped, head);
}

bool vf_capped_reserve(vf_capped *capped, size_t n)
{
    vf_mutex_lock(capped->growth);
    /* relaxed: count_free acquires what it follows the head into */
    size_t unused = count_free(capped, vf_load_relaxed(&capped->free.head));
    /* relaxed, and once: others carve meanwhile, and what is asked for must not exceed the cap */
    size_t carved = vf_load_relaxed(&capped->carved);
    bool reserved = n <= unused + (capped->max - carved);
    if (reserved && n > unused) {
        size_t fresh = capped->ready - carved;
        if (n - unused > fresh)
            reserved = add_spans(capped, (uint32_t)(n - unused - fresh));
    }
    vf_mutex_unlock(capped->growth);
    return reserved;
}

void vf_capped_stats(vf_capped *capped, vf_pool_stats *stats)
{
    stats->capacity = vf_load_acquire(&capped->ready);
    for (uint32_t i = 0; i < vf_load_acquire(&capped->span_count); i++)
        stats->batches += (capped->spans[i].slots - 1) / capped->shape.objects + 1;
    /* it may have grown meanwhile */
    size_t carved = vf_min(vf_load_relaxed(&capped->carved), stats->capacity);
    /* relaxed: as in vf_capped_reserve */
    stats->depot = vf_min(count_free(capped, vf_load_relaxed(&capped->free.head)), carved);
    stats->live = carved - stats->depot;
    stats->fresh = stats->capacity - carved;
    stats->peak = carved;
}

/* A span begins with a region: all spans but the last have whole ones (see add_spans). */
size_t vf_capped_regions(const vf_capped *capped)
{
    /* acquire: pairs with the release in add_span */
    return (vf_load_acquire(&capped->ready) + capped->shape.objects - 1) / capped->shape.objects;
}

vf_region vf_capped_region(const vf_capped *capped, size_t number)
{
    uint32_t first = (uint32_t)(number * capped->shape.objects);
    const span *of = span_of_index(capped, first + 1);
    size_t offset = first - of->first;
    return (vf_region){of->base + offset * capped->shape.stride,
                       vf_min(of->slots - offset, capped->shape.objects)};
}

bool vf_capped_find(const vf_capped *capped, const void *address, vf_region *region)
{
    uint32_t number;
    const span *of = span_of(capped, address, &number);
    if (of != NULL)
        *region = (vf_region){of->base, of->slots};
    return of != NULL;
}

vf_word vf_capped_live(const vf_capped *capped, size_t number, size_t w, char **first)
{
    size_t slot = number * capped->shape.objects + w * VF_WORD_BITS;
    size_t end = vf_min(slot + VF_WORD_BITS, (number + 1) * capped->shape.objects);
    end = vf_min(end, vf_load_relaxed(&capped->carved)); /* of others no link was ever written */
    if (slot >= end)
        return 0;
    const span *of = span_of_index(capped, (uint32_t)slot + 1);
    *first = of->base + (slot - of->first) * capped->shape.stride;
    vf_word live = 0;
    for (size_t i = 0; i < end - slot; i++) {
        /* relaxed: no other call runs, but frees of what was visited */
        if (vf_load_relaxed(&of->links[slot - of->first + i]) == LIVE)
            live |= vf_bits_bit(i);
    }
    return live & ~vf_generations_retired(capped->handles, number, w);
}

bool vf_capped_claim(vf_capped *capped, const void *object)
{
    const span *of;
    uint32_t number = number_of(capped, object, &of);
    return vf_exchange_relaxed(&of->links[number], 0U) == LIVE;
}

void vf_capped_set_handles(vf_capped *capped, vf_handles *handles)
{
    capped->handles = handles;
}

size_t vf_capped_locate(const vf_capped *capped, const void *object, size_t *slot)
{
    const span *of;
    size_t number = number_of(capped, object, &of) + of->first;
    *slot = number % capped->shape.objects;
    return number / capped->shape.objects;
}

bool vf_capped_is_free(const vf_capped *capped, size_t number, size_t slot)
{
    size_t index = number * capped->shape.objects + slot;
    const span *of = span_of_index(capped, (uint32_t)index + 1);
    return vf_load_relaxed(&of->links[index - of->first]) != LIVE; /* the caller's, or misuse */
}

void vf_capped_end(vf_capped *capped)
{
    for (uint32_t i = 0; i < capped->span_count; i++) {
        const span *of = &capped->spans[i];
        if (capped->pool != NULL)
            vf_map_remove(capped->pool, of->base, of->slots * capped->shape.stride);
        vf_memory_free(capped->memory, of->base, span_size(capped, of->slots),
                       span_alignment(capped));
    }
    vf_memory_free(capped->memory, capped, sizeof *capped, _Alignof(vf_capped));
}
