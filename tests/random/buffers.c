/* SPDX-License-Identifier: MIT */
/*
 * buffers.c - random programs on small buffers: one to be read by who is alone, one that is drained
 * while others push. What was pushed (buffer_pushes.c) is compared with what comes out.
 */
#include <string.h>

#include "buffer_types.h"

static struct buffer buffers[BUFFERS];
static _Thread_local struct buffer *draining; /* by this thread */

/* From a drain, or by VF_DROP. */
static void hand_out(const struct element *element)
{
    struct buffer *buffer = draining;
    CHECK(buffer != NULL && buffer->out_count < HANDS * LOG);
    buffer->out[buffer->out_count++] = *element;
}

/* ---- the model ---- */

static uint32_t check_of(const struct element *element)
{
    return element->hand * 0x9E3779B9u ^ element->stream * 0x85EBCA6Bu ^ element->place ^ 0x5Au;
}

struct element make_element(const struct log *log, unsigned hand, uint32_t stream, size_t ahead)
{
    struct element element = {hand, stream, (uint32_t)(log->count + ahead), 0};
    element.check = check_of(&element);
    return element;
}

/* With VF_LANES only what one thread pushes is in order, and a hand may have several threads, one
   after the other. */
uint32_t own_stream(const struct buffer *buffer, struct log *log)
{
    static atomic_uint threads;
    static _Thread_local uint32_t thread;
    if (!buffer->type->lanes)
        return 0;
    if (thread == 0)
        thread = atomic_fetch_add(&threads, 1) + 1;
    if (log->thread != 0 && log->thread != thread) {
        log->own = log->streams + 1 < STREAMS ? ++log->streams : STREAMS;
        log->refusing = false;
    }
    log->thread = thread;
    return log->own;
}

uint64_t key_of(unsigned hand, uint32_t stream)
{
    return (uint64_t)stream << 33 | hand * 300u;
}

void accept_element(struct buffer *buffer, struct log *log, uint32_t stream, bool alone)
{
    log->entries[log->count].stream = stream;
    log->entries[log->count].stamp = alone ? ++buffer->stamp : 0;
    log->entries[log->count].seen = false;
    log->count++;
}

static void check_element(const struct buffer *buffer, const struct element *element)
{
    CHECK(element->hand < HANDS && element->check == check_of(element));
    const struct log *log = &buffer->logs[element->hand];
    CHECK(element->place < log->count && !log->entries[element->place].seen);
    CHECK(log->entries[element->place].stream == element->stream);
}

/* What comes out in one drain is ordered by key, behind what has none. */
static void check_keys(const struct buffer *buffer)
{
    uint64_t key = 0; /* no stream of a writer is 0 */
    for (size_t i = 0; i < buffer->out_count && buffer->type->flip == NULL; i++) {
        const struct element *element = &buffer->out[i];
        const struct log *log = &buffer->logs[element->hand];
        uint64_t here = key_of(element->hand, element->stream);
        CHECK(log->keyed[element->stream] ? here >= key : key == 0);
        key = log->keyed[element->stream] ? here : 0;
    }
}

/* Compares what has come out with the logs: once, and in order. */
static void check_out(struct buffer *buffer)
{
    check_keys(buffer);
    for (size_t i = 0; i < buffer->out_count; i++) {
        const struct element *element = &buffer->out[i];
        check_element(buffer, element);
        struct log *log = &buffer->logs[element->hand];
        if (element->stream != STREAMS) {
            CHECK(element->place >= log->next[element->stream]);
            log->next[element->stream] = element->place + 1;
        }
        log->entries[element->place].seen = true;
        uint32_t stamp = log->entries[element->place].stamp;
        CHECK(!buffer->one_by_one || stamp > buffer->last_stamp);
        buffer->last_stamp = stamp;
    }
    buffer->seen += buffer->out_count;
    buffer->out_count = 0;
}

static size_t accepted(const struct buffer *buffer)
{
    size_t count = 0;
    for (size_t i = 0; i < HANDS; i++)
        count += buffer->logs[i].count;
    return count;
}

/* All, or those that count for certain. */
static size_t refusals(const struct buffer *buffer, bool all)
{
    size_t count = 0;
    for (size_t i = 0; i < HANDS; i++)
        count += buffer->logs[i].refused - (all ? 0 : buffer->logs[i].uncounted);
    return count;
}

/* All is empty, here and there. */
static void begin_logs(struct buffer *buffer)
{
    for (size_t i = 0; i < HANDS; i++) {
        struct log *log = &buffer->logs[i];
        log->count = log->refused = log->uncounted = 0;
        log->streams = log->thread = log->own = 0;
        log->refusing = log->lacking = false;
        memset(log->next, 0, sizeof log->next);
        memset(log->keyed, 0, sizeof log->keyed);
    }
    buffer->seen = buffer->lost = buffer->refused_drained = 0;
    buffer->stamp = buffer->last_stamp = 0;
    buffer->one_by_one = !buffer->type->lanes;
    buffer->refusing = false;
}

/* By a drain or S_reserve. */
static void lift_refusals(struct buffer *buffer)
{
    for (size_t i = 0; i < HANDS; i++)
        buffer->logs[i].refusing = buffer->logs[i].lacking = false;
    buffer->refusing = false;
}

bool is_writing(const struct buffer *buffer)
{
    bool writing = false;
    for (size_t i = 0; i < HANDS; i++)
        writing = writing || buffer->logs[i].writing;
    return writing;
}

static void check_buffer(struct buffer *buffer)
{
    check_out(buffer);
    buffer->this_turn = false;
    if (is_writing(buffer) || buffer->flipped)
        return;
    size_t count = buffer->type->count(buffer->memory);
    size_t refused = buffer->type->refused(buffer->memory);
    size_t cap = buffer->options.max_elements;
    CHECK(buffer->seen + buffer->lost + count == accepted(buffer));
    CHECK(buffer->refused_drained + refused <= refusals(buffer, true));
    CHECK(buffer->refused_drained + refused >= refusals(buffer, false));
    CHECK(count <= buffer->type->capacity(buffer->memory) && (cap == 0 || count <= cap));
    if (count == 0 && refused == 0)
        begin_logs(buffer);
}

void buffers_turn(bool alone)
{
    for (size_t i = 0; i < BUFFERS; i++)
        buffers[i].one_by_one = buffers[i].one_by_one && alone;
}

void buffers_check(void)
{
    for (size_t i = 0; i < BUFFERS; i++)
        check_buffer(&buffers[i]);
}

/* ---- draining beside pushes: hand 0 only, or who is alone ---- */

static void flip(const instruction *it, struct buffer *buffer)
{
    if (buffer->type->flip_begin != NULL && !buffer->flipped) {
        buffer->type->flip_begin(buffer->memory);
        buffer->flipped = true;
        buffer->this_turn = !it->alone;
        return;
    }
    if (buffer->this_turn)
        return; /* the turn's end is what it waits for */
    size_t refused = 0;
    unsigned how = it->how % 4 == 3 ? it->how - 1 : it->how; /* nothing is left behind */
    draining = buffer;
    bool flipped = buffer->type->flip(buffer->memory, how, &refused);
    draining = NULL;
    CHECK(flipped || !it->alone);
    buffer->refused_drained += refused;
    buffer->flipped = !flipped && buffer->type->lanes; /* then S_flip_try has begun one */
    if (it->alone) {
        check_out(buffer);
        buffer->one_by_one = buffer->one_by_one && buffer->type->flip_begin == NULL;
        buffer->refusing = false;
    }
}

/* ---- exclusive access ---- */

static void be_exclusive(struct buffer *buffer)
{
    for (size_t i = 0; i < HANDS; i++)
        close_writer(&buffer->logs[i], buffer->type);
    if (buffer->flipped)
        flip(&(instruction){.alone = true}, buffer);
    check_buffer(buffer);
}

/* By a drain, S_clear or S_destroy. */
static void empty(const instruction *it, struct buffer *buffer, size_t way)
{
    size_t count = buffer->type->count(buffer->memory);
    buffer->refused_drained += buffer->type->refused(buffer->memory);
    draining = buffer;
    if (way == 0)
        buffer->type->clear(buffer->memory);
    else if (way == 1)
        buffer->type->destroy(buffer->memory);
    else
        buffer->type->drain(buffer->memory, it->how);
    draining = NULL;
    CHECK(buffer->out_count == count || (way > 1 && it->how % 4 == 3));
    buffer->lost += count - buffer->out_count;
    lift_refusals(buffer);
    CHECK(buffer->type->count(buffer->memory) == 0 && buffer->type->refused(buffer->memory) == 0);
    CHECK(way != 1 || atomic_load(&buffer->allocator.bytes) == 0);
    check_buffer(buffer);
}

static void look(const struct buffer *buffer)
{
    const struct element *elements;
    size_t at = 0;
    for (size_t n; (n = buffer->type->span(buffer->memory, at, &elements)) > 0; at += n) {
        for (size_t i = 0; i < n; i++)
            check_element(buffer, &elements[i]);
    }
    CHECK(at == buffer->type->count(buffer->memory));
    CHECK(at <= buffer->type->count_about(buffer->memory));
}

/* Nobody pushes: a wait ends by what is there, or by a wake. As if in the child of a fork: nothing
   was in flight, so all stays. */
static void wait_and_fork(struct buffer *buffer)
{
    const buffer_type *type = buffer->type;
    if (type->wait == NULL)
        return;
    size_t count = type->count(buffer->memory);
    type->wake(buffer->memory);
    CHECK(type->wait(buffer->memory, -1));
    CHECK(type->wait(buffer->memory, 0) == (count + type->refused(buffer->memory) > 0));
    if (type->flip_begin == NULL)
        type->fork_child(buffer->memory);
    CHECK(type->count(buffer->memory) == count);
}

/* The next n pushes can do without the allocator. */
static void reserve(const instruction *it, struct buffer *buffer)
{
    struct log *log = &buffer->logs[it->hand];
    size_t n = it->how % BULK;
    size_t count = buffer->type->count(buffer->memory);
    size_t cap = buffer->options.max_elements;
    size_t refused = call_begin(&buffer->allocator);
    bool reserved = buffer->type->reserve(buffer->memory, n);
    call_end(reserved);
    CHECK(buffer->type->count(buffer->memory) == count);
    if (!reserved) {
        CHECK(!buffer->one_by_one || atomic_load(&buffer->allocator.refused) > refused ||
              (cap != 0 && count + n > cap));
        return;
    }
    CHECK(buffer->type->capacity(buffer->memory) - count >= n);
    if (n > 0)
        lift_refusals(buffer);
    bool before = atomic_exchange(&buffer->allocator.refuse, true);
    uint32_t stream = own_stream(buffer, log);
    for (size_t i = 0; i < n && log->count < LOG; i++) {
        CHECK(buffer->type->push(buffer->memory, make_element(log, it->hand, stream, 0)));
        accept_element(buffer, log, stream, true);
    }
    atomic_store(&buffer->allocator.refuse, before);
}

static void trim(const instruction *it, struct buffer *buffer)
{
    size_t keep = it->how % BULK;
    size_t count = buffer->type->count(buffer->memory);
    size_t capacity = buffer->type->capacity(buffer->memory);
    size_t bytes = atomic_load(&buffer->allocator.bytes);
    size_t given = buffer->type->trim(buffer->memory, keep);
    CHECK(bytes - given == atomic_load(&buffer->allocator.bytes));
    CHECK(buffer->type->count(buffer->memory) == count);
    size_t kept = keep > count ? keep : count;
    CHECK(buffer->type->capacity(buffer->memory) >= (kept < capacity ? kept : capacity));
}

/* To other memory, as it is. */
static void move(struct buffer *buffer)
{
    void *memory = test_aligned(buffer->type->size);
    CHECK(memory != NULL);
    memcpy(memory, buffer->memory, buffer->type->size);
    memset(buffer->memory, 0xFF, buffer->type->size);
    test_aligned_free(buffer->memory);
    buffer->memory = memory;
}

static void set_options(struct buffer *buffer, unsigned how, unsigned first)
{
    size_t cap = (size_t)(1 + how) * (buffer->type->lanes ? 8 : 1); /* before it are no lanes */
    buffer->options = (vf_smallbuf_options){test_allocator_hook(&buffer->allocator),
                                            how % 4 == 0 ? cap : 0, first % 4 == 0 ? first : 0};
    buffer->type->init(buffer->memory, &buffer->options);
}

/* With the defaults, for so long as this; and with others again, as soon as it is empty. */
static void use_defaults(struct buffer *buffer)
{
    static const struct element elements[BULK];
    buffer->type->init(buffer->memory, NULL);
    CHECK(buffer->type->push_n(buffer->memory, elements, 0) == 0);
    CHECK(buffer->type->push_n(buffer->memory, elements, BULK) == BULK);
    CHECK(buffer->type->count(buffer->memory) == BULK);
    draining = buffer;
    buffer->type->destroy(buffer->memory);
    draining = NULL;
    CHECK(buffer->out_count == BULK && atomic_load(&buffer->allocator.bytes) == 0);
    buffer->out_count = 0;
}

static void follow_alone(const instruction *it, struct buffer *buffer)
{
    be_exclusive(buffer);
    if (it->what < 40)
        empty(it, buffer, it->how % 16);
    else if (it->what < 46)
        reserve(it, buffer);
    else if (it->what < 50)
        trim(it, buffer);
    else if (it->what < 54)
        look(buffer);
    else if (it->what < 55)
        wait_and_fork(buffer);
    else if (it->what < 57)
        move(buffer);
    else if (it->how % 16 == 0) {
        empty(it, buffer, 1);
        use_defaults(buffer);
        set_options(buffer, it->how, it->what);
    }
}

void buffers_follow(const instruction *it)
{
    struct buffer *buffer = &buffers[it->place];
    struct log *log = &buffer->logs[it->hand];
    if (log->count + BULK > LOG || log->refused > LOG) {
        if (it->alone && it->what >= 24)
            follow_alone(it, buffer);
        return;
    }
    if (it->what < 12)
        push_one(it, buffer);
    else if (it->what < 16)
        push_many(it, buffer);
    else if (it->what < 24 && buffer->type->writer_open != NULL)
        write_some(it, buffer);
    else if (it->what < 24 && (it->alone || it->hand == 0))
        flip(it, buffer);
    else if (it->what < 26)
        close_writer(log, buffer->type);
    else if (it->what < 29)
        fail_some(&buffer->allocator, it->how);
    else if (it->alone)
        follow_alone(it, buffer);
    else
        push_one(it, buffer);
}

/* ---- beginning and end ---- */

void buffers_begin(program_bytes *bytes)
{
    const buffer_type *const types[BUFFERS][4] = {
        {&plain_type, &apart_type, &lanes_type, &lanes_apart_type},
        {&flipping_type, &waiting_type, &flipping_lanes_type, &waiting_lanes_type}};
    for (size_t i = 0; i < BUFFERS; i++) {
        struct buffer *buffer = &buffers[i];
        buffer->type = types[i][program_byte(bytes) % 4];
        buffer->memory = test_aligned(buffer->type->size);
        CHECK(buffer->memory != NULL);
        memset(buffer->memory, 0, buffer->type->size);
        begin_logs(buffer);
        unsigned how = program_byte(bytes);
        set_options(buffer, how, program_byte(bytes));
    }
}

void buffers_end(void)
{
    for (size_t i = 0; i < BUFFERS; i++) {
        struct buffer *buffer = &buffers[i];
        be_exclusive(buffer);
        look(buffer);
        empty(&(instruction){.alone = true}, buffer, 1);
        CHECK(atomic_load(&buffer->allocator.blocks) == 0);
        fail_no_more(&buffer->allocator);
        test_aligned_free(buffer->memory);
        buffer->memory = NULL;
    }
}
