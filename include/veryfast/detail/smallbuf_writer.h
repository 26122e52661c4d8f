/*
 * smallbuf_writer.h - the part of smallbuf.h for producers that push much. Included by it once for
 * each instance, but not with VF_FLIP.
 *
 * Two threads that push into one buffer pay with each push for the counter's line and for the
 * element's, which the other had last. A writer takes a run of slots by one atomic operation and
 * has lines of its own to fill. Runs double from 128 bytes (8 elements at least) to 1 KiB (64); in
 * a chunk of more than 16,384 of the shortest, each run is at least its 16,384th part.
 *
 * Below VF_N writers take slots singly. Of the last run, what is unused goes back to the buffer if
 * nobody has pushed since; otherwise the drain skips it. S_reserve and max_elements count such
 * slots, S_count and S_refused do not.
 *
 * A writer is used by one thread at a time. It must be closed before exclusive access begins, and
 * the buffer must not be moved meanwhile: otherwise a drain hands out the slots that the writer has
 * not filled yet, whatever is in them.
 */
#ifndef vf_kind
#    error "smallbuf_writer.h is internal: include <veryfast/smallbuf.h>"
#endif

/* S_writer_open: makes a writer of *writer. Takes nothing; cannot fail. Any thread. */
vf_fn void vf_self_writer_open(vf_self_writer *writer, vf_self *buffer)
{
    vf_writer_opened(writer, buffer);
    writer->buffer = buffer;
    writer->at = NULL;
    writer->stop = NULL;
    writer->core.end = 0;
    writer->core.run = 0;
}

/*
 * S_writer_push: stores (in C++ moves) the value into the buffer, as S_push does. False and ENOMEM:
 * refused, the value is still the caller's. One atomic operation a run, from VF_N on.
 */
vf_fn bool vf_self_writer_push(vf_self_writer *writer, vf_t value)
{
    if (VF_UNLIKELY(writer->at == writer->stop)) {
        vf_self *buffer = writer->buffer;
        void *slots = NULL; /* or MemorySanitizer, which sees no store to it, takes it for unset */
        size_t n =
            vf_writer_more(&writer->core, &buffer->tail, &buffer->spill, &vf_self_type, &slots);
        if (n == 0)
            return false;
        writer->at = (vf_t *)slots;
        writer->stop = writer->at + n;
    }
    vf_self_store(writer->at++, &value);
    return true;
}

/*
 * S_writer_close: gives back what it has not used. Cannot fail. The writer may be closed again,
 * which does nothing, or opened again, on any buffer.
 */
vf_fn void vf_self_writer_close(vf_self_writer *writer)
{
    vf_self *buffer = writer->buffer;
    if (writer->at != writer->stop)
        vf_writer_give_back(&writer->core, (size_t)(writer->stop - writer->at), &buffer->tail,
                            &buffer->spill, &vf_self_type);
    vf_self_writer_open(writer, buffer);
    vf_writer_closed(writer, buffer);
}
