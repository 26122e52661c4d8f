/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_read.h - the bodies of what smallbuf.h declares for exclusive access. Included by
 * smallbuf_body.h.
 */
#ifndef vf_kind
#    error "smallbuf_read.h is internal: include <veryfast/smallbuf.h>"
#endif

/* Says how far the current bank is filled; all pushes into it are done. */
vf_hidden void vf_self_set_index(vf_self *buffer, vf_self_bank *bank, uint64_t index)
{
#ifdef VF_FLIP
    buffer->tail = (buffer->tail & (VF_BANK_BIT | VF_WOKEN)) | index;
#    ifdef VF_EPOCH
    (void)bank;
#    else
    bank->done = vf_plain_index(index);
#    endif
#else
    (void)bank;
    buffer->tail = index;
#endif
}

#ifdef VF_FLIP
/* Has a flip begun whose elements nobody has taken yet? */
vf_hidden bool vf_self_has_begun(const vf_self *buffer)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail);
    const vf_self_bank *bank = &buffer->banks[~tail >> 63];
#    ifdef VF_EPOCH
    return bank->done != 0;
#    else
    return vf_load_relaxed(&bank->done) != 0; /* the drainer's own, but for pushes in flight */
#    endif
}
#endif

vf_fn void vf_self_init(vf_self *buffer, const vf_smallbuf_options *options)
{
#ifdef VF_FLIP
    vf_self_bank *other = vf_self_bank_at(buffer, ~buffer->tail);
    vf_spill_init(&other->spill, options, &vf_self_type);
#endif
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
    vf_self_set_index(buffer, bank, vf_spill_init(&bank->spill, options, &vf_self_type));
}

/* All of an exclusive push. */
vf_generic_body VF_ALWAYS_INLINE bool vf_self_put_exclusive(vf_self *buffer, vf_value *value)
{
    vf_exclusive(buffer, "S_push_exclusive");
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
    bool pushed = true;
    if (VF_LIKELY(index < vf_n)) {
        vf_self_store(vf_self_inside(bank) + index, value);
    } else {
#ifdef VF_LANES
        size_t taken; /* in the order of what the thread has pushed before */
        return vf_self_put(buffer, value, &taken);
#else
        vf_expected expected = vf_self_expect(buffer);
        uint64_t run;
        vf_t *slot = vf_self_slots(buffer, &expected, buffer->tail, &run);
        if (VF_UNLIKELY(slot == NULL))
            slot = vf_self_find(buffer, buffer->tail, &run);
        pushed = slot != NULL;
        if (VF_LIKELY(pushed))
            vf_self_store(slot, value);
#endif
    }
    vf_self_set_index(buffer, bank, index + 1);
    return pushed;
}

vf_generic_body vf_fn bool vf_self_push_exclusive(vf_self *buffer, vf_moved value)
{
    return vf_self_put_exclusive(buffer, vf_address(value));
}

vf_fn size_t vf_self_count(const vf_self *buffer)
{
    vf_exclusive(buffer, "S_count");
    uint64_t index;
    const vf_self_bank *bank = vf_self_current(buffer, &index);
    return index <= vf_n ? (size_t)index : vf_spill_count(&bank->spill, index, &vf_self_type);
}

vf_fn size_t vf_self_capacity(const vf_self *buffer)
{
    vf_exclusive(buffer, "S_capacity");
    uint64_t index;
    const vf_self_bank *bank = vf_self_current(buffer, &index);
    return vf_spill_capacity(&bank->spill, &vf_self_type);
}

vf_fn size_t vf_self_refused(const vf_self *buffer)
{
    vf_exclusive(buffer, "S_refused");
    uint64_t index;
    const vf_self_bank *bank = vf_self_current(buffer, &index);
    return vf_spill_refused(&bank->spill, index, &vf_self_type);
}

vf_fn bool vf_self_reserve(vf_self *buffer, size_t n)
{
    vf_exclusive(buffer, "S_reserve");
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
#ifdef VF_FLIP
    vf_self_bank *other = vf_self_bank_at(buffer, ~buffer->tail);
    size_t before = vf_spill_capacity(&other->spill, &vf_self_type);
    uint64_t beginning = index & VF_CAP_INSIDE;
    bool begun =
        vf_self_has_begun(buffer); /* what is in that bank is to be drained, not added to */
    if (!begun && !vf_spill_reserve(&other->spill, &beginning, n, &vf_self_type))
        return false;
#endif
    if (!vf_spill_reserve(&bank->spill, &index, n, &vf_self_type)) {
#ifdef VF_FLIP
        if (!begun)
            vf_spill_trim(&other->spill, 0, before, &vf_self_type);
#endif
        return false;
    }
    vf_self_set_index(buffer, bank, index);
    return true;
}

vf_fn size_t vf_self_span(const vf_self *buffer, size_t from, vf_t const **elements)
{
    vf_exclusive(buffer, "S_span");
    uint64_t index;
    const vf_self_bank *bank = vf_self_current(buffer, &index);
    if (VF_LIKELY(index <= vf_n)) {
        size_t at = from < index ? from : (size_t)index;
        *elements = vf_self_inside(bank) + at;
        return (size_t)index - at;
    }
    const void *found = NULL;
    size_t n = vf_spill_span(&bank->spill, index, from, &vf_self_type, &found);
    *elements = (vf_t const *)found;
    return n;
}

/*
 * Takes all elements below the index, which are pushed, out of a bank; the index at which it begins
 * again.
 *
 * The core is given a copy, here and below, so that the compiler may keep a drain in registers.
 */
vf_hidden uint64_t vf_self_detach(vf_self_bank *bank, uint64_t index, vf_self_drain *drain)
{
    vf_drain core = {&bank->spill, index < vf_n ? index : (uint64_t)vf_n, index, 0, 0};
    uint64_t beginning = 0;
    /* below N, and at N if nothing has spilled, there is nothing for the core to do */
    if (VF_UNLIKELY(index > vf_n || (index == vf_n && bank->spill != NULL))) {
        vf_drain more = core;
        beginning = vf_spill_detach(&bank->spill, index, &vf_self_type, &more);
        core = more;
    }
    drain->core = core;
    drain->at = vf_self_inside(bank);
    drain->stop = drain->at + core.next;
#ifdef VF_FLIP
    vf_drain none = {NULL, 0, 0, 0, 0};
    drain->behind = none;
    drain->first = core.spill;
#endif
    return beginning;
}

#if defined(VF_FLIP) && !defined(VF_EPOCH)
/* Are all pushes into the bank done that a flip has taken? *index: as far as it is filled. */
vf_hidden bool vf_self_is_over(const vf_self_bank *bank, uint64_t *index)
{
#    ifdef VF_LANES
    return vf_flip_over(&bank->done, &bank->spill, index) && vf_lane_flip_end(&bank->spill);
#    else
    return vf_flip_over(&bank->done, &bank->spill, index);
#    endif
}
#endif

#ifdef VF_FLIP
/* Takes what a flip has begun to take, whose pushes are over: the drainer, or exclusive access. */
vf_hidden void vf_self_take_other(vf_self *buffer, uint64_t index, vf_self_drain *drain)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* the bits are this thread's own */
    vf_self_bank *bank = vf_self_bank_at(buffer, ~tail);
    vf_store_relaxed(&bank->done, 0); /* nobody looks before the next flip, which releases it */
    vf_self_detach(bank, index | (tail & VF_CAP_INSIDE), drain);
    vf_drain_began(buffer, drain, false);
}

/* The same, if there is something; false: no flip has begun, or a push is in flight. */
vf_hidden bool vf_self_take_begun(vf_self *buffer, vf_self_drain *drain)
{
    vf_self_bank *bank = vf_self_bank_at(buffer, ~vf_load_relaxed(&buffer->tail)); /* as above */
    uint64_t index;
#    ifdef VF_EPOCH
    index = bank->done;
    if (index == 0)
        return false;
#    else
    if (!vf_self_is_over(bank, &index))
        return false;
#    endif
    vf_self_take_other(buffer, index, drain);
    return true;
}

/* Goes on with the second of two banks; how many elements are inside it. */
vf_hidden size_t vf_self_go_behind(vf_self_drain *drain)
{
    uint64_t refused = drain->core.refused;
    vf_drain_over(drain);
    vf_drain_goes_behind(drain);
    drain->core = drain->behind;
    drain->core.refused = refused;
    drain->behind.spill = NULL;
    drain->at = (vf_t *)(void *)((char *)drain->core.spill + vf_self_type.inline_offset);
    return (size_t)(drain->core.end < vf_n ? drain->core.end : (uint64_t)vf_n);
}
#endif

/* Takes all elements of the bank that pushes go to. */
vf_hidden void vf_self_take_current(vf_self *buffer, vf_self_drain *drain)
{
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
    vf_self_set_index(buffer, bank, vf_self_detach(bank, index, drain));
    vf_drain_began(buffer, drain, true);
}

vf_fn vf_self_drain vf_self_drain_begin(vf_self *buffer)
{
    vf_exclusive(buffer, "S_drain_begin");
    vf_self_drain drain;
#ifdef VF_FLIP
    if (vf_self_take_begun(buffer, &drain)) { /* the older elements */
        vf_self_drain behind;
        vf_self_take_current(buffer, &behind);
        drain.behind = behind.core;
        drain.core.refused += behind.core.refused;
        return drain;
    }
#endif
    vf_self_take_current(buffer, &drain);
    return drain;
}

vf_fn size_t vf_self_drain_span(vf_self_drain *drain, vf_t **elements)
{
    vf_drain_used(drain, "S_drain_span");
    size_t n = (size_t)(drain->stop - drain->at);
    if (n == 0 && drain->core.next < drain->core.end) {
        vf_drain core = drain->core;
        void *found = drain->at; /* and so it remains at the end */
        n = vf_drain_more(&core, &found);
        drain->core = core;
        drain->at = (vf_t *)found;
    }
#ifdef VF_FLIP
    if (n == 0 && drain->behind.spill != NULL)
        n = vf_self_go_behind(drain);
#endif
    *elements = drain->at;
    drain->at += n;
    drain->stop = drain->at;
    if (n == 0)
        vf_drain_over(drain);
    return n;
}

vf_generic_body vf_fn bool vf_self_drain_next(vf_self_drain *drain, vf_exactly *value)
{
    vf_drain_used(drain, "S_drain_next");
    if (VF_UNLIKELY(drain->at == drain->stop)) {
        vf_t *span;
        size_t n = vf_self_drain_span(drain, &span);
        if (n == 0)
            return false;
        drain->at = span;
        drain->stop = span + n;
    }
    vf_t *element = drain->at++;
#ifdef __cplusplus
    VF_STATIC_ASSERT(std::is_move_assignable<vf_value>::value,
                     "S_drain_next needs a VF_T that can be assigned: take it by S_drain_span");
    *value = static_cast<vf_value &&>(*element);
    element->~vf_t();
#else
    *value = *element;
#endif
    return true;
}

#ifndef vf_no_drop
/* The program's statement stands here and nowhere else, so that this is the only name of the
   template that it can meet. */
static inline VF_UNUSED void vf_self_drop(vf_t *vf_element)
{
    VF_DROP(vf_element);
}
#endif

vf_fn void vf_self_drain_end(vf_self_drain *drain)
{
#ifdef vf_no_drop
    vf_drain_over(drain);
    (void)drain;
#else
    vf_drain_used(drain, "S_drain_end");
    vf_t *elements;
    for (size_t n; (n = vf_self_drain_span(drain, &elements)) > 0;) {
        for (size_t i = 0; i < n; i++)
            vf_self_drop(&elements[i]);
    }
#endif
}

#if defined(VF_FLIP) && !defined(vf_no_drop)
/* Drops all elements, and those that VF_DROP pushes meanwhile, which go to the other bank. */
vf_hidden void vf_self_drop_all(vf_self *buffer)
{
    uint64_t bank = buffer->tail & VF_BANK_BIT;
    vf_self_drain drain;
    if (vf_self_take_begun(buffer, &drain))
        vf_self_drain_end(&drain);
    while (vf_plain_index(buffer->tail) != 0) {
        uint64_t index = vf_plain_index(buffer->tail);
        vf_self_flip_begin(buffer);
        vf_self_take_other(buffer, index, &drain);
        vf_self_drain_end(&drain);
    }
    buffer->tail =
        (buffer->tail & ~VF_BANK_BIT) | bank; /* both are empty: as if none had flipped */
}
#endif

vf_fn void vf_self_clear(vf_self *buffer)
{
    vf_exclusive(buffer, "S_clear");
#if defined(VF_FLIP) && !defined(vf_no_drop)
    vf_self_drop_all(buffer);
#else
    vf_self_drain drain = vf_self_drain_begin(buffer);
    vf_self_drain_end(&drain);
#endif
}

vf_fn size_t vf_self_trim(vf_self *buffer, size_t keep)
{
    vf_exclusive(buffer, "S_trim");
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
    size_t bytes = vf_spill_trim(&bank->spill, index, keep, &vf_self_type);
#ifdef VF_FLIP
    vf_self_bank *other = vf_self_bank_at(buffer, ~buffer->tail);
    if (!vf_self_has_begun(buffer))
        bytes += vf_spill_trim(&other->spill, 0, keep, &vf_self_type);
#endif
    return bytes;
}

vf_fn void vf_self_destroy(vf_self *buffer)
{
    vf_exclusive(buffer, "S_destroy");
    uint64_t index;
    vf_self_bank *bank = vf_self_current(buffer, &index);
    vf_self_clear(buffer);
    if (((uintptr_t)bank->spill & VF_SPILLED) != 0)
        vf_spill_trim(&bank->spill, 0, 0, &vf_self_type);
#ifdef VF_FLIP
    vf_self_bank *other = vf_self_bank_at(buffer, ~buffer->tail);
    vf_spill_trim(&other->spill, 0, 0, &vf_self_type);
#endif
}
