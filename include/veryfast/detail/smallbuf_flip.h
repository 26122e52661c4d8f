/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_flip.h - the bodies of what smallbuf.h declares for draining while others push. Included
 * by smallbuf_body.h, with VF_FLIP.
 *
 *     tail:  bank | index          one fetch_add says which bank and which slot in it
 *
 *     banks[0]:  done, elements    pushes go to one bank, ...
 *     banks[1]:  done, elements    ... and the other is empty, or being drained
 *
 * A flip exchanges tail, so that pushes go to the other bank from then on. It is over when as many
 * pushes are done in the bank that it takes as have had an index there: no new ones begin, so it
 * waits for those in flight and for no other. With VF_EPOCH no push is counted as done: a grace
 * period of the drainer's stands for that.
 */
#ifndef vf_kind
#    error "smallbuf_flip.h is internal: include <veryfast/smallbuf.h>"
#endif

/* Sends pushes to the other bank; where they were sent before. */
vf_hidden uint64_t vf_self_turn(vf_self *buffer)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* only the drainer changes what is used here */
    uint64_t other = vf_other_bank(tail);
    /* release: pairs with the acquire in a push: the other bank was emptied before */
    tail = vf_exchange_release(&buffer->tail, other);
    uint64_t lost = tail & ~other & (VF_ASLEEP | VF_WOKEN); /* come in between */
    if (VF_UNLIKELY(lost != 0))
        vf_flip_missed(&buffer->tail, lost);
    return tail;
}

vf_fn void vf_self_flip_begin(vf_self *buffer)
{
    if (vf_self_has_begun(buffer))
        return;
    vf_flip_began(buffer);
    uint64_t tail = vf_self_turn(buffer);
    vf_self_bank *bank = vf_self_bank_at(buffer, tail);
#ifdef VF_EPOCH
    bank->done = vf_plain_index(tail);
#else
    vf_flip_take(&bank->done, vf_plain_index(tail), &bank->spill, &vf_self_type);
#endif
}

#ifdef VF_EPOCH
vf_fn vf_self_drain vf_self_flip_finish(vf_self *buffer)
{
    vf_flip_finished(buffer);
    vf_self_drain drain;
    /* relaxed: the grace period orders all, and this thread has written the bank's bit */
    vf_self_take_other(buffer, vf_self_bank_at(buffer, ~vf_load_relaxed(&buffer->tail))->done,
                       &drain);
    return drain;
}
#else
vf_fn bool vf_self_flip_done(vf_self *buffer, vf_self_drain *drain)
{
    return vf_self_take_begun(buffer, drain);
}

vf_fn vf_self_drain vf_self_flip(vf_self *buffer)
{
    vf_self_drain drain;
    vf_self_flip_begin(buffer);
    /* relaxed: this thread has written the bank's bit */
    vf_self_bank *bank = vf_self_bank_at(buffer, ~vf_load_relaxed(&buffer->tail));
    uint64_t index = vf_flip_wait(&bank->done, &bank->spill);
#    ifdef VF_LANES
    vf_lane_flip_wait(&bank->spill);
#    endif
    vf_self_take_other(buffer, index, &drain);
    return drain;
}

vf_fn bool vf_self_flip_try(vf_self *buffer, vf_self_drain *drain)
{
#    ifdef VF_LANES
    /* whether a push is in flight is known only of runs that have ended */
    vf_self_flip_begin(buffer);
    return vf_self_take_begun(buffer, drain);
#    else
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* the swap tells whether it is still so */
    if (vf_self_has_begun(buffer))
        return vf_self_take_begun(buffer, drain);
    for (;;) {
        vf_self_bank *bank = vf_self_bank_at(buffer, tail);
        uint64_t other = vf_other_bank(tail);
        /* acquire: pairs with the release of each push, whose element comes before it */
        if (vf_load_acquire(&bank->done) != vf_plain_index(tail))
            return false;
        /* release: as in S_flip_begin */
        if (vf_cas_weak_release(&buffer->tail, &tail, other)) {
            vf_store_relaxed(&bank->done, 0); /* as where a flip is over */
            vf_self_detach(bank, vf_index_of(tail), drain);
            vf_flip_began(buffer);
            vf_drain_began(buffer, drain, false);
            return true;
        }
    }
#    endif
}
#endif

vf_fn bool vf_self_wait(vf_self *buffer, int64_t timeout_ns)
{
    return vf_self_has_begun(buffer) || vf_flip_sleep(&buffer->tail, timeout_ns);
}

vf_fn void vf_self_wake(vf_self *buffer)
{
    vf_flip_wake(&buffer->tail);
}

vf_fn size_t vf_self_drain_refused(const vf_self_drain *drain)
{
    return (size_t)drain->core.refused;
}

vf_fn size_t vf_self_drain_end_trim(vf_self_drain *drain, size_t keep)
{
    vf_self_drain_end(drain);
    vf_drain_trims(drain);
    void **last = drain->behind.spill != NULL ? drain->behind.spill : drain->core.spill;
    size_t bytes = vf_spill_trim_drained(drain->first, keep, &vf_self_type);
    if (last != drain->first)
        bytes += vf_spill_trim_drained(last, keep, &vf_self_type);
    return bytes;
}

/* In the child of a fork: has the bank elements that may be half made? */
vf_hidden bool vf_self_is_torn(const vf_self *buffer, const vf_self_bank *bank)
{
    uint64_t tail = buffer->tail;
    bool current = bank == &buffer->banks[tail >> 63];
#ifdef VF_EPOCH
    return current ? vf_plain_index(tail) != 0 : bank->done != 0; /* nobody knows */
#else
    uint64_t n;
#    ifdef VF_LANES
    if (current && !vf_lane_flip_is_filled(&bank->spill))
        return true;
#    endif
    if (current)
        return bank->done != vf_plain_index(tail);
    return bank->done != 0 && !vf_self_is_over(bank, &n);
#endif
}

vf_fn void vf_self_fork_child(vf_self *buffer)
{
    vf_forked(buffer);
    for (size_t i = 0; i < 2; i++) {
        vf_self_bank *bank = &buffer->banks[i];
        if (!vf_self_is_torn(buffer, bank))
            continue;
        vf_spill_fork_child(&bank->spill, &vf_self_type);
        bank->done = 0;
        if (i == buffer->tail >> 63)
            buffer->tail &= VF_BANK_BIT | VF_CAP_INSIDE | VF_WOKEN;
    }
    buffer->tail &= ~VF_ASLEEP; /* the thread that slept did not come along */
}
