/*
 * capped.c - a pool with a hard cap on live objects.
 *
 * There are exactly as many slots as objects may live, so that an alloc fails when all are live
 * and never because a cache elsewhere holds the rest. Slots move singly through a tagged stack:
 *
 *     head: | tag | index |            spans:  [ N slots | N links ]  [ 2N slots | 2N links ] ...
 *                    |                                       |
 *                    +--> slot and link of that index        +--> the index below
 *
 * Links stand behind the slots, 4 bytes each; that of a live object is LIVE. Slots that were never
 * handed out are not on the stack but above carved, and are taken only when the stack is empty: so
 * carved is also the most that ever lived. Spans double, so there are few, and finding the one of a
 * slot or an index is a short look through an array.
 *
 * When the pool is released, one swap puts the index CLOSED into the head: a free either came
 * before it and was on the stack, or sees it and counts itself off.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pool.h"
#include "probe.h"
#include "threads_seen.h"

/* Doubling makes 31 at most; more only where the allocator refuses to double. */
#define SPANS_MOST 64

/* The link of a live object: no index is so high. */
#define LIVE UINT32_MAX

typedef struct span {
    char *base;
    uint32_t *links; /* atomic: stale poppers read them */
    uint32_t first;  /* index of its first slot is first + 1 */
    uint32_t slots;
} span;

typedef struct vf_capped {
    VF_APART vf_stack free;
    VF_APART uint32_t carved; /* atomic: slots handed out at least once */
    /* read by all, written by growth */
    VF_APART uint32_t max;
    uint32_t ready;      /* atomic: slots in all spans */
    uint32_t span_count; /* atomic */
    uint32_t index_mask; /* of the head: as few bits as max and CLOSED need, the rest is tag */
    span spans[SPANS_MOST];
} vf_capped;

/* The index that says that the pool is released: one that no slot has. */
static uint32_t closed_index(const vf_capped *capped)
{
    return capped->index_mask;
}

/* Makes the pool a capped one; false where memory is spent. */
bool vf_capped_new(vf_pool *pool, size_t max_objects)
{
    assert(max_objects > 0 && max_objects <= VF_POOL_SLOTS_MAX);
    vf_capped *capped = vf_memory_alloc(pool, sizeof *capped, _Alignof(vf_capped));
    if (capped == NULL)
        return false;
    memset(capped, 0, sizeof *capped);
    capped->max = (uint32_t)max_objects;
    while (capped->index_mask <= capped->max)
        capped->index_mask = capped->index_mask << 1 | 1;
    pool->capped = capped;
    return true;
}

/* Newest first: it has as many slots as all others. acquire: pairs with the release in add_span,
   where it was not already visible by way of the head. */
static span *span_of_index(vf_capped *capped, uint32_t index)
{
    uint32_t i = vf_load_acquire(&capped->span_count);
    do {
        assert(i > 0);
        i--;
    } while (capped->spans[i].first >= index);
    return &capped->spans[i];
}

/* The span that the address lies in, and the slot's number there; NULL: none. */
static span *span_of(const vf_pool *pool, const void *address, uint32_t *number)
{
    vf_capped *capped = pool->capped;
    /* acquire: pairs with the release in add_span */
    for (uint32_t i = vf_load_acquire(&capped->span_count); i-- > 0;) {
        span *of = &capped->spans[i];
        size_t offset = (uintptr_t)address - (uintptr_t)of->base;
        if (offset < of->slots * pool->stride) {
            *number = (uint32_t)vf_slot_number(pool->batches.shape, offset);
            return of;
        }
    }
    return NULL;
}

/* The same, of a slot that the pool has; anything else is misuse. */
static uint32_t number_of(vf_pool *pool, const void *slot, span **of)
{
    uint32_t number = 0;
    *of = span_of(pool, slot, &number);
    assert(*of != NULL && number < (*of)->slots);
    return number;
}

/* Links stand behind the slots, the next multiple of 4 on. */
static size_t links_offset(const vf_pool *pool, size_t slots)
{
    return (slots * pool->stride + sizeof(uint32_t) - 1) / sizeof(uint32_t) * sizeof(uint32_t);
}

static size_t span_size(const vf_pool *pool, size_t slots)
{
    return links_offset(pool, slots) + slots * sizeof(uint32_t);
}

static size_t span_alignment(const vf_pool *pool)
{
    return pool->alignment > VF_CACHE_LINE ? pool->alignment : VF_CACHE_LINE;
}

/* Growth lock. */
static bool add_span(vf_pool *pool, uint32_t slots)
{
    vf_capped *capped = pool->capped;
    if (capped->span_count == SPANS_MOST || slots > (SIZE_MAX / 2) / (pool->stride + 16))
        return false;
    char *base = vf_memory_alloc(pool, span_size(pool, slots), span_alignment(pool));
    if (base == NULL)
        return false;
    capped->spans[capped->span_count] = (span){
        .base = base,
        .links = (uint32_t *)(void *)(base + links_offset(pool, slots)),
        .first = capped->ready,
        .slots = slots,
    };
    vf_tell_before(&pool->outstanding);
    /* release: pairs with the acquires of span_count, and of ready in carve */
    vf_store_release(&capped->span_count, capped->span_count + 1);
    vf_store_release(&capped->ready, capped->ready + slots);
    VF_PROBE(pool_grow, pool->name, slots);
    return true;
}

/* At least so many slots more than are ready, at best as many again. Growth lock. */
static bool grow(vf_pool *pool, uint32_t needed)
{
    vf_capped *capped = pool->capped;
    uint32_t left = capped->max - capped->ready;
    assert(needed > 0 && needed <= left);
    size_t batches = (needed - 1) / pool->batch_objects + 1;
    size_t wanted = batches * pool->batch_objects;
    if (wanted > left)
        wanted = left;
    uint32_t doubled = capped->ready < left ? capped->ready : left;
    return (doubled > wanted && add_span(pool, doubled)) || add_span(pool, (uint32_t)wanted);
}

/* A slot never handed out before; NULL where the cap is reached or memory is spent. */
static void *carve(vf_pool *pool)
{
    vf_capped *capped = pool->capped;
    uint32_t carved = vf_load_relaxed(&capped->carved);
    for (;;) {
        if (carved == capped->max)
            return NULL;
        /* acquire: pairs with the release in add_span. It may be less than carved: carved is newer
           then, since nothing orders these two loads; under the lock it is not */
        if (carved >= vf_load_acquire(&capped->ready)) {
            pthread_mutex_lock(&pool->growth_lock);
            bool grown = carved < capped->ready || grow(pool, 1);
            pthread_mutex_unlock(&pool->growth_lock);
            if (!grown)
                return NULL;
        }
        /* relaxed: the slot is nobody's before, so there is nothing to see */
        if (vf_cas_weak_relaxed(&capped->carved, &carved, carved + 1)) {
            span *of = span_of_index(capped, carved + 1);
            vf_store_relaxed(&of->links[carved - of->first], LIVE); /* as in pop */
            return of->base + (carved - of->first) * pool->stride;
        }
    }
}

/* The slot on top of the stack, removed; NULL where that is empty or closed. */
static void *pop(vf_pool *pool)
{
    vf_capped *capped = pool->capped;
    for (;;) {
        /* acquire: pairs with the release in vf_capped_free: what was done to the slot before it
           was freed, its link, its span */
        uint64_t head = vf_load_acquire(&capped->free.head);
        uint32_t index = vf_head_index(head, capped->index_mask);
        if (index == 0 || index == closed_index(capped))
            return NULL;
        span *of = span_of_index(capped, index);
        uint32_t number = index - 1 - of->first;
        /* relaxed: stale if others removed this index meanwhile; then the tag has changed */
        uint32_t below = vf_load_relaxed(&of->links[number]);
        /* relaxed: if it succeeds, the head is the one that was acquired */
        if (vf_cas_weak_relaxed(&capped->free.head, &head,
                                vf_head_pop(head, below, capped->index_mask))) {
            /* relaxed: for calls beside which there is no other; a thread that follows the link
               late fails at its swap */
            vf_store_relaxed(&of->links[number], LIVE);
            return of->base + number * pool->stride;
        }
    }
}

/*
 * NULL where max_objects are live or memory is spent. The stack is looked at again after carved
 * has come to max, from where it never goes back: if it is empty then, all slots are live at that
 * moment, and the refusal is right.
 */
static VF_NOINLINE void *alloc_empty(vf_pool *pool)
{
    if (vf_load_relaxed(&pool->closed))
        return NULL; /* misuse; but what is carved now would not be counted */
    void *slot = carve(pool);
    return slot != NULL ? slot : pop(pool);
}

void *vf_capped_alloc(vf_pool *pool)
{
    void *slot = pop(pool);
    return VF_LIKELY(slot != NULL) ? slot : alloc_empty(pool);
}

void vf_capped_free(vf_pool *pool, void *slot)
{
    vf_tell_before(&pool->outstanding);
    vf_capped *capped = pool->capped;
    span *of;
    uint32_t number = number_of(pool, slot, &of);
    uint32_t index = of->first + number + 1;
    uint64_t head = vf_load_relaxed(&capped->free.head);
    for (;;) {
        uint32_t top = vf_head_index(head, capped->index_mask);
        if (VF_UNLIKELY(top == closed_index(capped))) {
            if (vf_pool_return(pool, 1))
                vf_pool_end(pool);
            return;
        }
        vf_store_relaxed(&of->links[number], top);
        /* release: pairs with the acquire in pop; and, as the last access to a pool
           that may be released, with the acquire in vf_capped_close */
        if (vf_cas_weak_release(&capped->free.head, &head,
                                vf_head_push(head, index, capped->index_mask)))
            return;
    }
}

/* Slots from this head down. Exact if nobody else is at work; otherwise links may lead anywhere,
   but never for longer than there are slots. */
static uint32_t count_free(vf_capped *capped, uint64_t head)
{
    /* acquire: pairs with the release in add_span. A link that changes meanwhile may lead to a span
       that has come since, which is not to be looked at; CLOSED is above all spans */
    uint32_t ready = vf_load_acquire(&capped->ready);
    uint32_t most = vf_load_relaxed(&capped->carved);
    uint32_t index = vf_head_index(head, capped->index_mask);
    uint32_t n = 0;
    for (; n < most && index != 0 && index <= ready; n++) {
        span *of = span_of_index(capped, index);
        /* relaxed: a number that is followed no further than ready */
        index = vf_load_relaxed(&of->links[index - 1 - of->first]);
    }
    return n;
}

/* Closes the stack; how many objects are live then. Nothing is allocated at the same time. */
int64_t vf_capped_close(vf_pool *pool)
{
    vf_capped *capped = pool->capped;
    /* acq_rel: acquire pairs with the release in vf_capped_free */
    uint64_t head = vf_exchange_acq_rel(&capped->free.head, closed_index(capped));
    return (int64_t)vf_load_relaxed(&capped->carved) - count_free(capped, head);
}

bool vf_capped_reserve(vf_pool *pool, size_t n)
{
    vf_capped *capped = pool->capped;
    pthread_mutex_lock(&pool->growth_lock);
    /* relaxed: count_free acquires what it follows the head into */
    size_t unused = count_free(capped, vf_load_relaxed(&capped->free.head));
    /* relaxed, and once: others carve meanwhile, and what is asked for must not exceed the cap */
    size_t carved = vf_load_relaxed(&capped->carved);
    bool reserved = n <= unused + (capped->max - carved);
    if (reserved && n > unused) {
        size_t fresh = capped->ready - carved;
        if (n - unused > fresh)
            reserved = grow(pool, (uint32_t)(n - unused - fresh));
    }
    pthread_mutex_unlock(&pool->growth_lock);
    return reserved;
}

void vf_capped_stats(vf_pool *pool, vf_pool_stats *stats)
{
    vf_capped *capped = pool->capped;
    stats->capacity = vf_load_acquire(&capped->ready);
    for (uint32_t i = 0; i < vf_load_acquire(&capped->span_count); i++)
        stats->batches += (capped->spans[i].slots - 1) / pool->batch_objects + 1;
    size_t carved = vf_load_relaxed(&capped->carved);
    if (carved > stats->capacity) /* it has grown meanwhile */
        carved = stats->capacity;
    /* relaxed: as in vf_capped_reserve */
    stats->depot = count_free(capped, vf_load_relaxed(&capped->free.head));
    if (stats->depot > carved)
        stats->depot = carved;
    stats->live = carved - stats->depot;
    stats->fresh = stats->capacity - carved;
    stats->peak = carved;
}

size_t vf_capped_spans(const vf_pool *pool)
{
    return vf_load_acquire(&pool->capped->span_count); /* pairs with the release in add_span */
}

vf_region vf_capped_region(const vf_pool *pool, size_t number)
{
    const span *of = &pool->capped->spans[number];
    return (vf_region){of->base, of->slots};
}

/* The span that the address lies in; false: none. */
bool vf_capped_find(const vf_pool *pool, const void *address, vf_region *region)
{
    uint32_t number;
    const span *of = span_of(pool, address, &number);
    if (of != NULL)
        *region = (vf_region){of->base, of->slots};
    return of != NULL;
}

/* Is this slot of this span live? No other call. */
bool vf_capped_is_live(const vf_pool *pool, size_t number, size_t slot)
{
    return vf_load_relaxed(&pool->capped->spans[number].links[slot]) == LIVE;
}

/* The object is live no more; false: it was not. P_destroy. */
bool vf_capped_claim(vf_pool *pool, const void *object)
{
    span *of;
    uint32_t number = number_of(pool, object, &of);
    return vf_exchange_relaxed(&of->links[number], 0U) == LIVE;
}

void vf_capped_free_memory(vf_pool *pool)
{
    vf_capped *capped = pool->capped;
    for (uint32_t i = 0; i < capped->span_count; i++)
        vf_memory_free(pool, capped->spans[i].base, span_size(pool, capped->spans[i].slots),
                       span_alignment(pool));
    vf_memory_free(pool, capped, sizeof *capped, _Alignof(vf_capped));
}
