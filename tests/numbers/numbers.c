/* SPDX-License-Identifier: MIT */
/*
 * numbers.c - a program with VF_THREAD_INDEX: threads come and go, and a number goes from one to
 * the next with all that its cache has. And a plug-in is reloaded a hundred times while pools live.
 *
 *     numbers PLUGIN
 */
#include "shared.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "support/allocator.h"
#include "support/threads.h"

enum { THREADS = 4, ROUNDS = 50, RELOADS = 100, MANY = 3000 };

static _Thread_local unsigned own_number;

unsigned number_of_thread(void)
{
    return own_number;
}

typedef struct worker {
    unsigned number;
    longs *pool;
    const char *plugin;
    long *kept[KEPT];
    long round;
} worker;

static longs *make(test_allocator *memory)
{
    longs *pool = longs_new(&(vf_pool_options){.allocator = test_allocator_hook(memory)});
    CHECK(pool != NULL);
    return pool;
}

static void *fill_and_empty(void *context)
{
    worker *self = context;
    static _Thread_local long *objects[MANY];
    own_number = self->number;
    for (size_t i = 0; i < MANY; i++)
        CHECK((objects[i] = longs_push(self->pool, (long)i)) != NULL);
    for (size_t i = 0; i < MANY; i++)
        CHECK(longs_take(self->pool, objects[i]) == (long)i);
    return NULL;
}

/* A thread leaves its cache to the next one of its number, and nothing is lost. */
static void test_hand_over(void)
{
    test_allocator memory = {0};
    longs *pool = make(&memory);
    worker workers[THREADS] = {{0}};
    void *contexts[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){.number = i == 0 ? 4095 : i, .pool = pool};
        contexts[i] = &workers[i];
    }
    /* one at a time: of those that meet, one may make a batch where another is in the midst of a
       call that takes the free slots of one, and gives some back */
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < THREADS; i++)
            test_run_threads(1, fill_and_empty, &contexts[i]);
    }
    /* no new ones for new threads */
    CHECK(longs_stats(pool).batches <= (size_t)THREADS * (MANY / 64 + 2));

    for (int round = 0; round < ROUNDS; round++) {
        test_run_threads(THREADS, fill_and_empty, contexts);
        vf_pool_stats stats = longs_stats(pool);
        CHECK(stats.live == 0 && stats.cached > 0);
        CHECK(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    }

    /* a thread that takes over a number gives back by a flush what the one before it had */
    for (unsigned i = 0; i < THREADS; i++) {
        own_number = workers[i].number;
        vf_thread_flush();
    }
    own_number = 0;
    vf_thread_flush();
    CHECK(longs_stats(pool).cached == 0);
    CHECK(longs_trim(pool) > 0);
    longs_release(pool);
    CHECK(atomic_load(&memory.bytes) == 0);
}

/* ThreadSanitizer does not see the lock of the C library's loader. */
static pthread_mutex_t loader = PTHREAD_MUTEX_INITIALIZER;

static void *load(const char *path)
{
    pthread_mutex_lock(&loader);
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        fprintf(stderr, "%s\n", dlerror());
    pthread_mutex_unlock(&loader);
    return plugin;
}

static void unload(void *plugin)
{
    pthread_mutex_lock(&loader);
    dlclose(plugin);
    pthread_mutex_unlock(&loader);
}

static void *load_and_turn(void *context)
{
    worker *self = context;
    own_number = self->number;
    void *plugin = load(self->plugin);
    CHECK(plugin != NULL);
    plugin_turn *turn;
    *(void **)&turn = dlsym(plugin, "turn");
    CHECK(turn != NULL);
    CHECK(turn(self->pool, self->kept, self->round - 1, self->round) == 0);
    unload(plugin);
    return NULL;
}

/* Each load frees what the last one allocated, on threads that have ended since. */
static void test_reload(const char *path)
{
    test_allocator memory = {0};
    longs *pool = make(&memory);
    worker workers[THREADS] = {{0}};
    void *contexts[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){.number = i + 1, .pool = pool, .plugin = path};
        contexts[i] = &workers[i];
    }
    for (long round = 1; round <= RELOADS; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            workers[i].round = round;
        test_run_threads(THREADS, load_and_turn, contexts);
        CHECK(longs_stats(pool).live == (size_t)THREADS * KEPT);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < KEPT; k++)
            CHECK(longs_take(pool, workers[i].kept[k]) == RELOADS);
    }
    longs_release(pool); /* the caches' memory goes with it, though no thread has flushed */
    CHECK(atomic_load(&memory.bytes) == 0);
}

/* What is reserved is there for a thread of any number, without the allocator; and a destroyed pool
   leaves nothing to the threads that had caches in it. */
static void test_reserve_and_destroy(void)
{
    test_allocator memory = {0};
    for (int round = 0; round < ROUNDS; round++) {
        longs *pool = make(&memory);
        CHECK(longs_reserve(pool, MANY));
        atomic_store(&memory.refuse, true);
        worker self = {.number = (unsigned)(round * 81), .pool = pool};
        test_run_threads(1, fill_and_empty, &(void *){&self});
        CHECK(longs_push(pool, 1) != NULL && atomic_load(&memory.refused) == 0);
        atomic_store(&memory.refuse, false);
        longs_destroy(pool);
        CHECK(atomic_load(&memory.bytes) == 0);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    test_hand_over();
    test_reload(argv[1]);
    test_reserve_and_destroy();
    return 0;
}
