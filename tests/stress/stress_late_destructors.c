/* SPDX-License-Identifier: MIT */
/*
 * stress_late_destructors.c - alloc and free in destructors of thread-specific data, before and
 * after the library's own has run.
 *
 *     keys:   early   library's   late        destructors run round after round, in this order,
 *     round 1   x         x        x          while there is one whose value was set again
 *     round 2   x                  x
 *     ...
 *
 * Threads hand objects to one another, so that what one allocates at its end another frees at its
 * end. When all are gone, no object is live and every slot can be had: nothing that a thread did
 * at its end is lost.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "allocator.h"
#include "stress.h"

struct item {
    _Atomic uint64_t owner;
    uint64_t stamp;
};

#define VF_T struct item
#define VF_N 256
#include <veryfast/pool.h>

#define VF_T    int
#define VF_N    1
#define VF_NAME farewells
#define VF_LANES
#include <veryfast/smallbuf.h>

#define AT_ONCE 8
#define PLACES  32
#define HELD    12

/* The library's mark of a thread whose exit hook has run; see src/pool/indices.h. */
#define INDEX_AFTER_EXIT 1

/* ThreadSanitizer takes its own leave of a thread in the last round; instrumented code that runs
   behind it crashes. The library's exit hook is such code, one round behind ours. */
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - 2 * STRESS_THREAD_SANITIZER)

struct mourner {
    pthread_key_t key; /* the one whose destructor gets it */
    unsigned skip;     /* rounds to let pass */
    unsigned rounds;   /* rounds to call in, then */
    uint64_t random;
    struct item *held[HELD];
};

static struct {
    pthread_key_t early, late;
    pool_item_256 *pool;
    test_allocator allocator;
    _Atomic(struct item *) places[PLACES];
    atomic_size_t before_exit, after_exit; /* allocs and frees in destructors */
    atomic_size_t others;                  /* frees of what another thread allocated */
    atomic_size_t threads;
} test;

static void count_call(void)
{
    if (vf_thread_own() == INDEX_AFTER_EXIT)
        atomic_fetch_add(&test.after_exit, 1);
    else
        atomic_fetch_add(&test.before_exit, 1);
}

static struct item *make(struct mourner *self)
{
    struct item *item = pool_item_256_alloc(test.pool);
    CHECK(item != NULL);
    count_call();
    stress_claim(&item->owner, (uintptr_t)self);
    item->stamp = (uintptr_t)self;
    return item;
}

static void unmake(struct mourner *self, struct item *item)
{
    if (item == NULL)
        return;
    CHECK(item->stamp == atomic_load(&item->owner));
    if (item->stamp != (uintptr_t)self)
        atomic_fetch_add(&test.others, 1);
    stress_disclaim(&item->owner, item->stamp);
    count_call();
    pool_item_256_free(test.pool, item);
}

/* Some of everything: own objects, and an exchange with whoever was there before. */
static void work(struct mourner *self)
{
    for (size_t i = 0; i < HELD; i++) {
        if (self->held[i] == NULL)
            self->held[i] = make(self);
        size_t place = stress_chance(&self->random, PLACES);
        self->held[i] = atomic_exchange(&test.places[place], self->held[i]);
        if (stress_chance(&self->random, 2) == 0) {
            unmake(self, self->held[i]);
            self->held[i] = NULL;
        }
    }
    if (stress_chance(&self->random, 4) == 0)
        vf_thread_flush();
}

static void destructor(void *argument)
{
    struct mourner *self = argument;
    if (self->skip > 0) {
        self->skip--;
        CHECK(pthread_setspecific(self->key, self) == 0);
        return;
    }
    work(self);
    if (--self->rounds > 0) {
        CHECK(pthread_setspecific(self->key, self) == 0);
        return;
    }
    for (size_t i = 0; i < HELD; i++)
        unmake(self, self->held[i]);
    free(self);
}

static void leave_mourner(pthread_key_t key, uint64_t *random, unsigned skip)
{
    struct mourner *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->key = key;
    self->skip = skip;
    self->rounds = 1 + (unsigned)stress_chance(random, (size_t)ROUNDS - skip);
    self->random = test_random(random);
    CHECK(pthread_setspecific(key, self) == 0);
}

/* A thread that calls at its end, and one in two before. */
static void *live_and_die(void *argument)
{
    (void)argument;
    uint64_t random = stress_random_state(atomic_fetch_add(&test.threads, 1));
    size_t keys = 1 + stress_chance(&random, 3);
    if ((keys & 1) != 0)
        leave_mourner(test.early, &random, 0);
    if ((keys & 2) != 0)
        leave_mourner(test.late, &random, 0);
    if (stress_chance(&random, 2) == 0) {
        struct item *item = pool_item_256_alloc(test.pool);
        CHECK(item != NULL);
        pool_item_256_free(test.pool, item);
    }
    return NULL;
}

/* A thread that first calls in the last round that there is, behind the library's place in it: no
   exit hook can run for it any more. */
static void *first_call_is_last(void *argument)
{
    (void)argument;
    uint64_t random = stress_random_state(atomic_fetch_add(&test.threads, 1));
    leave_mourner(test.late, &random, PTHREAD_DESTRUCTOR_ITERATIONS - 1);
    return NULL;
}

static void run_threads(size_t rounds, void *(*body)(void *))
{
    void *contexts[AT_ONCE] = {NULL};
    for (size_t i = 0; i < rounds; i++)
        test_run_threads(AT_ONCE, body, contexts);
}

static void drain(void)
{
    struct mourner main_thread = {0};
    for (size_t i = 0; i < PLACES; i++)
        unmake(&main_thread, atomic_exchange(&test.places[i], NULL));
}

/* Out of memory, every slot is allocated again: none is lost with a thread. */
static void take_all(void)
{
    vf_pool_stats stats = pool_item_256_stats(test.pool);
    CHECK(stats.live == 0);
    struct item **items = calloc(stats.capacity, sizeof *items);
    CHECK(items != NULL);
    atomic_store(&test.allocator.refuse, true);
    errno = 0;
    size_t got = pool_item_256_alloc_n(test.pool, items, stats.capacity);
    int was = errno;
    atomic_store(&test.allocator.refuse, false);
    for (size_t i = 0; i < got; i++)
        stress_claim(&items[i]->owner, i + 1);
    for (size_t i = 0; i < got; i++)
        stress_disclaim(&items[i]->owner, i + 1);
    pool_item_256_free_n(test.pool, items, got);
    free(items);
    if (got != stats.capacity)
        fprintf(stderr, "%zu of %zu slots are out of reach\n", stats.capacity - got,
                stats.capacity);
    CHECK(got == stats.capacity && was == 0); /* though it has looked for threads that are gone */
}

static void new_pool(void)
{
    vf_pool_options options = {.allocator = test_allocator_hook(&test.allocator)};
    CHECK((test.pool = pool_item_256_new(&options)) != NULL);
}

static void end_pool(void)
{
    drain();
    take_all();
    pool_item_256_release(test.pool);
    CHECK(test.allocator.blocks == 0);
}

static void any_round(void)
{
    new_pool();
    run_threads(stress_count(600, 100), live_and_die);
    CHECK(test.before_exit > 0 && test.after_exit > 0 && test.others > 0);
    end_pool();
    stress_passed("calls in all rounds of destructors");
}

/* Memory is bounded here too: threads leave nothing that only they could reach. How much it is
   depends on how soon the system forgets a thread that was joined. */
static void last_round(void)
{
    new_pool();
    run_threads(stress_count(50, 10), first_call_is_last);
    size_t bytes = test.allocator.bytes;
    size_t calls = atomic_load(&test.before_exit);
    run_threads(stress_count(400, 50), first_call_is_last);
    CHECK(atomic_load(&test.before_exit) >= calls + stress_count(400, 50) * AT_ONCE);
    CHECK(test.allocator.bytes <= 3 * bytes); /* leaving all would make it 6 times as much */
    end_pool();
    stress_passed("first calls in the last round");
}

#define BEFORE AT_ONCE
#define LIVING (5 * AT_ONCE) /* so that the others have all indices that were given back */

static struct {
    pthread_barrier_t here, leave;
    pthread_t threads[LIVING];
    uint32_t index[LIVING];
} living;

static void *live_on(void *index)
{
    struct item *item = pool_item_256_alloc(test.pool);
    CHECK(item != NULL);
    *(uint32_t *)index = vf_thread_own();
    pthread_barrier_wait(&living.here);
    pthread_barrier_wait(&living.leave);
    pool_item_256_free(test.pool, item);
    return NULL;
}

static void start_living(size_t from, size_t to)
{
    pthread_barrier_init(&living.here, NULL, (unsigned)(to - from + 1));
    for (size_t i = from; i < to; i++)
        CHECK(pthread_create(&living.threads[i], NULL, live_on, &living.index[i]) == 0);
    pthread_barrier_wait(&living.here);
}

/* An alloc that fails, behind all that there is: it looks for threads that are gone. */
static void look_for_gone(void)
{
    static struct item *items[100 * 256];
    atomic_store(&test.allocator.refuse, true);
    size_t n = pool_item_256_alloc_n(test.pool, items, 100 * 256);
    atomic_store(&test.allocator.refuse, false);
    CHECK(n < sizeof items / sizeof *items);
    pool_item_256_free_n(test.pool, items, n);
}

/* Threads that are there, between others that are gone, keep what they have: none gets the index of
   another. (0: it found the library busy, and has none.) */
static void living_ones(void)
{
    new_pool();
    pthread_barrier_init(&living.leave, NULL, LIVING + 1);
    run_threads(1, first_call_is_last);
    start_living(0, BEFORE);
    run_threads(1, first_call_is_last); /* indices of theirs are above, or below, or both */
    look_for_gone();
    start_living(BEFORE, LIVING);
    for (size_t i = 0; i < LIVING; i++) {
        for (size_t k = 0; k < i; k++)
            CHECK(living.index[i] == 0 || living.index[i] != living.index[k]);
    }
    pthread_barrier_wait(&living.leave);
    for (size_t i = 0; i < LIVING; i++)
        pthread_join(living.threads[i], NULL);
    pthread_barrier_destroy(&living.leave);
    end_pool();
}

/* ---- lanes ---- */

static farewells buffer;
static pthread_key_t pushes;
static atomic_size_t pushed, pushed_behind_exit;

/* The index may be another thread's by now: that one's lane is not for this one. (A thread that has
   found the library busy never had an index, and has no exit hook.) */
static void push_behind_exit(void *argument)
{
    if (vf_thread_own() != INDEX_AFTER_EXIT) {
        CHECK(pthread_setspecific(pushes, argument) == 0);
        return;
    }
    CHECK(farewells_push(&buffer, 1));
    CHECK(vf_thread_lane() > UINT32_MAX); /* a number that is no index */
    atomic_fetch_add(&pushed_behind_exit, 1);
}

static void *push_and_end(void *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++, atomic_fetch_add(&pushed, 1))
        CHECK(farewells_push(&buffer, 0));
    CHECK(pthread_setspecific(pushes, &buffer) == 0);
    return NULL;
}

static void lanes_of_the_dead(void)
{
    while (pushed_behind_exit == 0)
        run_threads(4, push_and_end);
    CHECK(farewells_count(&buffer) == pushed + pushed_behind_exit);
    farewells_destroy(&buffer);
    stress_passed("pushes behind the end of a thread's index");
}

int main(void)
{
    stress_begin("stress_late_destructors");
    CHECK(pthread_key_create(&test.early, destructor) == 0);
    new_pool(); /* the first pool of a process makes the library's key */
    pool_item_256_release(test.pool);
    CHECK(pthread_key_create(&test.late, destructor) == 0);
    CHECK(pthread_key_create(&pushes, push_behind_exit) == 0);
    any_round();
    lanes_of_the_dead();
    if (!STRESS_THREAD_SANITIZER) {
        last_round();
        for (int i = 0; i < 10; i++)
            living_ones();
        stress_passed("threads that are there are not taken for gone");
    }
    return stress_end();
}
