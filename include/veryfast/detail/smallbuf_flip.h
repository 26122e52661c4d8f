/*
 * smallbuf_flip.h - the part of smallbuf.h for draining while others push. Included by it once for
 * each instance, with VF_FLIP.
 *
 *     tail:  bank | index          one fetch_add says which bank and which slot in it
 *
 *     banks[0]:  done, elements    pushes go to one bank, ...
 *     banks[1]:  done, elements    ... and the other is empty, or being drained
 *
 * A flip exchanges tail, so that pushes go to the other bank from then on, and waits until as many
 * pushes are done in the one it takes as have had an index there. Pushes wait for nobody. One that
 * is interrupted in its middle delays the drainer only. VF_DROP and whoever handles the elements
 * may push to the buffer: that goes to the other bank.
 *
 * One drainer at a time: S_flip, S_flip_try and the drain that they give, to its end.
 *
 * With VF_EPOCH nobody counts. Between S_flip_begin and S_flip_finish the drainer makes sure that
 * each push is over that had begun before: by a grace period of whatever kind, where pushes are in
 * read sections (synchronize_rcu), or by a barrier that all who push come to, as at a frame's end.
 */
#ifndef vf_kind
#    error "smallbuf_flip.h is internal: include <veryfast/smallbuf.h>"
#endif

#ifdef VF_EPOCH
/*
 * S_flip_begin: from here on pushes begin a new fill. Beside any number of pushes. Never fails; one
 * atomic operation. Until S_flip_finish there may be pushes and no other call on the buffer.
 */
vf_fn void vf_self_flip_begin(vf_self *buffer)
{
    vf_flip_began(buffer);
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* only the drainer changes what is used here */
    uint64_t other = (~tail & VF_BANK_BIT) | (tail & VF_CAP_INSIDE);
    /* release: pairs with the acquire in a push: the other bank was emptied before */
    tail = vf_exchange_release(&buffer->tail, other);
    buffer->banks[tail >> 63].done = tail & ~VF_BANK_BIT;
}

/*
 * S_flip_finish: takes what was pushed before S_flip_begin, when each push that had begun by then
 * is over. The drain is as that of S_drain_begin; pushes may go on. Never fails.
 */
vf_fn vf_self_drain vf_self_flip_finish(vf_self *buffer)
{
    vf_flip_finished(buffer);
    /* relaxed: the grace period orders all, and this thread has written the bank's bit */
    vf_self_bank *bank = &buffer->banks[~vf_load_relaxed(&buffer->tail) >> 63];
    vf_self_drain drain;
    vf_self_detach(bank, bank->done, &drain);
    vf_drain_began(buffer, &drain, false);
    return drain;
}
#else
/*
 * S_flip: takes all elements, and waits for the pushes that are in flight. The drain is as that of
 * S_drain_begin. Beside any number of pushes. Never fails; one atomic operation.
 */
vf_fn vf_self_drain vf_self_flip(vf_self *buffer)
{
    vf_flip_began(buffer);
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* only the drainer changes what is used here */
    uint64_t other = (~tail & VF_BANK_BIT) | (tail & VF_CAP_INSIDE);
    /* release: pairs with the acquire in a push: the other bank was emptied before */
    tail = vf_exchange_release(&buffer->tail, other);
    vf_self_bank *bank = &buffer->banks[tail >> 63];
    vf_flip_wait(&bank->done, vf_plain_index(tail));
    vf_store_relaxed(&bank->done, 0); /* nobody looks before the next flip, which releases it */
    vf_self_drain drain;
    vf_self_detach(bank, tail & ~VF_BANK_BIT, &drain);
    vf_drain_began(buffer, &drain, false);
    return drain;
}

/*
 * S_flip_try: as S_flip, where it would not have to wait. False: a push is in flight, and nothing
 * was taken.
 */
vf_fn bool vf_self_flip_try(vf_self *buffer, vf_self_drain *drain)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* the swap tells whether it is still so */
    for (;;) {
        vf_self_bank *bank = &buffer->banks[tail >> 63];
        uint64_t other = (~tail & VF_BANK_BIT) | (tail & VF_CAP_INSIDE);
        /* acquire: pairs with the release of each push, whose element comes before it */
        if (vf_load_acquire(&bank->done) != vf_plain_index(tail))
            return false;
        /* release: as in S_flip */
        if (vf_cas_weak_release(&buffer->tail, &tail, other)) {
            vf_store_relaxed(&bank->done, 0); /* as in S_flip */
            vf_self_detach(bank, tail & ~VF_BANK_BIT, drain);
            vf_flip_began(buffer);
            vf_drain_began(buffer, drain, false);
            return true;
        }
    }
}

#endif

/* S_drain_refused: elements that were turned away from the bank that the drain has taken. */
vf_fn size_t vf_self_drain_refused(const vf_self_drain *drain)
{
    return (size_t)drain->core.refused;
}
