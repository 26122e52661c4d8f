/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_writer.h - the bodies of what smallbuf.h declares for a thread that pushes much.
 * Included by smallbuf_body.h, without VF_FLIP.
 *
 * Two threads that push into one buffer pay with each push for the counter's line and for the
 * element's, which the other had last. A writer takes a run of slots by one atomic operation and
 * has lines of its own to fill. Runs double from two lines (8 elements at least) to 8 times that,
 * and stay below 8 KiB or are one element; in a chunk of more than 16,384 of the shortest, each
 * run is at least its 16,384th part.
 *
 * Below VF_N writers take slots singly. Of the last run, what is unused goes back to the buffer if
 * no thread has pushed since; otherwise the drain skips it. S_reserve and max_elements count such
 * slots, S_count and S_refused do not.
 */
#ifndef vf_kind
#    error "smallbuf_writer.h is internal: include <veryfast/smallbuf.h>"
#endif

/* Makes it a writer that has taken nothing. */
vf_hidden void vf_self_writer_begin(vf_self_writer *writer, vf_self *buffer, vf_writer core)
{
    writer->buffer = buffer;
    writer->at = NULL;
    writer->stop = NULL;
    writer->core = core;
}

vf_fn void vf_self_writer_open(vf_self_writer *writer, vf_self *buffer)
{
    vf_writer none = {0, 0};
    vf_writer_opened(writer, buffer);
    vf_self_writer_begin(writer, buffer, none);
}

vf_fn void vf_self_writer_open_keyed(vf_self_writer *writer, vf_self *buffer, uint64_t key)
{
    vf_writer keyed = {key, VF_KEYED};
    vf_writer_opened(writer, buffer);
    vf_self_writer_begin(writer, buffer, keyed);
}

/*
 * All of a push through a writer.
 *
 * The core is given a copy, here and below, so that the compiler may keep a writer in registers: a
 * push would wait for the store of the last one's place otherwise.
 */
vf_generic_body vf_hidden bool vf_self_writer_put(vf_self_writer *writer, vf_value *value)
{
    if (VF_UNLIKELY(writer->at == writer->stop)) {
        vf_self *buffer = writer->buffer;
        void *slots = NULL; /* or MemorySanitizer, which sees no store to it, takes it for unset */
        vf_writer core = writer->core;
        size_t n = vf_writer_more(&core, &buffer->tail, &buffer->spill, &vf_self_type, &slots);
        writer->core = core;
        if (n == 0)
            return false;
        writer->at = (vf_t *)slots;
        writer->stop = writer->at + n;
    }
    vf_self_store(writer->at++, value);
    return true;
}

vf_generic_body vf_fn bool vf_self_writer_push(vf_self_writer *writer, vf_moved value)
{
    return vf_self_writer_put(writer, vf_address(value));
}

/* The index of the last slot of those that the writer has used. */
vf_hidden size_t vf_self_writer_index(const vf_self_writer *writer)
{
    uint64_t left = (uint64_t)(writer->stop - writer->at);
    return (size_t)vf_plain_index(writer->core.end - left - 1);
}

vf_generic_body vf_fn bool vf_self_writer_push_index(vf_self_writer *writer, vf_moved value,
                                                     size_t *index)
{
    bool pushed = vf_self_writer_put(writer, vf_address(value));
    if (index != NULL)
        *index = vf_self_writer_index(writer);
    return pushed;
}

vf_fn void vf_self_writer_close(vf_self_writer *writer)
{
    vf_self *buffer = writer->buffer;
    vf_writer core = writer->core;
    if (writer->at != writer->stop)
        vf_writer_give_back(&core, (size_t)(writer->stop - writer->at), &buffer->tail,
                            &buffer->spill);
    vf_writer none = {0, 0};
    vf_self_writer_begin(writer, buffer, none);
    vf_writer_closed(writer, buffer);
}
