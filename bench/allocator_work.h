/* SPDX-License-Identifier: MIT */
/*
 * allocator_work.h - what the timed loops work on. Read by C and C++.
 */
#ifndef BENCH_ALLOCATOR_WORK_H
#define BENCH_ALLOCATOR_WORK_H

#include "harness.h"

#define RING_SLOTS    1024
#define ARRAY         64 /* pointers handed over at once */
#define ARRAYS        16 /* arrays on the way to each partner */
#define FANS          4  /* partners, at most, of the one that all get from, or give to */
#define OWN           64 /* objects that each of two neighbours writes to */
#define REPLACE_SLOTS 4096
#define REPLACE_TURN  16384 /* replacements, after which arrays change hands */
#define SINGLE_SLOTS  1048576
#define WALKS         5

struct object {
    uint64_t words[8];
};

/* In which the objects of a burst are freed. */
enum order { LIFO, FIFO, RANDOM };

/* Every program writes to what it allocates; and nothing the compiler knows may leave it out. Of
   smaller objects there is the first word only. */
static inline struct object *written(void *memory, uint64_t value)
{
    struct object *object = (struct object *)memory;
    __asm__ volatile("" : "+r"(object));
    object->words[0] = value;
    return object;
}

/* A ring for one that puts and one that takes, each with a copy of the other's place, so that a
   line moves only when the copy is used up. */
struct ring {
    size_t put __attribute__((aligned(128)));
    size_t taken_seen;
    size_t taken __attribute__((aligned(128)));
    size_t put_seen;
    void *slots[RING_SLOTS] __attribute__((aligned(128)));
};

static inline void ring_put(struct ring *ring, void *item)
{
    size_t put = ring->put;
    for (unsigned spins = 0; put - ring->taken_seen == RING_SLOTS; wait_a_little(&spins))
        ring->taken_seen = __atomic_load_n(&ring->taken, __ATOMIC_ACQUIRE);
    ring->slots[put % RING_SLOTS] = item;
    __atomic_store_n(&ring->put, put + 1, __ATOMIC_RELEASE);
}

static inline void *ring_take(struct ring *ring)
{
    size_t taken = ring->taken;
    for (unsigned spins = 0; taken == ring->put_seen; wait_a_little(&spins))
        ring->put_seen = __atomic_load_n(&ring->put, __ATOMIC_ACQUIRE);
    void *item = ring->slots[taken % RING_SLOTS];
    __atomic_store_n(&ring->taken, taken + 1, __ATOMIC_RELEASE);
    return item;
}

/* Of the loops that make a heap look as after a long time, and those that come then. */
struct life {
    size_t objects, replaced, kept_percent, again;
    double walk_ns, end_ns;
};

/* Of the loops of programs that use what they allocate. */
struct program {
    size_t size;         /* levels of a tree below its root; else nodes or objects */
    size_t warm_up;      /* rounds, or replacements, before those that count */
    size_t rounds;       /* of which the time is taken */
    size_t free_percent; /* of the objects, at any time */
    clockid_t clock;
    unsigned turn;  /* the worker whose turn it is */
    uint64_t *keys; /* of a map */
    double ns[3];
};

/* Read-only to the workers, but for what is theirs by number or made for sharing. */
struct work {
    size_t rounds; /* of what a loop does at once: a burst, an array, a turn or one object */
    unsigned threads;
    size_t size; /* of an object, for those who can choose it */
    size_t burst;
    size_t pools;            /* that take turns */
    const uint32_t *order;   /* in which a burst is freed */
    struct object **slots;   /* of a burst, worker after worker */
    struct object **objects; /* of the loops from first on */
    float *single_ns;        /* what each call took */
    double first_ns[3];      /* allocate, free, allocate again: all of it */
    struct life life;
    struct program program;
    uint64_t sum __attribute__((aligned(128))); /* of what was read, lest it be optimised away */
    unsigned turns __attribute__((aligned(128)));
    struct ring ring;
    /* Full arrays go there and come back empty: from one to some or, if it gathers, from those. */
    struct ring full[FANS], empty[FANS];
    struct object *array[FANS][ARRAYS][ARRAY];
    bool gathers;
    struct object *kept[2][REPLACE_SLOTS];
    struct object *neighbours[2][OWN];
};

/* Zeroed, shared with children, for objects of the usual size. */
struct work *work_new(void);

/* Makes ready for bursts, by so many threads. */
void work_burst(struct work *work, unsigned threads, size_t burst, enum order order);

/* The loops of one allocator; the context of each is a struct work. */
struct loops {
    worker_body *pair, *burst, *ring, *fan, *neighbours, *replace, *clear, *first, *single;
    worker_body *age, *walk, *end;
    worker_body *tree, *document, *map, *anew, *crowded, *asleep;
};

#ifdef __cplusplus
extern "C" {
#endif
/* The peers that are in C++ only. */
extern const struct loops boost_freelist_loops, boost_pool_loops;
#ifdef __cplusplus
}
#endif

#endif
