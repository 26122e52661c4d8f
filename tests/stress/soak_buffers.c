/* SPDX-License-Identifier: MIT */
/*
 * soak_buffers.c - small buffers that all threads push to: one kind is emptied under a write lock,
 * the other by flips while others push. See soak.h.
 *
 * An element is a number that nobody else has. What a buffer has accepted and what was taken out of
 * it must be as many, and have the same sum.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "allocator.h"
#include "soak.h"

#define VF_T    uint64_t
#define VF_N    8
#define VF_NAME locked
#include <veryfast/smallbuf.h>
#define VF_T    uint64_t
#define VF_N    8
#define VF_NAME flipped
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define BUFFERS 4 /* of each kind */
#define AT_ONCE 40
#define MOST    100000 /* elements, from where on nobody pushes until they are taken out */

/* What went in and out. */
struct books {
    atomic_size_t accepted, refused;
    _Atomic uint64_t sum;
    size_t taken, turned_away; /* the one who empties it */
    uint64_t taken_sum;
};

static struct locked_buffer {
    pthread_rwlock_t lock;
    locked buffer;
    vf_smallbuf_options options;
    struct books books;
} locks[BUFFERS];

static struct flipped_buffer {
    pthread_mutex_t drainer;
    flipped buffer;
    vf_smallbuf_options options;
    struct books books;
} flips[BUFFERS];

static test_allocator memory;
static uint64_t numbers[SOAK_THREADS]; /* of each thread, the last */

enum {
    PUSH,
    INDEX,
    SLOT,
    ARRAY,
    WRITER,
    FLIPPED_PUSH,
    REFUSED,
    READ,
    DRAIN,
    CLEAR,
    TRIM,
    RESERVE,
    DESTROY,
    FLIP,
    TRY,
    TALLIES
};
static struct soak_tally tallies[TALLIES + 1] = {
    {"pushed", 0},     {"with index", 0},   {"into slots", 0},      {"in arrays", 0},
    {"by writers", 0}, {"beside flips", 0}, {"refused", 0},         {"read", 0},
    {"drained", 0},    {"cleared", 0},      {"trimmed", 0},         {"reserved", 0},
    {"destroyed", 0},  {"flipped", 0},      {"flipped at once", 0},
};

static uint64_t new_number(size_t thread)
{
    return (uint64_t)(thread + 1) << 48 | ++numbers[thread];
}

static void note(struct books *books, size_t accepted, size_t tried, uint64_t sum)
{
    CHECK(accepted == tried || errno == ENOMEM);
    atomic_fetch_add(&books->accepted, accepted);
    atomic_fetch_add(&books->refused, tried - accepted);
    atomic_fetch_add(&books->sum, sum);
    soak_count(&tallies[REFUSED], tried - accepted);
}

static void take(struct books *books, uint64_t number)
{
    CHECK(number >> 48 >= 1 && number >> 48 <= SOAK_THREADS);
    books->taken++;
    books->taken_sum += number;
}

static size_t fill_array(uint64_t array[AT_ONCE], size_t thread, uint64_t *random)
{
    size_t n = 1 + stress_chance(random, AT_ONCE);
    for (size_t i = 0; i < n; i++)
        array[i] = new_number(thread);
    return n;
}

/* ---- emptied under a lock ---- */

static void push_one(struct locked_buffer *of, size_t thread, size_t way)
{
    uint64_t number = new_number(thread), *slot;
    size_t index;
    bool accepted;
    if (way == PUSH) {
        accepted = locked_push(&of->buffer, number);
    } else if (way == INDEX) {
        accepted = locked_push_index(&of->buffer, number, &index);
    } else if ((accepted = (slot = locked_push_slot(&of->buffer, &index)) != NULL)) {
        *slot = number;
    }
    note(&of->books, accepted, 1, accepted ? number : 0);
    soak_count(&tallies[way], accepted);
}

static void push_array(struct locked_buffer *of, size_t thread, uint64_t *random)
{
    uint64_t array[AT_ONCE], sum = 0;
    size_t n = fill_array(array, thread, random);
    size_t accepted = locked_push_n(&of->buffer, array, n);
    for (size_t i = 0; i < accepted; i++)
        sum += array[i];
    note(&of->books, accepted, n, sum);
    soak_count(&tallies[ARRAY], accepted);
}

static void write_some(struct locked_buffer *of, size_t thread, uint64_t *random)
{
    locked_writer writer;
    size_t n = 1 + stress_chance(random, 300), accepted = 0;
    uint64_t sum = 0;
    locked_writer_open(&writer, &of->buffer);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = new_number(thread);
        if (locked_writer_push(&writer, number)) {
            accepted++;
            sum += number;
        }
    }
    locked_writer_close(&writer);
    note(&of->books, accepted, n, sum);
    soak_count(&tallies[WRITER], accepted);
}

static void push(struct locked_buffer *of, size_t thread, uint64_t *random)
{
    size_t way = stress_chance(random, WRITER + 1);
    pthread_rwlock_rdlock(&of->lock);
    if (atomic_load(&of->books.accepted) - of->books.taken >= MOST)
        ; /* memory is finite */
    else if (way == WRITER)
        write_some(of, thread, random);
    else if (way == ARRAY)
        push_array(of, thread, random);
    else
        push_one(of, thread, way);
    pthread_rwlock_unlock(&of->lock);
}

/* All is there that was accepted and not taken, and it stays. */
static void read_all(struct locked_buffer *of)
{
    const uint64_t *span;
    size_t count = 0;
    uint64_t sum = 0;
    for (size_t n; (n = locked_span(&of->buffer, count, &span)) > 0; count += n) {
        for (size_t i = 0; i < n; i++)
            sum += span[i];
    }
    struct books *books = &of->books;
    CHECK(count == locked_count(&of->buffer) && count == books->accepted - books->taken);
    CHECK(sum == books->sum - books->taken_sum);
    CHECK(locked_refused(&of->buffer) == books->refused - books->turned_away);
    CHECK(locked_capacity(&of->buffer) >= count);
    soak_count(&tallies[READ], count);
}

static void drain(struct locked_buffer *of, uint64_t *random)
{
    struct books *books = &of->books;
    locked_drain drain = locked_drain_begin(&of->buffer);
    uint64_t *span, number;
    if (stress_chance(random, 2) == 0) {
        for (size_t n; (n = locked_drain_span(&drain, &span)) > 0;) {
            for (size_t i = 0; i < n; i++)
                take(books, span[i]);
        }
    }
    while (locked_drain_next(&drain, &number))
        take(books, number);
    locked_drain_end(&drain);
    CHECK(books->taken == books->accepted && books->taken_sum == books->sum);
    books->turned_away = books->refused;
    soak_count(&tallies[DRAIN], 1);
}

/* Where elements are dropped, of which the books are told. */
static void lose_all(struct books *books)
{
    books->taken = books->accepted;
    books->taken_sum = books->sum;
    books->turned_away = books->refused;
}

static void begin_locked(struct locked_buffer *of, uint64_t *random)
{
    of->options = (vf_smallbuf_options){
        .allocator = test_allocator_hook(&memory),
        .max_elements = stress_chance(random, 2) == 0 ? 1 + stress_chance(random, 2000) : 0,
        .first_chunk = stress_chance(random, 2) * 1000,
    };
    locked_init(&of->buffer, &of->options);
}

static void exclusive(struct locked_buffer *of, uint64_t *random)
{
    size_t what = stress_chance(random, 10);
    pthread_rwlock_wrlock(&of->lock);
    read_all(of);
    if (what < 5) {
        drain(of, random);
    } else if (what < 6) {
        locked_clear(&of->buffer);
        lose_all(&of->books);
        soak_count(&tallies[CLEAR], 1);
    } else if (what < 7) {
        soak_count(&tallies[TRIM], locked_trim(&of->buffer, stress_chance(random, 500)));
    } else if (what < 9) {
        soak_count(&tallies[RESERVE], locked_reserve(&of->buffer, stress_chance(random, 3000)));
    } else {
        locked_destroy(&of->buffer);
        lose_all(&of->books);
        begin_locked(of, random);
        soak_count(&tallies[DESTROY], 1);
    }
    pthread_rwlock_unlock(&of->lock);
}

/* ---- emptied by flips ---- */

static void push_flipped(struct flipped_buffer *of, size_t thread, uint64_t *random)
{
    uint64_t array[AT_ONCE], sum = 0;
    size_t n = stress_chance(random, 2) == 0 ? fill_array(array, thread, random) : 1, accepted;
    if (n == 1) {
        array[0] = new_number(thread);
        accepted = flipped_push(&of->buffer, array[0]);
    } else {
        accepted = flipped_push_n(&of->buffer, array, n);
    }
    for (size_t i = 0; i < accepted; i++)
        sum += array[i];
    note(&of->books, accepted, n, sum);
    soak_count(&tallies[FLIPPED_PUSH], accepted);
}

static void take_flipped(struct books *books, flipped_drain *drain)
{
    uint64_t number;
    books->turned_away += flipped_drain_refused(drain);
    while (flipped_drain_next(drain, &number))
        take(books, number);
    flipped_drain_end(drain);
}

/* One at a time; whoever comes while another is at it has something else to do. */
static void flip(struct flipped_buffer *of, uint64_t *random)
{
    flipped_drain drain;
    if (pthread_mutex_trylock(&of->drainer) != 0)
        return;
    if (stress_chance(random, 2) == 0) {
        drain = flipped_flip(&of->buffer);
        take_flipped(&of->books, &drain);
        soak_count(&tallies[FLIP], 1);
    } else if (flipped_flip_try(&of->buffer, &drain)) {
        take_flipped(&of->books, &drain);
        soak_count(&tallies[TRY], 1);
    }
    pthread_mutex_unlock(&of->drainer);
}

/* ---- both ---- */

static void open_round(uint64_t *random)
{
    memset(locks, 0, sizeof locks);
    memset(flips, 0, sizeof flips);
    for (size_t i = 0; i < BUFFERS; i++) {
        CHECK(pthread_rwlock_init(&locks[i].lock, NULL) == 0);
        begin_locked(&locks[i], random);
        CHECK(pthread_mutex_init(&flips[i].drainer, NULL) == 0);
        flips[i].options = (vf_smallbuf_options){.allocator = test_allocator_hook(&memory),
                                                 .max_elements = i == 0 ? 1000 : 0};
        flipped_init(&flips[i].buffer, &flips[i].options);
    }
}

static void turn(size_t thread, uint64_t *random)
{
    size_t i = stress_chance(random, BUFFERS);
    size_t what = stress_chance(random, 20);
    if (what < 9)
        push(&locks[i], thread, random);
    else if (what < 10)
        exclusive(&locks[i], random);
    else if (what < 19)
        push_flipped(&flips[i], thread, random);
    else
        flip(&flips[i], random);
}

static void check_books(const struct books *books)
{
    CHECK(books->taken == books->accepted && books->taken_sum == books->sum);
    CHECK(books->turned_away == books->refused);
}

static void close_round(void)
{
    uint64_t random = 1;
    for (size_t i = 0; i < BUFFERS; i++) {
        read_all(&locks[i]);
        drain(&locks[i], &random);
        check_books(&locks[i].books);
        locked_destroy(&locks[i].buffer);
        pthread_rwlock_destroy(&locks[i].lock);
        flipped_drain rest = flipped_drain_begin(&flips[i].buffer);
        take_flipped(&flips[i].books, &rest);
        check_books(&flips[i].books);
        flipped_destroy(&flips[i].buffer);
        pthread_mutex_destroy(&flips[i].drainer);
    }
    CHECK(atomic_load(&memory.blocks) == 0 && atomic_load(&memory.bytes) == 0);
}

const struct soak_part soak_buffers = {
    .name = "buffers",
    .weight = 5,
    .open = open_round,
    .turn = turn,
    .close = close_round,
    .tallies = tallies,
};
