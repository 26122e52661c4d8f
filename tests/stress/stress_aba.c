/*
 * stress_aba.c - what the tag is for.
 *
 *     one thread            the others
 *     reads head A,
 *     reads A's link: B
 *                           remove A, remove B, put A back
 *     swaps A for B         B is in somebody's hands, and now on the stack as well
 *
 * The tag must make this swap fail. With a tag of 40 bits it always does; built with one of 1 to 3
 * bits (-DVF_TAG_BITS=2), each of the scenes below fails within moments. The library's sources are
 * built into this program with aba_pause.h in front, so that threads stop at the critical place.
 *
 *     stress_aba [stepped | stack | depot | capped]
 */
#include "aba_pause.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "../../src/depot.h"
#include "stress.h"

struct item {
    _Atomic uint64_t owner;
};

#define VF_T struct item
#define VF_N 64
#include <veryfast/pool.h>

#define THREADS   4
#define MAGAZINES 7
#define HELD      8   /* most that a thread holds */
#define STOCK     640 /* objects in the depot's pool */
#define CAP       6   /* of the capped pool: its indices, and CLOSED, have 3 bits */

static struct {
    void (*interlude)(void); /* what happens at the critical place, where it is not chance */
    uint64_t index_mask;     /* the part of a head that is not tag */
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
    uint64_t same = critical.index_mask | 7 * (critical.index_mask + 1);
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
    uint64_t index = expected & critical.index_mask;
    if (done)
        atomic_fetch_add(&critical.removals, 1);
    else if (index != 0 && expected != found && index == (found & critical.index_mask))
        atomic_fetch_add(&critical.averted, 1);
}

void aba_before_push(void)
{
    if (own_random == 0)
        return;
    for (size_t i = stress_chance(&own_random, 4); i > 0; i--)
        sched_yield();
}

/* Stack of magazines, without a pool around it. */

static struct {
    vf_depot depot;
    vf_magazine *chunks[1];
    vf_magazine magazines[VF_CHUNK_MAGAZINES];
    _Atomic uint64_t owners[VF_CHUNK_MAGAZINES];
} heap;

static _Atomic uint64_t *owner_of(const vf_magazine *magazine)
{
    return &heap.owners[magazine->index - 1];
}

static void put(vf_magazine *first, vf_magazine *last)
{
    vf_stack_push(&heap.depot.shelves[0].full, first, last);
}

/* Up to most, claimed for the owner; how many. */
static uint32_t get(vf_magazine **taken, uint32_t most, uint64_t owner)
{
    uint32_t n = 0;
    vf_magazine *magazine = vf_stack_pop(&heap.depot, &heap.depot.shelves[0].full, most, &n);
    if (magazine == NULL)
        return 0;
    CHECK(n >= 1 && n <= most);
    for (uint32_t i = 0; i < n; i++) {
        taken[i] = magazine;
        stress_claim(owner_of(magazine), owner);
        if (i + 1 < n) {
            uint32_t link = vf_load_relaxed(&magazine->link);
            CHECK(link != 0);
            magazine = vf_magazine_at(&heap.depot, link);
        }
    }
    return n;
}

/* magazines[count - 1] on top. */
static void new_stack(uint32_t count)
{
    memset(&heap, 0, sizeof heap);
    heap.chunks[0] = heap.magazines;
    heap.depot.levels[0] = heap.chunks;
    for (uint32_t i = 0; i < count; i++) {
        heap.magazines[i].index = i + 1;
        put(&heap.magazines[i], &heap.magazines[i]);
    }
}

/* One thread plays both parts: between another's load and swap, removals in all, after which the
   top is the same as before but the one below it is not. */

#define THIEF  1
#define VICTIM 2
static size_t removals_between;

static void steal_second(void)
{
    vf_magazine *top;
    vf_magazine *second;
    CHECK(get(&top, 1, THIEF) == 1 && get(&second, 1, THIEF) == 1);
    for (size_t i = 2; i < removals_between; i++) {
        stress_disclaim(owner_of(top), THIEF);
        put(top, top);
        CHECK(get(&top, 1, THIEF) == 1);
    }
    stress_disclaim(owner_of(top), THIEF);
    put(top, top);
}

static void step(size_t removals, uint32_t most)
{
    vf_magazine *taken[MAGAZINES];
    new_stack(MAGAZINES);
    removals_between = removals;
    critical.interlude = steal_second;
    uint32_t n = 0;
    while (n < MAGAZINES - 1) { /* all but the thief's */
        uint32_t part = get(&taken[n], most, VICTIM);
        CHECK(part > 0 && part <= MAGAZINES - 1 - n);
        n += part;
    }
    CHECK(get(taken, 1, VICTIM) == 0);
}

/* Any number of removals up to 64, and powers of two up to 2^18: any tag of 18 bits or less
   comes round. */
static void run_stepped(void)
{
    critical.index_mask = VF_STACK_INDEX_MASK;
    critical.averted = 0;
    size_t steps = 0;
    for (uint32_t most = 1; most < MAGAZINES; most++) {
        for (size_t removals = 2; removals <= 64; removals++, steps++)
            step(removals, most);
        for (size_t removals = 128; removals <= stress_count(1 << 18, 1 << 14);
             removals *= 2, steps++)
            step(removals, most);
    }
    CHECK(critical.averted >= steps);
    stress_passed("stepped: removals by another between load and swap");
}

/* Threads that race. Each has a few magazines or objects in its hands, a different number at each
   turn: what is put back on top of a stack by one while others hold what was below it. */

struct racer {
    uint64_t id; /* 3 ... */
    pool_item_64 *pool;
    size_t turns, most; /* most held */
    void (*turn)(struct racer *self, size_t wanted);
    size_t count; /* of held */
    void *held[HELD];
};

static void *race(void *argument)
{
    struct racer *self = argument;
    own_random = stress_random_state(self->id);
    for (size_t i = 0; i < self->turns; i++)
        self->turn(self, stress_chance(&own_random, self->most + 1));
    self->turn(self, 0);
    own_random = 0;
    return NULL;
}

static void run_racers(const char *what, const struct racer *model)
{
    struct racer racers[THREADS];
    void *contexts[THREADS];
    atomic_store(&critical.averted, 0);
    atomic_store(&critical.pauses, 0);
    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = *model;
        racers[i].id = i + 3;
        contexts[i] = &racers[i];
    }
    test_run_threads(THREADS, race, contexts);
    printf("%s: %zu pauses, %zu times averted\n", what, (size_t)critical.pauses,
           (size_t)critical.averted);
    CHECK(critical.averted > 0);
    stress_passed(what);
}

/* Up to two magazines. */
static void turn_stack(struct racer *self, size_t wanted)
{
    vf_magazine *taken[2];
    if (self->count < wanted) {
        uint32_t n = get(taken, (uint32_t)(wanted - self->count), self->id);
        for (uint32_t i = 0; i < n; i++)
            self->held[self->count++] = taken[i];
    } else if (self->count > wanted) {
        vf_magazine *last = self->held[self->count - 1];
        vf_magazine *first = self->held[wanted];
        for (size_t i = wanted; i < self->count; i++)
            stress_disclaim(owner_of(self->held[i]), self->id);
        if (first != last)
            vf_store_relaxed(&first->link, last->index);
        put(first, last);
        self->count = wanted;
    }
}

static void run_stack(void)
{
    critical.index_mask = VF_STACK_INDEX_MASK;
    new_stack(MAGAZINES);
    run_racers("stack",
               &(struct racer){.turns = stress_count(16000, 8000), .most = 2, .turn = turn_stack});
    vf_magazine *taken[MAGAZINES];
    uint32_t n = 0;
    while (n < MAGAZINES && get(&taken[n], 1, VICTIM) == 1)
        n++;
    CHECK(n == MAGAZINES && get(taken, 1, VICTIM) == 0);
}

static void turn_pool(struct racer *self, size_t wanted)
{
    while (self->count < wanted) {
        struct item *item = pool_item_64_alloc(self->pool);
        if (item == NULL)
            break;
        stress_claim(&item->owner, self->id);
        self->held[self->count++] = item;
    }
    while (self->count > wanted) {
        struct item *item = self->held[--self->count];
        stress_disclaim(&item->owner, self->id);
        pool_item_64_free(self->pool, item);
    }
}

/* Zeroed, so that no object has an owner at first. */
static void *zeroed_alloc(void *context, size_t size, size_t alignment)
{
    const bool *refuse = context;
    void *memory;
    if (*refuse)
        return NULL;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    return posix_memalign(&memory, alignment, size) == 0 ? memset(memory, 0, size) : NULL;
}

static void zeroed_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context, (void)size, (void)alignment;
    free(memory);
}

/* So many objects are there, and free: magazines lie on one another. */
static void fill_depot(pool_item_64 *pool, size_t n)
{
    struct item *items[STOCK];
    CHECK(pool_item_64_alloc_n(pool, items, n) == n);
    pool_item_64_free_n(pool, items, n);
}

/* Every slot can be had, and each once: none is lost, none is there twice. */
static void take_all(pool_item_64 *pool)
{
    vf_pool_stats stats = pool_item_64_stats(pool);
    CHECK(stats.live == 0);
    struct item **items = calloc(stats.capacity + 1, sizeof *items);
    CHECK(items != NULL);
    CHECK(pool_item_64_alloc_n(pool, items, stats.capacity + 1) == stats.capacity);
    for (size_t i = 0; i < stats.capacity; i++)
        stress_claim(&items[i]->owner, VICTIM);
    pool_item_64_free_n(pool, items, stats.capacity);
    free(items);
}

static void run_pool(const char *what, size_t cap, uint64_t index_mask)
{
    bool refuse = false;
    vf_pool_options options = {.allocator = {zeroed_alloc, zeroed_dealloc, &refuse},
                               .max_objects = cap,
                               .cache_objects = VF_CACHE_NONE};
    pool_item_64 *pool = pool_item_64_new(&options);
    CHECK(pool != NULL);
    critical.index_mask = index_mask;
    fill_depot(pool, cap != 0 ? cap : STOCK);
    run_racers(what, &(struct racer){.pool = pool,
                                     .turns = cap != 0 ? stress_count(16000, 8000)
                                                       : stress_count(4000, 1500),
                                     .most = cap != 0 ? 2 : HELD,
                                     .turn = turn_pool});
    refuse = true;
    take_all(pool);
    pool_item_64_release(pool);
}

static void run_depot(void)
{
    run_pool("depot", 0, VF_STACK_INDEX_MASK);
}

static void run_capped(void)
{
    run_pool("capped", CAP, 7);
}

int main(int argc, char **argv)
{
    stress_begin("stress_aba");
    printf("tag of %d bits\n", VF_TAG_BITS);
    const struct {
        const char *name;
        void (*run)(void);
    } scenes[] = {{"stepped", run_stepped},
                  {"stack", run_stack},
                  {"depot", run_depot},
                  {"capped", run_capped}};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (argc < 2 || strcmp(argv[1], scenes[i].name) == 0)
            scenes[i].run();
    }
    CHECK(stress.passed > 0); /* the scene that was asked for exists */
    return stress_end();
}
