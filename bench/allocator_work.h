/*
 * allocator_work.h - what the timed loops work on.
 */
#ifndef BENCH_ALLOCATOR_WORK_H
#define BENCH_ALLOCATOR_WORK_H

#include "harness.h"

#define BURST_MOST    65536
#define RING_SLOTS    1024
#define ARRAY         64 /* pointers handed over at once */
#define ARRAYS        16 /* arrays on the way */
#define REPLACE_SLOTS 4096
#define REPLACE_TURN  16384 /* replacements, after which arrays change hands */
#define SINGLE_SLOTS  1048576
#define WALKS         5

struct object {
    uint64_t words[8];
};

/* Every program writes to what it allocates; and nothing the compiler knows may leave it out. */
static inline struct object *written(void *memory, uint64_t value)
{
    struct object *object = memory;
    __asm__ volatile("" : "+r"(object));
    object->words[0] = value;
    return object;
}

/* A ring for one that puts and one that takes, each with a copy of the other's place, so that a
   line moves only when the copy is used up. */
struct ring {
    _Alignas(128) atomic_size_t put;
    size_t taken_seen;
    _Alignas(128) atomic_size_t taken;
    size_t put_seen;
    _Alignas(128) void *slots[RING_SLOTS];
};

static inline void ring_put(struct ring *ring, void *item)
{
    size_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    for (unsigned spins = 0; put - ring->taken_seen == RING_SLOTS; wait_a_little(&spins))
        ring->taken_seen = atomic_load_explicit(&ring->taken, memory_order_acquire);
    ring->slots[put % RING_SLOTS] = item;
    atomic_store_explicit(&ring->put, put + 1, memory_order_release);
}

static inline void *ring_take(struct ring *ring)
{
    size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    for (unsigned spins = 0; taken == ring->put_seen; wait_a_little(&spins))
        ring->put_seen = atomic_load_explicit(&ring->put, memory_order_acquire);
    void *item = ring->slots[taken % RING_SLOTS];
    atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
    return item;
}

/* Of the loops that make a heap look as after a long time, and those that come then. */
struct life {
    size_t objects, replaced, kept_percent, again;
    double walk_ns, end_ns;
};

/* Read-only to the workers, but for what is theirs by number or made for sharing. */
struct work {
    size_t rounds; /* of what a loop does at once: a burst, an array, a turn or one object */
    unsigned threads;
    size_t burst;
    const uint32_t *order;   /* in which a burst is freed */
    struct object **objects; /* of the loops from first on */
    float *single_ns;        /* what each call took */
    double first_ns[3];      /* allocate, free, allocate again: all of it */
    struct life life;
    _Alignas(128) uint64_t sum; /* of what was read, lest reading it be optimised away */
    _Alignas(128) atomic_uint turns;
    struct ring ring, empty;
    struct object *array[ARRAYS][ARRAY];
    struct object *kept[2][REPLACE_SLOTS];
    struct object *slots[WORKERS_MOST][BURST_MOST];
};

/* The loops of one allocator; the context of each is a struct work. */
struct loops {
    worker_body *pair, *burst, *ring, *arrays, *replace, *clear, *first, *single;
    worker_body *age, *walk, *end;
};

#endif
