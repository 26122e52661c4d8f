/* SPDX-License-Identifier: MIT */
/*
 * allocator_loops.h - template: the timed loops, stamped out for each allocator, so that none pays
 * for a dispatch that its users would not pay for. For C and C++.
 *
 *     LOOPS         prefix of the functions
 *     LOOPS_USE     declarations at the head of each loop, which see worker; may be empty
 *     LOOPS_ALLOC   expression: an object
 *     LOOPS_FREE(p) expression: gives it back
 */
#include "program_work.h"

#define LOOPS_CAT_(a, b) a##b
#define LOOPS_CAT(a, b)  LOOPS_CAT_(a, b)
#define LOOP(name)       LOOPS_CAT(LOOPS, name)

/* alloc, write, free */
static void LOOP(_pair)(void *context, unsigned worker)
{
    size_t rounds = ((const struct work *)context)->rounds;
    (void)worker;
    LOOPS_USE
    for (size_t i = 0; i < rounds; i++) {
        struct object *object = written(LOOPS_ALLOC, i);
        LOOPS_FREE(object);
    }
}

/* Rounds of a burst of objects, freed in the given order. */
static void LOOP(_burst)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    const uint32_t *order = work->order;
    size_t burst = work->burst;
    struct object **objects = work->slots + worker * burst;
    LOOPS_USE
    for (size_t rounds = work->rounds; rounds > 0; rounds--) {
        for (size_t i = 0; i < burst; i++)
            objects[i] = written(LOOPS_ALLOC, i);
        for (size_t i = 0; i < burst; i++)
            LOOPS_FREE(objects[order[i]]);
    }
}

/* Worker 0 allocates, worker 1 frees; single pointers go through a ring. */
static void LOOP(_ring)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    size_t rounds = work->rounds;
    uint64_t sum = 0;
    LOOPS_USE
    for (size_t i = 0; worker == 0 && i < rounds; i++)
        ring_put(&work->ring, written(LOOPS_ALLOC, i));
    for (size_t i = 0; worker == 1 && i < rounds; i++) {
        struct object *object = (struct object *)ring_take(&work->ring);
        sum += object->words[0];
        LOOPS_FREE(object);
    }
    if (worker == 1)
        work->sum = sum;
}

/* The same with arrays of objects, in turn to several others, or from them. */
static void LOOP(_fan)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    size_t fans = work->threads - 1;
    size_t rounds = worker == 0 ? work->rounds * fans : work->rounds;
    bool allocates = (worker == 0) != work->gathers;
    uint64_t sum = 0;
    LOOPS_USE
    for (size_t i = 0; i < rounds; i++) {
        size_t fan = worker == 0 ? i % fans : worker - 1;
        struct ring *from = allocates ? &work->empty[fan] : &work->full[fan];
        struct ring *to = allocates ? &work->full[fan] : &work->empty[fan];
        struct object **array = (struct object **)ring_take(from);
        for (size_t k = 0; allocates && k < ARRAY; k++)
            array[k] = written(LOOPS_ALLOC, k);
        for (size_t k = 0; !allocates && k < ARRAY; k++) {
            sum += array[k]->words[0];
            LOOPS_FREE(array[k]);
        }
        ring_put(to, array);
    }
    if (worker == 0)
        work->sum = sum;
}

/* One allocates for two, alternately; then each writes to its own, again and again. */
static void LOOP(_neighbours)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct object **own = work->neighbours[worker];
    LOOPS_USE
    for (size_t i = 0; worker == 0 && i < 2 * (size_t)OWN; i++)
        work->neighbours[i % 2][i / 2] = written(LOOPS_ALLOC, 0);
    meet(&work->turns, 2);
    for (size_t i = 0; i < work->rounds; i++)
        written(own[i % OWN], i);
    meet(&work->turns, 2);
    for (size_t i = 0; worker == 0 && i < 2 * (size_t)OWN; i++)
        LOOPS_FREE(work->neighbours[i % 2][i / 2]);
}

/* Replaces random objects of an array; after a turn, the workers change arrays. */
static void LOOP(_replace)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    uint64_t random = worker + 1;
    LOOPS_USE
    for (size_t turn = 0; turn < work->rounds; turn++) {
        struct object **objects = work->kept[(worker + turn) % work->threads];
        for (size_t i = 0; i < REPLACE_TURN; i++) {
            struct object **slot = &objects[next_random(&random) % REPLACE_SLOTS];
            if (*slot != NULL)
                LOOPS_FREE(*slot);
            *slot = written(LOOPS_ALLOC, i);
        }
        meet(&work->turns, work->threads);
    }
}

/* Frees what replace has left. */
static void LOOP(_clear)(void *context, unsigned worker)
{
    struct object **objects = ((struct work *)context)->kept[worker];
    LOOPS_USE
    for (size_t i = 0; i < REPLACE_SLOTS; i++) {
        if (objects[i] != NULL)
            LOOPS_FREE(objects[i]);
        objects[i] = NULL;
    }
}

/* Allocates many for the first time, frees them in that order, and allocates them again. It takes
   so long that other programs will run in between, hence the thread's own clock. */
static void LOOP(_first)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct object **objects = work->objects;
    size_t n = work->rounds;
    (void)worker;
    LOOPS_USE
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        objects[i] = written(LOOPS_ALLOC, i);
    double allocated = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        LOOPS_FREE(objects[i]);
    double freed = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < n; i++)
        objects[i] = written(LOOPS_ALLOC, i);
    work->first_ns[0] = allocated - begin;
    work->first_ns[1] = freed - allocated;
    work->first_ns[2] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - freed;
}

/* Times each call by itself: of a random slot the object is freed, or there was none and now is.
   The slot is read and written outside, since its cache miss is not the allocator's. */
static void LOOP(_single)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    float *single_ns = work->single_ns;
    uint64_t random = worker + 1;
    LOOPS_USE
    for (size_t i = 0; i < work->rounds; i++) {
        struct object **slot = &work->objects[next_random(&random) % SINGLE_SLOTS];
        struct object *object = *slot;
        double begin = now_ns();
        if (object != NULL) {
            LOOPS_FREE(object);
            object = NULL;
        } else {
            object = written(LOOPS_ALLOC, i);
        }
        single_ns[i] = (float)(now_ns() - begin);
        *slot = object;
    }
}

/* Many objects, of which many are replaced, at random, and most are freed then, at random. */
static void LOOP(_age)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    const struct life *life = &work->life;
    struct object **objects = work->objects;
    uint64_t random = worker + 1;
    LOOPS_USE
    for (size_t i = 0; i < life->objects; i++)
        objects[i] = written(LOOPS_ALLOC, i);
    for (size_t i = 0; i < life->replaced; i++) {
        struct object **slot = &objects[next_random(&random) % life->objects];
        LOOPS_FREE(*slot);
        *slot = written(LOOPS_ALLOC, i);
    }
    for (size_t i = 0; i < life->objects; i++) {
        if (next_random(&random) % 100 >= life->kept_percent)
            LOOPS_FREE(objects[i]);
    }
}

/* Objects allocated then, each of which leads to the next, and a walk along them. */
static void LOOP(_walk_along)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct life *life = &work->life;
    struct object first = {{0}};
    struct object *last = &first;
    (void)worker;
    LOOPS_USE
    for (size_t i = 0; i < life->again; i++) {
        struct object *next = written(LOOPS_ALLOC, 0);
        last->words[0] = (uintptr_t)next;
        last = next;
    }
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t pass = 0; pass < WALKS; pass++) {
        for (struct object *at = &first; at != NULL; at = (struct object *)(uintptr_t)at->words[0])
            work->sum++;
    }
    life->walk_ns = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / WALKS;
}

/* All objects are freed, one by one. */
static void LOOP(_end)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct object **objects = work->objects;
    (void)worker;
    LOOPS_USE
    double begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < work->life.objects; i++)
        LOOPS_FREE(objects[i]);
    work->life.end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

#include "program_loops.h"

#ifdef __cplusplus
extern
#else
static
#endif
    const struct loops LOOP(_loops) = {
        LOOP(_pair),       LOOP(_burst),   LOOP(_ring),   LOOP(_fan),      LOOP(_neighbours),
        LOOP(_replace),    LOOP(_clear),   LOOP(_first),  LOOP(_single),   LOOP(_age),
        LOOP(_walk_along), LOOP(_end),     LOOP(_tree),   LOOP(_document), LOOP(_map),
        LOOP(_anew),       LOOP(_crowded), LOOP(_asleep),
};

#undef LOOPS
#undef LOOPS_USE
#undef LOOPS_ALLOC
#undef LOOPS_FREE
#undef LOOPS_CAT_
#undef LOOPS_CAT
#undef LOOP
