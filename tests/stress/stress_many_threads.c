/* SPDX-License-Identifier: MIT */
/*
 * stress_many_threads.c - 100,000 threads one after another, and 1,000 at once.
 *
 * What a thread leaves must serve the next one: indices, caches, free slots. So the pool's memory,
 * measured at the allocator, is bounded by how many threads there are at once and how many objects
 * are live at once, however many threads there have been.
 */
#include <pthread.h>

#include "allocator.h"
#include "stress.h"

struct item {
    _Atomic uint64_t owner;
    uint64_t stamp;
    uint64_t rest[6];
};

#define VF_T struct item
#define VF_N 64
#include <veryfast/pool.h>

#define CACHE_OBJECTS 64

/* one after another */
#define IN_A_ROW 4 /* at once, to have somebody to trade with */
#define PLACES   32
#define ITEMS    8

/* all at once */
#define CROWD       1000
#define CROWD_ITEMS 8

static struct {
    pool_item_64 *pool;
    test_allocator allocator;
    _Atomic(struct item *) places[PLACES];
    atomic_size_t others; /* objects freed by a thread that did not allocate them */
    pthread_barrier_t crowd;
    struct item *items[CROWD][CROWD_ITEMS];
} test;

/*
 * The bound that the README gives, for a number of threads at once and of objects live at once:
 * 1.02 * objects * size + a bit an object + 64 bytes a batch + 4 KiB + 4 KiB and the cached objects
 * a thread. A thread takes 64 free objects at a time, and others must grow the pool meanwhile.
 */
static size_t bound(size_t threads, size_t live)
{
    size_t cached = threads * CACHE_OBJECTS;
    size_t taken = threads * 64;
    size_t batches = (live + cached + taken + 63) / 64;
    size_t objects = batches * 64;
    return objects * sizeof(struct item) * 102 / 100 + objects / 8 + batches * 64 + 4096 +
           threads * 4096;
}

static void new_pool(void)
{
    vf_pool_options options = {.allocator = test_allocator_hook(&test.allocator),
                               .cache_objects = CACHE_OBJECTS};
    atomic_store(&test.allocator.peak, 0);
    CHECK((test.pool = pool_item_64_new(&options)) != NULL);
}

static void end_pool(void)
{
    CHECK(pool_item_64_stats(test.pool).live == 0);
    pool_item_64_release(test.pool);
    CHECK(test.allocator.blocks == 0);
}

static struct item *make(uint64_t thread)
{
    struct item *item = pool_item_64_alloc(test.pool);
    CHECK(item != NULL);
    stress_claim(&item->owner, thread);
    item->stamp = thread;
    return item;
}

static void unmake(struct item *item, uint64_t thread)
{
    if (item == NULL)
        return;
    if (item->stamp != thread)
        atomic_fetch_add(&test.others, 1);
    stress_disclaim(&item->owner, item->stamp);
    pool_item_64_free(test.pool, item);
}

/* A short life: a few objects made, some of them exchanged for those of other threads, all that
   it then has freed. argument is the thread's number, from 1. */
static void *live_shortly(void *argument)
{
    uint64_t thread = (uintptr_t)argument;
    uint64_t random = stress_random_state(thread);
    struct item *items[ITEMS];
    size_t n = 1 + stress_chance(&random, ITEMS);
    for (size_t i = 0; i < n; i++) {
        items[i] = make(thread);
        if (stress_chance(&random, 2) == 0)
            items[i] = atomic_exchange(&test.places[stress_chance(&random, PLACES)], items[i]);
    }
    for (size_t i = 0; i < n; i++)
        unmake(items[i], thread);
    return NULL;
}

static void one_after_another(void)
{
    /* starting a thread is slow under either sanitizer */
    const size_t count = stress_count(STRESS_ADDRESS_SANITIZER ? 40000 : 100000, 20000);
    new_pool();
    pthread_t threads[IN_A_ROW];
    for (size_t i = 0; i < count + IN_A_ROW; i++) {
        if (i >= IN_A_ROW)
            CHECK(pthread_join(threads[i % IN_A_ROW], NULL) == 0);
        if (i < count)
            CHECK(pthread_create(&threads[i % IN_A_ROW], NULL, live_shortly,
                                 (void *)(uintptr_t)(i + 1)) == 0);
    }
    for (size_t i = 0; i < PLACES; i++)
        unmake(atomic_exchange(&test.places[i], NULL), 0);
    size_t most = bound(IN_A_ROW + 1, PLACES + IN_A_ROW * ITEMS);
    printf("%zu threads: peak %zu bytes, bound %zu, others' objects freed %zu\n", count,
           (size_t)test.allocator.peak, most, (size_t)test.others);
    CHECK(test.allocator.peak <= most);
    CHECK(test.others > count / 10);
    end_pool();
    stress_passed("one after another, with bounded memory");
}

/* All allocate, then all free what their neighbour has, and all are there until all have done. */
static void *join_crowd(void *argument)
{
    size_t self = (uintptr_t)argument;
    for (size_t i = 0; i < CROWD_ITEMS; i++)
        test.items[self][i] = make(self + 1);
    pthread_barrier_wait(&test.crowd);
    for (size_t i = 0; i < CROWD_ITEMS; i++)
        unmake(test.items[(self + 1) % CROWD][i], self + 1);
    pthread_barrier_wait(&test.crowd);
    return NULL;
}

static void run_crowd(void)
{
    static void *contexts[CROWD];
    for (size_t i = 0; i < CROWD; i++)
        contexts[i] = (void *)(uintptr_t)i;
    test_run_threads(CROWD, join_crowd, contexts);
}

static void all_at_once(void)
{
    new_pool();
    CHECK(pthread_barrier_init(&test.crowd, NULL, CROWD) == 0);
    atomic_store(&test.others, 0);
    const size_t crowds = stress_count(3, 3);
    /* what a crowd takes where each thread has a cache, and 64 slots for it. A thread that comes
       while many others do may have to go without, so the first crowd may take far less */
    const size_t with_caches = CROWD * (64 * sizeof(struct item) + 1024);
    size_t first = 0;
    size_t most = bound(CROWD + 1, CROWD * CROWD_ITEMS);
    for (size_t i = 0; i < crowds; i++) {
        run_crowd();
        if (i == 0)
            first = test.allocator.peak;
        /* all is reused, or three would take three times as much */
        CHECK(test.allocator.peak <= 2 * first || test.allocator.peak <= with_caches);
        printf("%d threads at once: peak %zu bytes, bound %zu\n", CROWD,
               (size_t)test.allocator.peak, most);
    }
    CHECK(test.allocator.peak <= most);
    CHECK(test.others == crowds * CROWD * CROWD_ITEMS);
    pthread_barrier_destroy(&test.crowd);
    end_pool();
    stress_passed("a thousand at once, with bounded memory");
}

int main(void)
{
    stress_begin("stress_many_threads");
    one_after_another();
    all_at_once();
    return stress_end();
}
