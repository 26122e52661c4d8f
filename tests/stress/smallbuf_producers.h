/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_producers.h - template: producers that push numbered elements into one small buffer in
 * every way there is, and a consumer who checks that each arrives once and in order.
 *
 *     SCENE_S   the small buffer's name; its VF_DROP(p) must be SCENE(dropped)(p)
 *     SCENE_T   its type: a struct that begins with a uint64_t mark
 *     SCENE_LANES  true: it has VF_LANES, so that refusals are each producer's own
 *
 * A mark says whose element it is, of which of his streams, and which of that:
 *
 *     producer | stream | number           stream 0: pushed directly; others: one writer each
 *
 * Order is promised within a stream. A refused element is pushed again under the same number, so
 * what arrives of a stream are the numbers from 0 on, without a gap.
 */
#define SCENE_CAT_(a, b) a##b
#define SCENE_CAT(a, b)  SCENE_CAT_(a, b)
#define SCENE(name)      SCENE_CAT(SCENE_CAT(SCENE_S, _), name)

#ifndef SMALLBUF_PRODUCERS_H
#    define SMALLBUF_PRODUCERS_H

enum way { PUSH, PUSH_INDEX, PUSH_SLOT, PUSH_N, WRITER, MIXED, WAYS };

#    define MOST_PRODUCERS 8
#    define MOST_STREAMS   32
#    define MOST_AT_ONCE   40

static inline uint64_t mark_of(size_t producer, size_t stream, uint64_t number)
{
    return (uint64_t)producer << 56 | (uint64_t)stream << 40 | number;
}

/* What a producer has pushed in this fill, and what was refused. */
struct pushed {
    uint64_t numbers[MOST_STREAMS]; /* of each stream */
    size_t accepted, refused, first_indices;
    size_t last_accepted, first_refused; /* indices, where the way tells */
};

/* What has arrived in this fill. */
struct arrived {
    uint64_t numbers[MOST_PRODUCERS][MOST_STREAMS];
    size_t count;
};

static void arrive(struct arrived *arrived, uint64_t mark)
{
    size_t producer = (size_t)(mark >> 56);
    size_t stream = (size_t)(mark >> 40 & 0xFFFF);
    CHECK(producer < MOST_PRODUCERS && stream < MOST_STREAMS);
    CHECK((mark & 0xFFFFFFFFFF) == arrived->numbers[producer][stream]);
    arrived->numbers[producer][stream]++;
    arrived->count++;
}

#endif

static struct arrived SCENE(arrived);

struct SCENE(producer) {
    SCENE_S *buffer;
    enum way way;
    size_t id, tries;
    uint64_t random;
    struct pushed pushed;
};

/* All of the element is written, and all of it is looked at. */
static SCENE_T SCENE(element)(uint64_t mark)
{
    SCENE_T element;
    memset(&element, (int)(mark & 0x7F), sizeof element);
    element.mark = mark;
    return element;
}

static void SCENE(dropped)(const SCENE_T *element)
{
    const unsigned char *bytes = (const unsigned char *)element;
    for (size_t i = sizeof element->mark; i < sizeof *element; i++)
        CHECK(bytes[i] == (element->mark & 0x7F));
    arrive(&SCENE(arrived), element->mark);
}

static void SCENE(note)(struct SCENE(producer) * self, size_t stream, size_t tried, size_t accepted)
{
    self->pushed.numbers[stream] += accepted;
    self->pushed.accepted += accepted;
    self->pushed.refused += tried - accepted;
    CHECK(accepted == tried || errno == ENOMEM);
    errno = 0;
}

static void SCENE(note_index)(struct SCENE(producer) * self, size_t index, bool accepted)
{
    struct pushed *pushed = &self->pushed;
    pushed->first_indices += index == 0;
    if (accepted && index + 1 > pushed->last_accepted)
        pushed->last_accepted = index + 1;
    if (!accepted && index < pushed->first_refused)
        pushed->first_refused = index;
}

static void SCENE(push_once)(struct SCENE(producer) * self, enum way way)
{
    uint64_t number = self->pushed.numbers[0];
    SCENE_T element = SCENE(element)(mark_of(self->id, 0, number));
    size_t index;
    bool accepted;
    if (way == PUSH) {
        accepted = SCENE(push)(self->buffer, element);
    } else if (way == PUSH_INDEX) {
        accepted = SCENE(push_index)(self->buffer, element, &index);
        SCENE(note_index)(self, index, accepted);
    } else {
        SCENE_T *slot = SCENE(push_slot)(self->buffer, &index);
        accepted = slot != NULL;
        if (accepted)
            *slot = element;
        SCENE(note_index)(self, index, accepted);
    }
    SCENE(note)(self, 0, 1, accepted);
}

static size_t SCENE(push_many)(struct SCENE(producer) * self, size_t most)
{
    SCENE_T elements[MOST_AT_ONCE];
    size_t n = 1 + stress_chance(&self->random, MOST_AT_ONCE);
    if (n > most)
        n = most;
    for (size_t i = 0; i < n; i++)
        elements[i] = SCENE(element)(mark_of(self->id, 0, self->pushed.numbers[0] + i));
    SCENE(note)(self, 0, n, SCENE(push_n)(self->buffer, elements, n));
    return n;
}

static size_t SCENE(write_some)(struct SCENE(producer) * self, size_t stream, size_t most)
{
    SCENE(writer) writer;
    size_t n = 1 + stress_chance(&self->random, 300);
    if (n > most)
        n = most;
    SCENE(writer_open)(&writer, self->buffer);
    for (size_t i = 0; i < n; i++) {
        uint64_t mark = mark_of(self->id, stream, self->pushed.numbers[stream]);
        SCENE(note)(self, stream, 1, SCENE(writer_push)(&writer, SCENE(element)(mark)));
    }
    SCENE(writer_close)(&writer);
    if (stress_chance(&self->random, 4) == 0)
        SCENE(writer_close)(&writer);
    return n;
}

static void *SCENE(produce)(void *context)
{
    struct SCENE(producer) *self = context;
    size_t streams = 0;
    errno = 0;
    for (size_t done = 0; done < self->tries;) {
        size_t most = self->tries - done;
        enum way way =
            self->way == MIXED ? (enum way)stress_chance(&self->random, MIXED) : self->way;
        if (way == WRITER) {
            streams += streams + 1 < MOST_STREAMS; /* the last one goes on, opened again */
            done += SCENE(write_some)(self, streams, most);
        } else if (way == PUSH_N) {
            done += SCENE(push_many)(self, most);
        } else {
            SCENE(push_once)(self, way);
            done++;
        }
    }
    return NULL;
}

/* A fill by n producers; what they have pushed is in the array. */
static void SCENE(fill)(SCENE_S *buffer, struct SCENE(producer) producers[], size_t n, enum way way,
                        size_t tries)
{
    void *contexts[MOST_PRODUCERS];
    for (size_t i = 0; i < n; i++) {
        producers[i] = (struct SCENE(producer)){
            buffer, way, i, tries, stress_random_state(i), {.first_refused = SIZE_MAX}};
        contexts[i] = &producers[i];
    }
    test_run_threads(n, SCENE(produce), contexts);
}

/* Takes out some by spans, some one by one, and leaves the rest to VF_DROP. */
static void SCENE(drain_all)(SCENE_S *buffer, uint64_t *random)
{
    SCENE(drain) drain = SCENE(drain_begin)(buffer);
    size_t turns = stress_chance(random, 10);
    SCENE_T *span, element;
    for (size_t turn = 0; turn < turns; turn++) {
        if (stress_chance(random, 2) == 0) {
            size_t n = SCENE(drain_span)(&drain, &span);
            for (size_t i = 0; i < n; i++)
                SCENE(dropped)(&span[i]);
        } else if (SCENE(drain_next)(&drain, &element)) {
            SCENE(dropped)(&element);
        }
    }
    SCENE(drain_end)(&drain);
}

/* After a fill: what was accepted is there, once and in order, and nothing else. */
static void SCENE(check)(SCENE_S *buffer, const struct SCENE(producer) producers[], size_t n,
                         uint64_t *random)
{
    struct arrived *arrived = &SCENE(arrived);
    size_t accepted = 0, refused = 0, first_indices = 0, last = 0, first_refused = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct pushed *pushed = &producers[i].pushed;
        accepted += pushed->accepted;
        refused += pushed->refused;
        first_indices += pushed->first_indices;
        CHECK(pushed->last_accepted <= pushed->first_refused);
        last = pushed->last_accepted > last ? pushed->last_accepted : last;
        first_refused =
            pushed->first_refused < first_refused ? pushed->first_refused : first_refused;
    }
    CHECK(SCENE(count)(buffer) == accepted);
    CHECK(SCENE(refused)(buffer) == refused);
    CHECK(last <= first_refused || SCENE_LANES); /* a prefix */
    bool all_tell = producers[0].way == PUSH_INDEX || producers[0].way == PUSH_SLOT;
    CHECK(all_tell ? first_indices == 1 : first_indices <= 1);
    *arrived = (struct arrived){.count = 0};
    SCENE(drain_all)(buffer, random);
    CHECK(arrived->count == accepted);
    for (size_t i = 0; i < n; i++) {
        for (size_t stream = 0; stream < MOST_STREAMS; stream++)
            CHECK(arrived->numbers[i][stream] == producers[i].pushed.numbers[stream]);
    }
    CHECK(SCENE(count)(buffer) == 0 && SCENE(refused)(buffer) == 0);
}
