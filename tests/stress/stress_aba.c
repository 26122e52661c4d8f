/* SPDX-License-Identifier: MIT */
/*
 * stress_aba.c - what the tag is for.
 *
 *     one thread            the others
 *     reads head A,
 *     reads A's link: B
 *                           remove A, remove B, put A back
 *     swaps A for B         B is in somebody's hands, and now on the stack as well
 *
 * The tag must make this swap fail. With the tag that it has it always does; built with one of 1 to
 * 3 bits (-DVF_TAG_BITS=2), each of the scenes below fails within moments. The library's sources
 * are built into this program with aba_pause.h in front, so that threads stop at the critical
 * place.
 *
 *     stress_aba [stepped | races]
 */
#include "aba_pause.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "../../src/common/stack.h"
#include "stress.h"

struct item {
    _Atomic uint64_t owner;
};

#define VF_T struct item
#define VF_N 64
#include <veryfast/pool.h>

#define THREADS    4
#define HELD       2 /* most that a racing thread holds */
#define CAP        6 /* its indices, and CLOSED, have 3 bits */
#define INDEX_MASK 7 /* the part of a head that is not tag */

static struct {
    void (*interlude)(void); /* what happens at the critical place, where it is not chance */
    atomic_size_t removals;
    atomic_size_t pauses;
    atomic_size_t averted; /* swaps that failed though the index was the same: the tag's merit */
} critical;

static _Thread_local uint64_t own_random;

/*
 * Lets others work until the head shows the same index as before and the same last three bits of
 * the tag, though something was removed: a tag of three bits or less has come round. Not for
 * long, since it may never happen.
 */
static void wait_for_return(const uint64_t *head, uint64_t expected)
{
    uint64_t same = INDEX_MASK | 7 * (INDEX_MASK + 1);
    size_t before = atomic_load(&critical.removals);
    for (size_t i = 0; i < 40; i++) {
        sched_yield();
        if (((vf_load_relaxed(head) ^ expected) & same) == 0 &&
            atomic_load(&critical.removals) != before)
            break;
    }
    atomic_fetch_add(&critical.pauses, 1);
}

void aba_before_removal(const uint64_t *head, uint64_t expected)
{
    if (critical.interlude != NULL) {
        void (*interlude)(void) = critical.interlude;
        critical.interlude = NULL;
        interlude();
    } else if (own_random != 0 && stress_chance(&own_random, 4) == 0) {
        wait_for_return(head, expected);
    }
}

void aba_after_removal(bool done, uint64_t expected, uint64_t found)
{
    uint64_t index = expected & INDEX_MASK;
    if (done)
        atomic_fetch_add(&critical.removals, 1);
    else if (index != 0 && expected != found && index == (found & INDEX_MASK))
        atomic_fetch_add(&critical.averted, 1);
}

void aba_before_push(void)
{
    if (own_random == 0)
        return;
    for (size_t i = stress_chance(&own_random, 4); i > 0; i--)
        sched_yield();
}

/* A capped pool, whose free objects are a stack. */

static bool refuse; /* memory */

/* Zeroed, so that no object has an owner at first. */
static void *zeroed_alloc(void *none, size_t size, size_t alignment)
{
    void *memory;
    (void)none;
    if (refuse)
        return NULL;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    return posix_memalign(&memory, alignment, size) == 0 ? memset(memory, 0, size) : NULL;
}

static void zeroed_dealloc(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none, (void)size, (void)alignment;
    free(memory);
}

static pool_item_64 *pool;

static void put(struct item *item, uint64_t owner)
{
    stress_disclaim(&item->owner, owner);
    pool_item_64_free(pool, item);
}

/* Claimed for the owner; NULL: all are live. */
static struct item *get(uint64_t owner)
{
    struct item *item = pool_item_64_alloc(pool);
    if (item != NULL)
        stress_claim(&item->owner, owner);
    return item;
}

/* All objects of the pool are on the stack. */
static void open_pool(void)
{
    struct item *items[CAP];
    vf_pool_options options = {.allocator = {zeroed_alloc, zeroed_dealloc, NULL},
                               .max_objects = CAP};
    refuse = false;
    CHECK((pool = pool_item_64_new(&options)) != NULL);
    CHECK(pool_item_64_alloc_n(pool, items, CAP) == CAP);
    pool_item_64_free_n(pool, items, CAP);
    refuse = true;
}

/* The owner has n; each of the others can be had once: none is lost, none is there twice. */
static void close_pool(struct item **held, size_t n, uint64_t owner)
{
    struct item *items[CAP];
    size_t got = 0;
    while (got < CAP && (items[got] = get(owner)) != NULL)
        got++;
    CHECK(got + n == CAP && get(owner) == NULL);
    for (size_t i = 0; i < got; i++)
        put(items[i], owner);
    for (size_t i = 0; i < n; i++)
        put(held[i], owner);
    CHECK(pool_item_64_stats(pool).live == 0);
    pool_item_64_release(pool);
}

/* One thread plays both parts: between another's load and swap, removals in all, after which the
   top is the same as before but the one below it is not. */

#define THIEF  1
#define VICTIM 2
static size_t removals_between;
static struct item *stolen;

static void steal_second(void)
{
    struct item *top = get(THIEF);
    CHECK(top != NULL && (stolen = get(THIEF)) != NULL);
    for (size_t i = 2; i < removals_between; i++) {
        put(top, THIEF);
        CHECK(get(THIEF) == top);
    }
    put(top, THIEF);
}

static void step(size_t removals)
{
    struct item *taken[CAP];
    open_pool();
    removals_between = removals;
    critical.interlude = steal_second;
    for (size_t i = 0; i < CAP - 1; i++) /* all but the thief's */
        CHECK((taken[i] = get(VICTIM)) != NULL);
    CHECK(get(VICTIM) == NULL);
    put(stolen, THIEF);
    close_pool(taken, CAP - 1, VICTIM);
}

/* Any number of removals up to 64, and powers of two up to 2^18: any tag of 18 bits or less
   comes round. */
static void run_stepped(void)
{
    critical.averted = 0;
    size_t steps = 0;
    for (size_t removals = 2; removals <= 64; removals++, steps++)
        step(removals);
    for (size_t removals = 128; removals <= stress_count(1 << 18, 1 << 14); removals *= 2, steps++)
        step(removals);
    CHECK(critical.averted >= steps);
    stress_passed("stepped: removals by another between load and swap");
}

/* Threads that race. Each has a few objects in its hands, a different number at each turn: what is
   put back on top of the stack by one while others hold what was below it. */

struct racer {
    uint64_t id; /* 3 ... */
    size_t turns;
    size_t count; /* of held */
    struct item *held[HELD];
};

static void turn(struct racer *self, size_t wanted)
{
    while (self->count < wanted && (self->held[self->count] = get(self->id)) != NULL)
        self->count++;
    while (self->count > wanted)
        put(self->held[--self->count], self->id);
}

static void *race(void *argument)
{
    struct racer *self = argument;
    own_random = stress_random_state(self->id);
    for (size_t i = 0; i < self->turns; i++)
        turn(self, stress_chance(&own_random, HELD + 1));
    turn(self, 0);
    own_random = 0;
    return NULL;
}

/* With a short tag the race is over long before: it goes on until the fault shows, which by chance
   may take some time. */
static const size_t times = VF_TAG_BITS <= 3 ? 100 : 1;

static void run_races(void)
{
    struct racer racers[THREADS];
    void *contexts[THREADS];
    open_pool();
    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.id = i + 3, .turns = times * stress_count(16000, 8000)};
        contexts[i] = &racers[i];
    }
    test_run_threads(THREADS, race, contexts);
    printf("races: %zu pauses, %zu times averted\n", (size_t)critical.pauses,
           (size_t)critical.averted);
    CHECK(critical.averted > 0);
    close_pool(NULL, 0, VICTIM);
    stress_passed("races");
}

int main(int argc, char **argv)
{
    stress_begin("stress_aba");
    printf("tag of %d bits\n", VF_TAG_BITS);
    const struct {
        const char *name;
        void (*run)(void);
    } scenes[] = {{"stepped", run_stepped}, {"races", run_races}};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (argc < 2 || strcmp(argv[1], scenes[i].name) == 0)
            scenes[i].run();
    }
    CHECK(stress.passed > 0); /* the scene that was asked for exists */
    return stress_end();
}
