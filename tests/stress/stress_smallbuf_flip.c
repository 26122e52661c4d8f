/* SPDX-License-Identifier: MIT */
/*
 * stress_smallbuf_flip.c - one thread drains while others push: nothing is lost, nothing comes
 * twice, each producer's elements come in order; and a push that is stuck delays the drainer only.
 * WITH_LANES: the buffer has VF_LANES too.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "allocator.h"
#include "stress.h"

#define VF_T uint64_t
#define VF_N 4
#define VF_FLIP
#define VF_NAME numbers
#ifdef WITH_LANES
#    define VF_LANES
#endif
#include <veryfast/smallbuf.h>

#ifdef WITH_LANES
#    define NAME "stress_smallbuf_flip_lanes"
#else
#    define NAME "stress_smallbuf_flip"
#endif

#define PRODUCERS  3
#define DRAINER    PRODUCERS /* he pushes, too: from within a drain */
#define MOST_N     20
#define MOST_AHEAD 200000

static test_allocator allocator;
static vf_smallbuf_options options;
static numbers buffer;
static atomic_bool stop;

struct producer {
    size_t id;
    uint64_t next, refused; /* the number that is to be accepted next; how many were not */
    uint64_t random;
};

/* A mark: whose, and which. */
static uint64_t mark_of(size_t id, uint64_t number)
{
    return (uint64_t)id << 56 | number;
}

static void push_some(struct producer *self)
{
    uint64_t marks[MOST_N];
    size_t n = 1, accepted, index;
    switch (stress_chance(&self->random, 3)) {
    case 0:
        accepted = numbers_push(&buffer, mark_of(self->id, self->next));
        break;
    case 1:
        accepted = numbers_push_index(&buffer, mark_of(self->id, self->next), &index);
        CHECK(accepted || index != 0);
        break;
    default:
        n = 1 + stress_chance(&self->random, MOST_N);
        for (size_t i = 0; i < n; i++)
            marks[i] = mark_of(self->id, self->next + i);
        accepted = numbers_push_n(&buffer, marks, n);
    }
    self->next += accepted;
    self->refused += n - accepted;
}

/* What the drainer has seen. */
static struct seen {
    _Atomic uint64_t next[PRODUCERS + 1];
    uint64_t count, refused;
} seen;

/* On a busy machine a producer may be far ahead of the drainer; memory is finite. */
static void *produce(void *context)
{
    struct producer *self = context;
    while (!atomic_load(&stop)) {
        if (self->next - atomic_load(&seen.next[self->id]) < MOST_AHEAD)
            push_some(self);
        else
            sched_yield();
    }
    return NULL;
}

static void see(uint64_t mark)
{
    size_t id = (size_t)(mark >> 56);
    CHECK(id <= DRAINER);
    CHECK(mark_of(id, atomic_fetch_add(&seen.next[id], 1)) == mark);
    seen.count++;
}

/* One drain, by spans or one by one, with a push to the other bank now and then. */
static void drain(numbers_drain *drain, struct producer *self)
{
    uint64_t *span, mark;
    seen.refused += numbers_drain_refused(drain);
    if (self->next % 2 == 0) {
        for (size_t n; (n = numbers_drain_span(drain, &span)) > 0;) {
            for (size_t i = 0; i < n; i++)
                see(span[i]);
        }
    }
    while (numbers_drain_next(drain, &mark))
        see(mark);
    push_some(self);
    numbers_drain_end(drain);
}

/* The flip that waits, or the one that tries, until it is allowed to. */
static numbers_drain flip(uint64_t *random)
{
    numbers_drain taken;
    if (stress_chance(random, 2) == 0)
        return numbers_flip(&buffer);
    while (!numbers_flip_try(&buffer, &taken))
        sched_yield();
    return taken;
}

static void begin(void)
{
    allocator = (test_allocator){0};
    options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    memset(&buffer, 0, sizeof buffer);
    numbers_init(&buffer, &options);
    atomic_store(&stop, false);
    memset(&seen, 0, sizeof seen);
}

static void end(void)
{
    numbers_destroy(&buffer);
    CHECK(atomic_load(&allocator.bytes) == 0);
}

/* Has the drainer seen something of each? */
static bool all_seen(void)
{
    for (size_t i = 0; i <= DRAINER; i++) {
        if (atomic_load(&seen.next[i]) == 0)
            return false;
    }
    return true;
}

/* Pushers never stop while one drains in a loop; with failures, memory comes and goes. */
static void scene_flips(uint64_t elements, bool failures)
{
    struct producer producers[PRODUCERS + 1];
    struct producer *self = &producers[DRAINER];
    pthread_t threads[PRODUCERS];
    begin();
    for (size_t i = 0; i <= PRODUCERS; i++)
        producers[i] = (struct producer){i, 0, 0, stress_random_state(i)};
    atomic_store(&allocator.refuse, failures);
    while (failures && self->refused == 0)
        push_some(self);
    for (size_t i = 0; i < PRODUCERS; i++)
        CHECK(pthread_create(&threads[i], NULL, produce, &producers[i]) == 0);
    for (size_t flips = 0; seen.count < elements || !all_seen(); flips++) {
        atomic_store(&allocator.refuse, failures && flips % 4 < 2);
        numbers_drain taken = flip(&self->random);
        drain(&taken, self);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < PRODUCERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    numbers_drain taken = numbers_drain_begin(&buffer); /* both banks, which is exclusive */
    uint64_t mark;
    seen.refused += numbers_drain_refused(&taken);
    while (numbers_drain_next(&taken, &mark))
        see(mark);
    numbers_drain_end(&taken);
    uint64_t refused = 0;
    for (size_t i = 0; i <= PRODUCERS; i++) {
        CHECK(atomic_load(&seen.next[i]) == producers[i].next);
        refused += producers[i].refused;
    }
    CHECK(seen.refused == refused);
    CHECK(failures == (refused > 0));
    end();
}

/* ---- a push that is stuck ---- */

static sem_t is_stuck, may_go_on;
static atomic_bool to_be_stuck;

/* The first push that asks for memory stops there, in its middle. */
static void *stuck_alloc(void *context, size_t size, size_t alignment)
{
    vf_allocator hook = test_allocator_hook(context);
    if (atomic_exchange(&to_be_stuck, false)) {
        sem_post(&is_stuck);
        while (sem_wait(&may_go_on) != 0) {
        }
    }
    return hook.alloc(context, size, alignment);
}

static void *push_stuck(void *none)
{
    CHECK(numbers_push(&buffer, 4));
    return none;
}

static atomic_bool flipped;

static void *flip_and_count(void *none)
{
    numbers_drain taken = numbers_flip(&buffer);
    bool taken_already[1000] = {false};
    uint64_t mark, count = 0;
    atomic_store(&flipped, true);
    for (; numbers_drain_next(&taken, &mark); count++) {
        CHECK(mark < 1000 && !taken_already[mark]);
        taken_already[mark] = true;
    }
    /* whatever was pushed before the flip; the stuck one among them */
    for (uint64_t i = 0; i < 500; i++)
        CHECK(taken_already[i]);
    CHECK(count >= 500);
    numbers_drain_end(&taken);
    return none;
}

static void scene_stuck(void)
{
    pthread_t pusher, drainer;
    numbers_drain taken;
    begin();
    options.allocator.alloc = stuck_alloc;
    CHECK(sem_init(&is_stuck, 0, 0) == 0 && sem_init(&may_go_on, 0, 0) == 0);
    atomic_store(&to_be_stuck, true);
    atomic_store(&flipped, false);
    for (uint64_t i = 0; i < 4; i++)
        CHECK(numbers_push(&buffer, i));
    CHECK(pthread_create(&pusher, NULL, push_stuck, NULL) == 0);
    while (sem_wait(&is_stuck) != 0) {
    }
    for (uint64_t i = 5; i < 500; i++)
        CHECK(numbers_push(&buffer, i)); /* goes on, with a chunk of its own */
    CHECK(!numbers_flip_try(&buffer, &taken));
    CHECK(pthread_create(&drainer, NULL, flip_and_count, NULL) == 0);
    for (uint64_t i = 500; i < 1000; i++) {
        CHECK(numbers_push(&buffer, i)); /* goes on, to either bank */
        sched_yield();
    }
    CHECK(!atomic_load(&flipped));
    sem_post(&may_go_on);
    CHECK(pthread_join(pusher, NULL) == 0 && pthread_join(drainer, NULL) == 0);
    options.allocator = test_allocator_hook(&allocator);
    end();
}

int main(void)
{
    stress_begin(NAME);
    scene_flips(stress_count(3000000, 100000), false);
    stress_passed("drained while three push: all arrives once, in order");
    scene_flips(stress_count(1000000, 50000), true);
    stress_passed("the same while memory comes and goes: the refused are counted");
    scene_stuck();
    stress_passed("a push that is stuck delays the drainer only");
    return stress_end();
}
