/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_body.h - the bodies of what smallbuf.h declares; the descriptions are there. This file
 * has the pushes by any thread, and what the others need too. Included by smallbuf.h once for each
 * instance.
 */
#ifndef vf_kind
#    error "smallbuf_body.h is internal: include <veryfast/smallbuf.h>"
#endif

#define vf_hidden static inline VF_UNUSED
#ifndef VF_FLIP
typedef vf_self vf_self_bank; /* the only one */
#endif

#ifndef vf_members
static const vf_smallbuf_type vf_self_type VF_UNUSED = {
#else
/* hidden: a plug-in that has it may be unloaded */
VF_HIDDEN static constexpr vf_smallbuf_type vf_self_type = {
#endif
    &vf_interface_1,
    vf_n,
    sizeof(vf_t),
    VF_ALIGNOF(vf_t),
    offsetof(vf_self_bank, inline_) - offsetof(vf_self_bank, spill),
#if defined(VF_FLIP) && !defined(VF_LANES)
    false,
#else
    true,
#endif
#ifdef VF_LANES
    true,
#else
    false,
#endif
#ifdef VF_FLIP
    sizeof(vf_self_bank),
#else
    0,
#endif
    sizeof(vf_smallbuf_options),
};

#ifdef VF_FLIP
/* The bank that a counter's value belongs to; by ~tail the other one. */
vf_hidden vf_self_bank *vf_self_bank_at(vf_self *buffer, uint64_t tail)
{
    return &buffer->banks[tail >> 63];
}
#endif

/* The bank that a counter's value belongs to, and the index in it. */
vf_hidden vf_self_bank *vf_self_bank_of(vf_self *buffer, uint64_t tail, uint64_t *index)
{
#ifdef VF_FLIP
    *index = tail & ~VF_BANK_BIT;
    return vf_self_bank_at(buffer, tail);
#else
    *index = tail;
    return buffer;
#endif
}

/* The bank that pushes go to, and its next index. Exclusive access. */
vf_hidden vf_self_bank *vf_self_current(const vf_self *buffer, uint64_t *index)
{
    vf_self_bank *bank = vf_self_bank_of((vf_self *)(uintptr_t)buffer, buffer->tail, index);
#ifdef VF_FLIP
    *index = vf_index_of(*index);
#endif
    return bank;
}

/* The slots in which a push that begins now is likely to have its own. */
vf_hidden vf_expected vf_self_expect(vf_self *buffer)
{
#if defined(VF_FLIP) && defined(VF_LANES)
    vf_expected none = {0, 0, NULL, NULL}; /* the words lead to no slots */
    (void)buffer;
    return none;
#elif defined(VF_FLIP)
    /* relaxed: if it is the other bank by the time that the push takes its index, that index is not
       among those expected here; and in this bank they remain right whatever is drained meanwhile
     */
    uint64_t tail = vf_load_relaxed(&buffer->tail);
    vf_expected expected = vf_expect_in_bank(&vf_self_bank_at(buffer, tail)->spill);
    expected.first |= tail & VF_BANK_BIT;
    return expected;
#else
    return vf_expect(&buffer->spill);
#endif
}

/* Takes n indices; the counter's value, which holds the first of them. */
vf_hidden uint64_t vf_self_count_up(vf_self *buffer, uint64_t n)
{
#ifdef VF_FLIP
    /* acquire: pairs with the release by which a flip makes the bank the one to push to: it was
       emptied before */
    return vf_fetch_add_acquire(&buffer->tail, n);
#else
    /* relaxed: exclusive access is what makes elements visible, and no other push has these
       indices */
    return vf_fetch_add_relaxed(&buffer->tail, n);
#endif
}

/* Counts n pushes, the refused ones too, as done. */
vf_hidden void vf_self_done(vf_self *buffer, uint64_t tail, uint64_t n)
{
#if defined(VF_FLIP) && !defined(VF_EPOCH)
    /* release: pairs with the acquire of the drainer that takes the bank; the elements come before
     * it */
    vf_fetch_add_release(&vf_self_bank_at(buffer, tail)->done, n);
#else
    (void)buffer;
    (void)tail;
    (void)n;
#endif
}

vf_hidden vf_t *vf_self_inside(const vf_self_bank *bank)
{
    return (vf_t *)(uintptr_t)&bank->inline_;
}

/* The slot of a counter's value, by the core, and *run that follow. NULL and ENOMEM: refused. */
vf_hidden vf_t *vf_self_find(vf_self *buffer, uint64_t tail, uint64_t *run)
{
    uint64_t index;
    vf_self_bank *bank = vf_self_bank_of(buffer, tail, &index);
    uint64_t there; /* not *run itself, so that the caller need not keep that in memory */
    vf_t *slot = (vf_t *)vf_spill_find(&bank->spill, index, &vf_self_type, &there);
    *run = there;
    return slot;
}

/* Is the slot with this offset one of those expected? */
vf_hidden bool vf_self_expected(const vf_expected *expected, uint64_t at)
{
#if defined(VF_FLIP) && !defined(VF_LANES)
    return at < expected->count && VF_LIKELY(vf_is_kept(expected));
#else
    return at < expected->count;
#endif
}

/* The same without the core; NULL: it must be asked. */
vf_hidden vf_t *vf_self_slots(vf_self *buffer, const vf_expected *expected, uint64_t tail,
                              uint64_t *run)
{
    uint64_t at = tail - expected->first;
    if (VF_LIKELY(vf_self_expected(expected, at))) {
        *run = expected->count - at;
        return (vf_t *)expected->slots + at;
    }
    uint64_t index;
    vf_self_bank *bank = vf_self_bank_of(buffer, tail, &index);
    if (VF_LIKELY(index < vf_n)) {
        *run = vf_n - index;
        return vf_self_inside(bank) + index;
    }
    return NULL;
}

vf_generic_body vf_hidden void vf_self_store(vf_t *slot, vf_value *value)
{
#ifdef __cplusplus
    ::new (static_cast<void *>(slot)) vf_value(static_cast<vf_value &&>(*value));
#else
    *slot = *value;
#endif
}

#ifdef VF_FLIP
/* Behind a push that the core was asked for: was it the first since a thread sleeps? */
vf_hidden void vf_self_rouse(vf_self *buffer, uint64_t tail)
{
    if (VF_UNLIKELY((tail & VF_ASLEEP) != 0))
        vf_flip_rouse(&buffer->tail);
}
#endif

/* Copies so many values into slots in a row. */
vf_generic_body VF_ALWAYS_INLINE void vf_self_copy(vf_t *slots, vf_value const *values, size_t n)
{
#ifdef __cplusplus
    for (size_t i = 0; i < n; i++)
        ::new (static_cast<void *>(slots + i)) vf_value(values[i]);
#else
    memcpy(slots, values, n * sizeof *slots);
#endif
}

/* All of S_push_n, or with VF_LANES what the lane has no slots for. *index: of the first, if n is
   not 0. */
vf_generic_body VF_ALWAYS_INLINE size_t vf_self_put_n_counted(vf_self *buffer,
                                                              vf_value const *values, size_t n,
                                                              size_t *index)
{
#ifdef __cplusplus
    VF_STATIC_ASSERT((std::is_same<vf_value, vf_t>::value &&
                      std::is_nothrow_copy_constructible<vf_value>::value),
                     "S_push_n takes elements of type VF_T that can be copied without throwing");
#endif
    *index = 0;
    if (n == 0)
        return 0;
    vf_push_begin(buffer);
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_count_up(buffer, n);
    size_t copied = 0;
    while (copied < n) {
        uint64_t run;
        vf_t *slots = vf_self_slots(buffer, &expected, tail + copied, &run);
        if (slots == NULL)
            slots = vf_self_find(buffer, tail + copied, &run);
        if (VF_UNLIKELY(slots == NULL))
            break;
        if (run > n - copied)
            run = n - copied;
        vf_self_copy(slots, values + copied, (size_t)run);
        copied += (size_t)run;
    }
    vf_self_done(buffer, tail, n);
#ifdef VF_FLIP
    vf_self_rouse(buffer, tail);
#endif
    vf_push_end(buffer);
    *index = (size_t)vf_plain_index(tail);
    return copied;
}

#ifndef VF_LANES
/* All of a push. False and ENOMEM: refused. *index is that of S_push_index. */
vf_generic_body VF_ALWAYS_INLINE bool vf_self_put(vf_self *buffer, vf_value *value, size_t *index)
{
    vf_push_begin(buffer);
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_count_up(buffer, 1);
    uint64_t run;
    vf_t *slot = vf_self_slots(buffer, &expected, tail, &run);
    bool slow = slot == NULL;
    if (VF_UNLIKELY(slow))
        slot = vf_self_find(buffer, tail, &run);
    if (VF_LIKELY(slot != NULL))
        vf_self_store(slot, value);
    vf_self_done(buffer, tail, 1);
#    ifdef VF_FLIP
    if (VF_UNLIKELY(slow))
        vf_self_rouse(buffer, tail);
#    endif
    vf_push_end(buffer);
    *index = (size_t)vf_plain_index(tail);
    return slot != NULL;
}

vf_generic_body VF_ALWAYS_INLINE size_t vf_self_put_n(vf_self *buffer, vf_value const *values,
                                                      size_t n, size_t *index)
{
    return vf_self_put_n_counted(buffer, values, n, index);
}
#elif defined(VF_FLIP)
#    include <veryfast/detail/smallbuf_lanes_flip.h>
#else
#    include <veryfast/detail/smallbuf_lanes.h>
#endif

vf_generic_body vf_fn bool vf_self_push(vf_self *buffer, vf_moved value)
{
    size_t index;
    return vf_self_put(buffer, vf_address(value), &index);
}

vf_generic_body vf_fn bool vf_self_push_index(vf_self *buffer, vf_moved value, size_t *index)
{
    size_t taken;
    bool pushed = vf_self_put(buffer, vf_address(value), &taken);
    if (index != NULL)
        *index = taken;
    return pushed;
}

#if !defined(VF_FLIP) && !defined(VF_LANES)
vf_fn vf_t *vf_self_push_slot(vf_self *buffer, size_t *index)
{
    vf_push_begin(buffer);
    vf_expected expected = vf_self_expect(buffer);
    uint64_t tail = vf_self_count_up(buffer, 1);
    uint64_t run;
    if (index != NULL)
        *index = (size_t)vf_plain_index(tail);
    vf_t *slot = vf_self_slots(buffer, &expected, tail, &run);
    if (VF_UNLIKELY(slot == NULL))
        slot = vf_self_find(buffer, tail, &run);
    vf_push_end(buffer);
    return slot;
}
#endif

vf_fn size_t vf_self_count_about(const vf_self *buffer)
{
    uint64_t index;
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* an estimate: nothing is read by it */
    const vf_self_bank *bank = vf_self_bank_of((vf_self *)(uintptr_t)buffer, tail, &index);
    return index <= vf_n ? (size_t)index : vf_spill_about(&bank->spill, index);
}

vf_generic_body vf_fn size_t vf_self_push_n(vf_self *buffer, vf_value const *values, size_t n)
{
    size_t index;
    return vf_self_put_n(buffer, values, n, &index);
}

vf_generic_body vf_fn size_t vf_self_push_n_index(vf_self *buffer, vf_value const *values, size_t n,
                                                  size_t *index)
{
    size_t first;
    size_t taken = vf_self_put_n(buffer, values, n, &first);
    if (index != NULL && n > 0)
        *index = first;
    return taken;
}

#include <veryfast/detail/smallbuf_read.h>
#include <veryfast/detail/smallbuf_split.h>
#ifdef VF_FLIP
#    include <veryfast/detail/smallbuf_flip.h>
#else
#    include <veryfast/detail/smallbuf_writer.h>
#endif
#ifdef vf_copied
#    include <veryfast/detail/smallbuf_copies.h>
#endif
#undef vf_hidden
