/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_lanes.h - the bodies of pushes with VF_LANES. Included by smallbuf_body.h.
 *
 * A push looks at the lane of its thread, and stores into its next slot: no atomic operation, and
 * no line that another thread writes to. Below N, and where the lane has no slots, it is a push as
 * without lanes; the core gives the lane another run then, instead of a slot, unless it must not
 * (src/smallbuf/lane.c).
 */
#ifndef vf_kind
#    error "smallbuf_lanes.h is internal: include <veryfast/smallbuf.h>"
#endif

/* The slot of a push that finds none in its lane; NULL and ENOMEM: refused. */
vf_hidden vf_t *vf_self_next_slot(vf_self *buffer, size_t *index)
{
    /* relaxed, both: as in vf_self_count_up. A swap, since the core must know of the thread before
       it takes a slot beyond N (src/smallbuf/lane.c). Below N no lane has slots */
    uint64_t tail = vf_load_relaxed(&buffer->tail);
    while (tail < vf_n) {
        if (vf_cas_weak_relaxed(&buffer->tail, &tail, tail + 1)) {
            *index = (size_t)tail;
            return vf_self_inside(buffer) + tail;
        }
    }
    uint64_t taken;
    vf_t *slot = (vf_t *)vf_lane_next(&buffer->tail, &buffer->spill, &vf_self_type, &taken);
    *index = (size_t)vf_plain_index(taken);
    return slot;
}

/* A push that finds no slot in its lane. Not inlined, so that one that does saves no registers. */
vf_generic_body static VF_UNUSED VF_NOINLINE bool vf_self_put_next(vf_self *buffer, vf_value *value,
                                                                   size_t *index)
{
    vf_t *slot = vf_self_next_slot(buffer, index);
    if (VF_LIKELY(slot != NULL))
        vf_self_store(slot, value);
    return slot != NULL;
}

/* All of a push. False and ENOMEM: refused. *index is that of S_push_index. */
vf_generic_body VF_ALWAYS_INLINE bool vf_self_put(vf_self *buffer, vf_value *value, size_t *index)
{
    vf_push_begin(buffer);
    vf_lane *lane = vf_lane_own(&buffer->spill);
    if (VF_LIKELY(lane != NULL)) {
        char *at = lane->at;
        if (VF_LIKELY(at != lane->stop)) {
            *index = (size_t)vf_lane_index(lane, sizeof(vf_t));
            lane->at = at + sizeof(vf_t);
            vf_self_store((vf_t *)(void *)at, value);
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

vf_fn vf_t *vf_self_push_slot(vf_self *buffer, size_t *index)
{
    vf_push_begin(buffer);
    size_t taken;
    vf_t *slot = NULL;
    vf_lane *lane = vf_lane_own(&buffer->spill);
    if (VF_LIKELY(lane != NULL) && VF_LIKELY(lane->at != lane->stop)) {
        slot = (vf_t *)(void *)lane->at;
        taken = (size_t)vf_lane_index(lane, sizeof(vf_t));
        lane->at += sizeof(vf_t);
    } else {
        slot = vf_self_next_slot(buffer, &taken);
    }
    if (index != NULL)
        *index = taken;
    vf_push_end(buffer);
    return slot;
}

/* Copies what the thread's lane has slots for, the rest as without lanes: so they are in order. */
vf_generic_body VF_ALWAYS_INLINE size_t vf_self_put_n(vf_self *buffer, vf_value const *values,
                                                      size_t n, size_t *index)
{
    vf_push_begin(buffer);
    void *slots = NULL;
    uint64_t first = 0;
    size_t copied = vf_lane_rest(&buffer->spill, n, &slots, &first);
    if (copied > 0)
        vf_self_copy((vf_t *)slots, values, copied);
    vf_push_end(buffer);
    *index = (size_t)first;
    if (copied == n)
        return n;
    size_t next;
    size_t more = vf_self_put_n_counted(buffer, values + copied, n - copied, &next);
    if (copied == 0)
        *index = next;
    return copied + more;
}
