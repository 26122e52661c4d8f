/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_lanes_flip.h - the bodies of pushes with VF_LANES and VF_FLIP. Included by
 * smallbuf_body.h.
 *
 * As without VF_FLIP, but that a push claims its slot in the lane (detail/smallbuf_lane_flip.h),
 * and the bank that it looks into may be the other one when it takes a slot from the counter.
 */
#ifndef vf_kind
#    error "smallbuf_lanes_flip.h is internal: include <veryfast/smallbuf.h>"
#endif

/* The slot of a push that finds none in its lane; NULL and ENOMEM: refused. */
vf_hidden vf_t *vf_self_next_slot(vf_self *buffer, vf_claim *claim)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* the swap tells whether it is still so */
    claim->lane = NULL;
    claim->n = 1;
    while ((tail & ~VF_BANK_BIT) < vf_n) {
        /* acquire: as in vf_self_count_up. A swap, as without VF_FLIP */
        if (vf_cas_weak_acquire(&buffer->tail, &tail, tail + 1)) {
            claim->tail = tail;
            return vf_self_inside(vf_self_bank_at(buffer, tail)) + (tail & ~VF_BANK_BIT);
        }
    }
    return (vf_t *)vf_lane_flip_next(&buffer->tail, &buffer->banks[0].spill, &vf_self_type, claim);
}

/* The elements are stored, or refused. */
vf_hidden void vf_self_end_claim(vf_self *buffer, const vf_claim *claim)
{
    if (claim->lane != NULL) {
        /* release: pairs with the acquire in src/smallbuf/lane_flip.c: the element comes before
           it */
        vf_store_release(&claim->lane->filled, claim->left);
        return;
    }
    vf_self_done(buffer, claim->tail, claim->n);
    vf_self_rouse(buffer, claim->tail);
}

/* A push that finds no slot in its lane. Not inlined, so that one that does saves no registers. */
vf_generic_body static VF_UNUSED VF_NOINLINE bool vf_self_put_next(vf_self *buffer, vf_value *value,
                                                                   size_t *index)
{
    vf_claim claim;
    vf_t *slot = vf_self_next_slot(buffer, &claim);
    if (VF_LIKELY(slot != NULL))
        vf_self_store(slot, value);
    vf_self_end_claim(buffer, &claim);
    *index = (size_t)vf_plain_index(claim.tail);
    return slot != NULL;
}

/* All of a push. False and ENOMEM: refused. *index is that of S_push_index. */
vf_generic_body VF_ALWAYS_INLINE bool vf_self_put(vf_self *buffer, vf_value *value, size_t *index)
{
    vf_push_begin(buffer);
    /* relaxed: by the time that a flip has taken this bank its run has ended, or the push comes
       before that */
    uint64_t tail = vf_load_relaxed(&buffer->tail);
    vf_lane *lane = vf_lane_own(&vf_self_bank_at(buffer, tail)->spill);
    if (VF_LIKELY(lane != NULL)) {
        vf_flip_lane *own = vf_flip_lane_of(lane);
        uint64_t left;
        if (VF_LIKELY(vf_claim_slots(own, 1, &left) != 0)) {
            *index = (size_t)(lane->core.end - left);
            vf_self_store((vf_t *)(void *)(lane->stop - (size_t)left * sizeof(vf_t)), value);
            vf_store_release(&own->filled, left - 1); /* as in vf_self_end_claim */
            vf_push_end(buffer);
            return true;
        }
    }
#ifdef __cplusplus
    bool pushed = vf_self_put_next(buffer, value, index);
#else
    vf_t copy = *value; /* so that the value itself need not be in memory */
    bool pushed = vf_self_put_next(buffer, &copy, index);
#endif
    vf_push_end(buffer);
    return pushed;
}

/* Copies what the thread's lane has slots for, the rest as without lanes: so they are in order. The
   rest may be the first in the other bank, and then its index is the one to be told. */
vf_generic_body VF_ALWAYS_INLINE size_t vf_self_put_n(vf_self *buffer, vf_value const *values,
                                                      size_t n, size_t *index)
{
    vf_push_begin(buffer);
    void *slots = NULL;
    vf_claim claim;
    size_t copied =
        vf_lane_flip_rest(&buffer->tail, &buffer->banks[0].spill, &vf_self_type, n, &slots, &claim);
    *index = 0;
    if (copied > 0) {
        vf_self_copy((vf_t *)slots, values, copied);
        vf_self_end_claim(buffer, &claim);
        *index = (size_t)claim.tail;
    }
    vf_push_end(buffer);
    if (copied == n)
        return n;
    size_t next;
    size_t more = vf_self_put_n_counted(buffer, values + copied, n - copied, &next);
    if (copied == 0 || next == 0)
        *index = next;
    return copied + more;
}
