/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_split.h - the body of what smallbuf.h declares for several threads that drain. Included
 * by smallbuf_body.h.
 *
 *     slots of a drain:  inside | chunks          with VF_FLIP behind them, where there is a second
 *                        xxxx     xxxxxxxxxxxx     bank:  inside | chunks
 *     parts:             <---- 1 ----> <- 2 ->
 *
 * A drain is a row of slots, from the one that it has come to. A part is a drain of some in a row,
 * and nothing is shared between two: they only read what the core knows of the chunks.
 */
#ifndef vf_kind
#    error "smallbuf_split.h is internal: include <veryfast/smallbuf.h>"
#endif

/* Slots that a drain has yet to look at in the bank that it is in, those in gaps too. */
vf_hidden uint64_t vf_self_left_here(const vf_self_drain *drain)
{
    const vf_drain *core = &drain->core;
    uint64_t in_chunks = core->next < core->end ? core->end - core->next : 0;
    return (uint64_t)(drain->stop - drain->at) + in_chunks;
}

vf_hidden uint64_t vf_self_left(const vf_self_drain *drain)
{
    uint64_t left = vf_self_left_here(drain);
#ifdef VF_FLIP
    left += drain->behind.spill != NULL ? drain->behind.end : 0;
#endif
    return left;
}

/* Has it another element? Then that is the next slot. */
vf_hidden bool vf_self_has_more(vf_self_drain *drain)
{
    if (drain->at != drain->stop)
        return true;
    vf_t *span;
    size_t n = vf_self_drain_span(drain, &span);
    drain->at = span; /* its end is where the drain has come to */
    return n > 0;
}

/* Takes so many slots off the beginning, or all that there are in the bank. */
vf_hidden vf_self_drain vf_self_cut_here(vf_self_drain *drain, uint64_t slots)
{
    vf_drain_shared(drain);
    vf_self_drain part = *drain;
    uint64_t left = vf_self_left_here(drain);
    uint64_t in_span = (uint64_t)(drain->stop - drain->at);
    slots = slots < left ? slots : left;
    in_span = in_span < slots ? in_span : slots;
    drain->at += in_span;
    drain->core.next += slots - in_span;
    part.stop = drain->at;
    part.core.end = drain->core.next;
    return part;
}

/* The same, in both banks. */
vf_hidden vf_self_drain vf_self_cut(vf_self_drain *drain, uint64_t slots)
{
#ifdef VF_FLIP
    uint64_t here = vf_self_left_here(drain);
    vf_self_drain part = vf_self_cut_here(drain, slots);
    part.behind.spill = NULL;
    if (slots > here) {
        size_t inside = vf_self_go_behind(drain);
        drain->stop = drain->at + inside;
        part.behind = vf_self_cut_here(drain, slots - here).core;
        part.behind.end = slots - here; /* from its first slot on */
    }
    return part;
#else
    return vf_self_cut_here(drain, slots);
#endif
}

vf_fn size_t vf_self_drain_split(vf_self_drain *drain, vf_self_drain parts[], size_t n)
{
    vf_drain_used(drain, "S_drain_split");
    size_t made = 0;
    while (made < n && vf_self_has_more(drain)) {
        uint64_t left = vf_self_left(drain);
        uint64_t among = n - made;
        parts[made++] = vf_self_cut(drain, left / among + (left % among != 0));
    }
    if (n > 0)
        vf_drain_over(drain);
    return made;
}
