/* SPDX-License-Identifier: MIT */
/*
 * buffer_pushes.c - the ways in which random programs push into small buffers.
 */
#include "buffers.h"

/* Where nobody drains beside it, a thread's pushes are accepted up to the first that is not. */
static void check_prefix(const struct buffer *buffer, struct log *log, size_t given, size_t wanted)
{
    if (buffer->type->flip != NULL)
        return;
    CHECK(given == 0 || !log->refusing);
    log->refusing = log->refusing || given < wanted;
}

/* One that was alone is refused only where it must be: slots that lanes have, or writers, count. */
static void check_lacking(const struct buffer *buffer, bool given, size_t refused)
{
    size_t cap = buffer->options.max_elements;
    bool lacking = atomic_load(&buffer->allocator.refused) > refused ||
                   (cap != 0 && buffer->type->count_about(buffer->memory) == cap);
    for (size_t i = 0; i < HANDS; i++)
        lacking = lacking || buffer->logs[i].lacking;
    CHECK(given || lacking);
}

/* The same where each was alone; what is refused is all behind it. */
static void check_given(const instruction *it, struct buffer *buffer, bool given, size_t refused)
{
    call_end(given);
    if (it->alone && buffer->type->lanes)
        check_lacking(buffer, given, refused);
    if (!it->alone || !buffer->one_by_one || buffer->flipped)
        return;
    size_t cap = buffer->options.max_elements;
    size_t count = buffer->type->count(buffer->memory);
    if (given)
        CHECK(!buffer->refusing);
    else
        CHECK(buffer->refusing || atomic_load(&buffer->allocator.refused) > refused ||
              (cap != 0 && count == cap));
    buffer->refusing = buffer->refusing || !given;
}

static void note(const instruction *it, struct buffer *buffer, uint32_t stream, size_t given,
                 size_t wanted)
{
    struct log *log = &buffer->logs[it->hand];
    for (size_t i = 0; i < given; i++)
        accept_element(buffer, log, stream, it->alone);
    log->refused += wanted - given;
    log->lacking = log->lacking || given < wanted;
}

static bool push_in_place(struct buffer *buffer, struct element element, size_t *index)
{
    struct element *slot = buffer->type->push_slot(buffer->memory, index);
    if (slot != NULL)
        *slot = element;
    return slot != NULL;
}

void push_one(const instruction *it, struct buffer *buffer)
{
    struct log *log = &buffer->logs[it->hand];
    uint32_t stream = own_stream(buffer, log);
    struct element element = make_element(log, it->hand, stream, 0);
    bool first = it->alone && buffer->type->count_about(buffer->memory) == 0;
    bool known = it->alone && buffer->one_by_one && !buffer->flipped;
    size_t before = known ? buffer->type->count(buffer->memory) : 0;
    size_t index = before;
    bool given;
    size_t refused = call_begin(&buffer->allocator);
    size_t *told = it->how % 16 < 12 ? &index : NULL;
    bool tells = told != NULL && it->how % 4 < (buffer->type->push_slot != NULL ? 2 : 1);
    if (it->how % 4 == 0)
        given = buffer->type->push_index(buffer->memory, element, told);
    else if (it->how % 4 == 1 && buffer->type->push_slot != NULL)
        given = push_in_place(buffer, element, told);
    else if (it->how % 4 == 2 && it->alone && !is_writing(buffer) && !buffer->flipped)
        given = buffer->type->push_exclusive(buffer->memory, element);
    else
        given = buffer->type->push(buffer->memory, element);
    CHECK(!known || !given || index == before);
    CHECK(!it->alone || !tells || (index == 0) == first);
    check_given(it, buffer, given, refused);
    check_prefix(buffer, log, given, 1);
    note(it, buffer, stream, given, 1);
}

void push_many(const instruction *it, struct buffer *buffer)
{
    struct log *log = &buffer->logs[it->hand];
    uint32_t stream = own_stream(buffer, log);
    struct element elements[BULK] = {make_element(log, it->hand, stream, 0)};
    size_t n = it->how % BULK;
    for (size_t i = 0; i < n; i++)
        elements[i] = make_element(log, it->hand, stream, i);
    size_t refused = call_begin(&buffer->allocator);
    size_t index = SIZE_MAX;
    size_t given = it->how / 128 != 0
                       ? buffer->type->push_n(buffer->memory, elements, n)
                       : buffer->type->push_n_index(buffer->memory, elements, n, &index);
    size_t cap = buffer->options.max_elements;
    CHECK(cap == 0 || buffer->type->count_about(buffer->memory) <= cap);
    CHECK(n > 0 || index == SIZE_MAX);
    CHECK(given <= n);
    if (n > 0)
        check_given(it, buffer, given == n, refused);
    check_prefix(buffer, log, given, n);
    note(it, buffer, stream, given, n);
}

void close_writer(struct log *log, const buffer_type *type)
{
    if (log->writing)
        type->writer_close(&log->writer);
    log->writing = false;
}

void write_some(const instruction *it, struct buffer *buffer)
{
    struct log *log = &buffer->logs[it->hand];
    if (!log->writing) {
        if (log->streams + 1 == STREAMS)
            return;
        log->stream = ++log->streams;
        log->writing = true;
        log->keyed[log->stream] = it->how / 64 % 2 != 0;
        uint64_t key = key_of(it->hand, log->stream);
        if (log->keyed[log->stream])
            buffer->type->writer_open_keyed(&log->writer, buffer->memory, key);
        else
            buffer->type->writer_open(&log->writer, buffer->memory);
    }
    if (it->alone)
        buffer->one_by_one = false;
    for (size_t n = it->how % 64; n > 0; n--) {
        (void)call_begin(&buffer->allocator);
        struct element element = make_element(log, it->hand, log->stream, 0);
        size_t index;
        bool given = n % 2 != 0 ? buffer->type->writer_push(&log->writer, element)
                                : buffer->type->writer_push_index(&log->writer, element, &index);
        call_end(given);
        log->uncounted += !given && log->keyed[log->stream];
        note(it, buffer, log->stream, given, 1);
    }
}
