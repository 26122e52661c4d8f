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
 * A flip exchanges tail, so that pushes go to the other bank from then on, and waits until as many
 * pushes are done in the bank that it takes as have had an index there. With VF_EPOCH no push is
 * counted as done: a grace period of the drainer's stands for that.
 */
#ifndef vf_kind
#    error "smallbuf_flip.h is internal: include <veryfast/smallbuf.h>"
#endif

#ifdef VF_EPOCH
vf_fn void vf_self_flip_begin(vf_self *buffer)
{
    vf_flip_began(buffer);
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* only the drainer changes what is used here */
    uint64_t other = vf_other_bank(tail);
    /* release: pairs with the acquire in a push: the other bank was emptied before */
    tail = vf_exchange_release(&buffer->tail, other);
    vf_self_bank_at(buffer, tail)->done = tail & ~VF_BANK_BIT;
}

vf_fn vf_self_drain vf_self_flip_finish(vf_self *buffer)
{
    vf_flip_finished(buffer);
    /* relaxed: the grace period orders all, and this thread has written the bank's bit */
    vf_self_bank *bank = vf_self_bank_at(buffer, ~vf_load_relaxed(&buffer->tail));
    vf_self_drain drain;
    vf_self_detach(bank, bank->done, &drain);
    vf_drain_began(buffer, &drain, false);
    return drain;
}
#else
vf_fn vf_self_drain vf_self_flip(vf_self *buffer)
{
    vf_flip_began(buffer);
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* only the drainer changes what is used here */
    uint64_t other = vf_other_bank(tail);
    /* release: pairs with the acquire in a push: the other bank was emptied before */
    tail = vf_exchange_release(&buffer->tail, other);
    vf_self_bank *bank = vf_self_bank_at(buffer, tail);
    vf_flip_wait(&bank->done, vf_plain_index(tail));
    vf_store_relaxed(&bank->done, 0); /* nobody looks before the next flip, which releases it */
    vf_self_drain drain;
    vf_self_detach(bank, tail & ~VF_BANK_BIT, &drain);
    vf_drain_began(buffer, &drain, false);
    return drain;
}

vf_fn bool vf_self_flip_try(vf_self *buffer, vf_self_drain *drain)
{
    uint64_t tail = vf_load_relaxed(&buffer->tail); /* the swap tells whether it is still so */
    for (;;) {
        vf_self_bank *bank = vf_self_bank_at(buffer, tail);
        uint64_t other = vf_other_bank(tail);
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

vf_fn size_t vf_self_drain_refused(const vf_self_drain *drain)
{
    return (size_t)drain->core.refused;
}
