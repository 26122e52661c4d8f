/* SPDX-License-Identifier: MIT */
/*
 * stress_smallbuf_keyed.c - threads run jobs that push through writers with keys, several open at a
 * time, beside plain pushes and writers without a key, and now and then there is no memory: what
 * was accepted of each is a prefix, and comes out once, in order, by key.
 */
#include <errno.h>
#include <string.h>

#include "allocator.h"
#include "stress.h"

struct element {
    uint32_t stream, number;
};

#define VF_T    struct element
#define VF_N    5
#define VF_NAME plain
#include <veryfast/smallbuf.h>

#define VF_T    struct element
#define VF_N    5
#define VF_NAME laned
#define VF_LANES
#include <veryfast/smallbuf.h>

#define THREADS 8
#define JOBS    1500 /* of a thread, in a round */
#define OPEN    3    /* writers at a time */
#define STREAMS (THREADS * (1 + JOBS * (OPEN + 1)))

/* What one thread pushes, or one writer. Those below THREADS are the threads'. */
static struct stream {
    bool keyed;
    uint32_t accepted, seen;
} streams[STREAMS];

static uint32_t made; /* atomic: streams, in this round */
static size_t round_now;
static bool lacking; /* there may be no memory, in this round */
static test_allocator allocator;

/* All digits are in use, and neighbours are far between; in other rounds it is the number. */
static bool wide;

static uint64_t key_of(uint32_t stream)
{
    return wide ? stream * UINT64_C(0x9E3779B97F4A7C15) : stream;
}

static uint32_t new_stream(bool keyed)
{
    uint32_t stream = __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
    streams[stream].keyed = keyed;
    return stream;
}

/* Notes what became of a push. Whoever was refused stays so: what is accepted is a prefix. */
static void note(uint32_t stream, bool pushed, bool *refused)
{
    CHECK(!(pushed && *refused) && (pushed || (lacking && errno == ENOMEM)));
    streams[stream].accepted += pushed;
    *refused = !pushed;
}

static size_t size_of_job(uint64_t *random)
{
    return stress_chance(random, 30) == 0 ? stress_chance(random, 3000) : stress_chance(random, 6);
}

#define DEFINE(type)                                                                               \
    static type type##_buffer;                                                                     \
                                                                                                   \
    static void type##_job(uint64_t *random, size_t n, bool keyed)                                 \
    {                                                                                              \
        type##_writer writers[OPEN];                                                               \
        uint32_t ids[OPEN];                                                                        \
        bool refused[OPEN] = {false};                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            ids[i] = new_stream(keyed);                                                            \
            if (keyed)                                                                             \
                type##_writer_open_keyed(&writers[i], &type##_buffer, key_of(ids[i]));             \
            else                                                                                   \
                type##_writer_open(&writers[i], &type##_buffer);                                   \
        }                                                                                          \
        for (size_t pushes = size_of_job(random); pushes > 0; pushes--) {                          \
            size_t i = stress_chance(random, n);                                                   \
            struct element element = {ids[i], streams[ids[i]].accepted};                           \
            note(ids[i], type##_writer_push(&writers[i], element), &refused[i]);                   \
        }                                                                                          \
        for (size_t i = 0; i < n; i++)                                                             \
            type##_writer_close(&writers[i]);                                                      \
    }                                                                                              \
                                                                                                   \
    static void *type##_work(void *context)                                                        \
    {                                                                                              \
        uint32_t who = (uint32_t)(uintptr_t)context;                                               \
        uint64_t random = stress_random_state((uint64_t)round_now << 8 | who);                     \
        bool refused = false;                                                                      \
        for (size_t job = 0; job < JOBS; job++) {                                                  \
            if (lacking && stress_chance(&random, 100) == 0)                                       \
                atomic_store(&allocator.fail_at, atomic_load(&allocator.calls) + 1);               \
            bool keyed = stress_chance(&random, 4) != 0;                                           \
            type##_job(&random, keyed ? 1 + stress_chance(&random, OPEN) : 1, keyed);              \
            for (size_t pushes = stress_chance(&random, 4); pushes > 0; pushes--) {                \
                struct element element = {who, streams[who].accepted};                             \
                note(who, type##_push(&type##_buffer, element), &refused);                         \
            }                                                                                      \
        }                                                                                          \
        return NULL;                                                                               \
    }                                                                                              \
                                                                                                   \
    static void type##_take(size_t accepted)                                                       \
    {                                                                                              \
        type##_drain parts[4], drain = type##_drain_begin(&type##_buffer);                         \
        size_t n = type##_drain_split(&drain, parts, 4);                                           \
        size_t taken = 0;                                                                          \
        const struct stream *last = NULL;                                                          \
        for (size_t part = 0; part < n; part++) {                                                  \
            struct element element;                                                                \
            for (; type##_drain_next(&parts[part], &element); taken++) {                           \
                struct stream *stream = &streams[element.stream];                                  \
                CHECK(element.number == stream->seen++);                                           \
                if (last != NULL && last->keyed)                                                   \
                    CHECK(stream->keyed &&key_of((uint32_t)(last - streams)) <=                    \
                          key_of(element.stream));                                                 \
                last = stream;                                                                     \
            }                                                                                      \
            type##_drain_end(&parts[part]);                                                        \
        }                                                                                          \
        CHECK(taken == accepted);                                                                  \
    }                                                                                              \
                                                                                                   \
    static void type##_round(size_t threads)                                                       \
    {                                                                                              \
        void *who[THREADS];                                                                        \
        for (size_t i = 0; i < threads; i++)                                                       \
            who[i] = (void *)(uintptr_t)i;                                                         \
        memset(streams, 0, sizeof streams);                                                        \
        made = THREADS;                                                                            \
        test_run_threads(threads, type##_work, who);                                               \
        atomic_store(&allocator.fail_at, 0);                                                       \
        size_t accepted = 0;                                                                       \
        for (size_t i = 0; i < made; i++)                                                          \
            accepted += streams[i].accepted;                                                       \
        CHECK(type##_count(&type##_buffer) == accepted);                                           \
        size_t read = 0;                                                                           \
        const struct element *elements;                                                            \
        for (size_t n; (n = type##_span(&type##_buffer, read, &elements)) > 0;)                    \
            read += n;                                                                             \
        CHECK(read == accepted);                                                                   \
        type##_take(accepted);                                                                     \
    }                                                                                              \
                                                                                                   \
    static void type##_rounds(void)                                                                \
    {                                                                                              \
        uint64_t random = stress_random_state(1);                                                  \
        vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator)};              \
        type##_init(&type##_buffer, &options);                                                     \
        for (size_t round = 0; round < stress_count(60, 4); round++) {                             \
            round_now = round;                                                                     \
            lacking = round % 2 != 0;                                                              \
            wide = round % 4 / 2 != 0;                                                             \
            type##_round(1 + stress_chance(&random, THREADS));                                     \
            if (round % 5 == 0 || lacking)                                                         \
                (void)type##_trim(&type##_buffer, 0);                                              \
        }                                                                                          \
        type##_destroy(&type##_buffer);                                                            \
        CHECK(atomic_load(&allocator.bytes) == 0);                                                 \
        stress_passed(#type ": writers with keys beside other pushes, with memory and without");   \
    }

DEFINE(plain)
DEFINE(laned)

int main(void)
{
    stress_begin("stress_smallbuf_keyed");
    plain_rounds();
    laned_rounds();
    return stress_end();
}
