/* SPDX-License-Identifier: MIT */
/*
 * stress_fork.c - fork in the midst of other threads' work.
 *
 *     parent:  workers alloc, free, flush, ... all the time        main: fork, wait, fork, ...
 *     child:   one thread. Takes all that it can get of each pool, frees what it finds to be
 *              live, releases caches and pools, exits
 *
 * Owner words are in the objects, and a fork copies them with the rest. So the child knows what is
 * live: an object that it is given and that bears an owner's mark has been handed out twice. The
 * workers mark an object after its alloc and unmark it before its free; what was in their hands in
 * between is lost to the child, which is why it need not get everything. Where workers stand still
 * at the fork, it must, and give all memory back.
 */
#include "pages.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "any_pool.h"
#include "stress.h"

struct line {
    _Atomic uint64_t owner;
    uint64_t contents[7];
};

#define VF_T struct line
#define VF_N 256
#include <veryfast/pool.h>

ANY_POOL(pool_line_256, struct line, 256);
static const any_pool_type *const type = &any_pool_line_256;

#define WORKERS 2
#define POOLS   4
#define HELD    600   /* most objects that a worker holds of one pool */
#define BURST   40    /* most in its hands in one call */
#define FORKS   40    /* in a round */
#define RESERVE 4000  /* slots that each pool has from the start */
#define MOST    20000 /* and at the end, at most */
#define CHILD   UINT64_C(1000)

static const struct {
    size_t cache_objects, max_objects;
    size_t in_motion; /* slots that one call of a worker may be moving */
} kinds[POOLS] = {
    {512, 0, 512 + 128},
    {24, 0, 24 + 128},
    {VF_CACHE_NONE, 0, 1024 + 128}, /* through caches that workers hold */
    {0, RESERVE, 1},
};

struct worker {
    uint64_t id; /* 1 ... */
    uint64_t random;
    size_t turns;
    void *caches[POOLS]; /* held; set after a cache was made and cleared before it is released */
    struct line *held[POOLS][HELD];
    size_t count[POOLS];
};

static struct {
    void *pools[POOLS];
    struct pages pages;
    struct worker workers[WORKERS];
    atomic_bool stop;
    atomic_bool halt;    /* workers are to stand still */
    atomic_uint halting; /* how many do */
    size_t children;
} test;

/* The child sees a worker as of one moment between two of its instructions; so what the test
   relies on must not be moved by the compiler. */
static void in_this_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static void mark(struct line *line, uint64_t owner)
{
    in_this_order();
    stress_claim(&line->owner, owner);
    line->contents[0] = owner;
}

static void unmark(struct line *line, uint64_t owner)
{
    CHECK(line->contents[0] == owner);
    stress_disclaim(&line->owner, owner);
    in_this_order();
}

static void get_some(struct worker *self, size_t p)
{
    void *objects[BURST];
    size_t n = 1 + stress_chance(&self->random, BURST);
    if (n > HELD - self->count[p])
        n = HELD - self->count[p];
    size_t way = stress_chance(&self->random, 3);
    size_t got = 0;
    if (way == 0) {
        got = type->alloc_n(test.pools[p], objects, n);
    } else {
        for (; got < n; got++) {
            objects[got] = way == 1 && self->caches[p] != NULL ? type->cache_alloc(self->caches[p])
                                                               : type->alloc(test.pools[p]);
            if (objects[got] == NULL)
                break;
        }
    }
    CHECK(got == n || kinds[p].max_objects != 0);
    for (size_t i = 0; i < got; i++) {
        mark(objects[i], self->id);
        self->held[p][self->count[p]] = objects[i];
        in_this_order();
        self->count[p]++;
    }
}

static void give_some(struct worker *self, size_t p)
{
    void *objects[BURST];
    size_t n = 1 + stress_chance(&self->random, BURST);
    if (n > self->count[p])
        n = self->count[p];
    for (size_t i = 0; i < n; i++) {
        struct line *line = self->held[p][--self->count[p]];
        unmark(line, self->id);
        objects[i] = line;
    }
    size_t way = stress_chance(&self->random, 3);
    if (way == 0)
        type->free_n(test.pools[p], objects, n);
    for (size_t i = 0; way != 0 && i < n; i++) {
        if (way == 1 && self->caches[p] != NULL)
            type->cache_free(self->caches[p], objects[i]);
        else
            type->free(test.pools[p], objects[i]);
    }
}

static void change_cache(struct worker *self, size_t p)
{
    void *cache = self->caches[p];
    if (cache == NULL) {
        CHECK((cache = type->cache_new(test.pools[p])) != NULL);
        self->caches[p] = cache;
        return;
    }
    self->caches[p] = NULL;
    in_this_order();
    type->cache_release(cache);
}

/* A batch more, so that now and then a fork meets a pool that is growing. */
static void grow(size_t p)
{
    vf_pool_stats stats = type->stats(test.pools[p]);
    if (kinds[p].max_objects == 0 && stats.capacity < MOST - 4000)
        CHECK(type->reserve(test.pools[p], stats.depot + stats.cached + stats.fresh + 1));
}

static void halt_if_asked(void)
{
    if (!atomic_load(&test.halt))
        return;
    atomic_fetch_add(&test.halting, 1);
    while (atomic_load(&test.halt))
        sched_yield();
    atomic_fetch_sub(&test.halting, 1);
}

/* Up and down between none and HELD objects, in strokes, so that caches grow, fill and empty. */
static void *work(void *argument)
{
    struct worker *self = argument;
    while (!atomic_load(&test.stop)) {
        size_t p = stress_chance(&self->random, POOLS);
        size_t stroke = stress_chance(&self->random, 2 * HELD / BURST);
        bool up = stress_chance(&self->random, 2) == 0;
        for (size_t i = 0; i < stroke; i++) {
            if (up)
                get_some(self, p);
            else
                give_some(self, p);
            halt_if_asked();
        }
        if (stress_chance(&self->random, 8) == 0)
            vf_thread_flush();
        if (stress_chance(&self->random, 8) == 0)
            change_cache(self, p);
        if (stress_chance(&self->random, 50) == 0)
            grow(p);
        self->turns++;
    }
    return NULL;
}

static size_t live_of_workers(size_t p)
{
    size_t live = 0;
    for (size_t w = 0; w < WORKERS; w++)
        live += test.workers[w].count[p];
    return live;
}

/* In the child: all that can be had of a pool, each object once, and none that is live. */
static size_t take_all(size_t p, void **objects, size_t most, bool calm)
{
    vf_pool_stats stats = type->stats(test.pools[p]);
    size_t live = live_of_workers(p);
    CHECK(stats.live <= stats.capacity && stats.capacity <= most);
    CHECK(stats.capacity == stats.live + stats.cached + stats.depot + stats.fresh);
    CHECK(!calm || stats.live == live);
    size_t n = 0;
    while (n < most && (objects[n] = type->alloc(test.pools[p])) != NULL)
        mark(objects[n++], CHILD);
    size_t lost = calm ? 0 : WORKERS * (BURST + kinds[p].in_motion);
    CHECK(n <= stats.capacity - live + WORKERS * BURST);
    if (n + live + lost < stats.capacity)
        fprintf(stderr, "pool %zu: capacity %zu, given %zu, live %zu\n", p, stats.capacity, n,
                live);
    CHECK(n + live + lost >= stats.capacity);
    CHECK(!calm || n + live == stats.capacity);
    return n;
}

static void free_all(size_t p, void **objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        unmark(objects[i], CHILD);
    type->free_n(test.pools[p], objects, n / 2);
    for (size_t i = n / 2; i < n; i++)
        type->free(test.pools[p], objects[i]);
}

/* What the workers had, as far as it bears their marks. */
static void free_held(size_t p)
{
    for (size_t w = 0; w < WORKERS; w++) {
        struct worker *worker = &test.workers[w];
        for (size_t i = 0; i < worker->count[p]; i++) {
            if (atomic_load(&worker->held[p][i]->owner) == worker->id)
                type->free(test.pools[p], worker->held[p][i]);
        }
    }
}

/* The caches that the workers held are the child's now. */
static void release_held_caches(size_t p)
{
    for (size_t w = 0; w < WORKERS; w++) {
        void *cache = test.workers[w].caches[p];
        if (cache == NULL)
            continue;
        void *object = type->cache_alloc(cache);
        if (object != NULL) {
            mark(object, CHILD);
            unmark(object, CHILD);
            type->cache_free(cache, object);
        }
        type->cache_release(cache);
    }
}

static void child(bool calm)
{
    static void *objects[MOST];
    for (size_t p = 0; p < POOLS; p++) {
        release_held_caches(p);
        atomic_store(&test.pages.refuse, true);
        size_t n = take_all(p, objects, MOST, calm);
        atomic_store(&test.pages.refuse, false);
        free_all(p, objects, n);
        if (p % 2 == 0)
            vf_thread_flush();
        free_held(p);
        if (calm)
            CHECK(type->stats(test.pools[p]).live == 0);
        type->release(test.pools[p]);
    }
    CHECK(!calm || atomic_load(&test.pages.blocks) == 0);
    void *another = type->create(NULL);
    CHECK(another != NULL);
    type->free(another, type->alloc(another));
    type->release(another);
}

static void fork_once(bool calm)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(60); /* where it hangs, it fails */
        child(calm);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    test.children++;
}

static void fork_calmly(void)
{
    atomic_store(&test.halt, true);
    while (atomic_load(&test.halting) < WORKERS)
        sched_yield();
    fork_once(true);
    atomic_store(&test.halt, false);
    while (atomic_load(&test.halting) > 0)
        sched_yield();
}

/* The thread that forks: one with caches, or one that has not called yet. */
static void *fork_from_thread(void *argument)
{
    if (argument != NULL) {
        for (size_t p = 0; p < POOLS; p++)
            type->free(test.pools[p], type->alloc(test.pools[p]));
    }
    fork_once(false);
    return NULL;
}

static void fork_somehow(size_t number)
{
    pthread_t thread;
    switch (number % 4) {
    case 0:
        fork_calmly();
        break;
    case 1:
        fork_once(false);
        break;
    default:
        CHECK(pthread_create(&thread, NULL, fork_from_thread, number % 4 == 2 ? &test : NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

static void open_pools(void)
{
    static void *objects[RESERVE];
    for (size_t p = 0; p < POOLS; p++) {
        vf_pool_options options = {.allocator = pages_hook(&test.pages),
                                   .cache_objects = kinds[p].cache_objects,
                                   .max_objects = kinds[p].max_objects};
        CHECK((test.pools[p] = type->create(&options)) != NULL);
        CHECK(type->alloc_n(test.pools[p], objects, RESERVE) == RESERVE);
        type->free_n(test.pools[p], objects, RESERVE);
    }
    vf_thread_flush();
}

/* The parent is as if nothing had been. */
static void close_pools(void)
{
    for (size_t p = 0; p < POOLS; p++) {
        CHECK(type->stats(test.pools[p]).live == live_of_workers(p));
        for (size_t w = 0; w < WORKERS; w++) {
            while (test.workers[w].count[p] > 0)
                give_some(&test.workers[w], p);
            if (test.workers[w].caches[p] != NULL)
                change_cache(&test.workers[w], p);
        }
        CHECK(type->stats(test.pools[p]).live == 0);
        type->release(test.pools[p]);
    }
    CHECK(atomic_load(&test.pages.blocks) == 0);
}

static void run(size_t round, size_t forks)
{
    open_pools();
    atomic_store(&test.stop, false);
    pthread_t threads[WORKERS];
    for (size_t w = 0; w < WORKERS; w++) {
        test.workers[w] =
            (struct worker){.id = w + 1, .random = stress_random_state(round * WORKERS + w)};
        CHECK(pthread_create(&threads[w], NULL, work, &test.workers[w]) == 0);
    }
    for (size_t i = 0; i < forks; i++)
        fork_somehow(i);
    atomic_store(&test.stop, true);
    size_t turns = 0;
    for (size_t w = 0; w < WORKERS; w++) {
        CHECK(pthread_join(threads[w], NULL) == 0);
        turns += test.workers[w].turns;
    }
    CHECK(turns > forks); /* they worked meanwhile */
    close_pools();
}

int main(void)
{
    stress_begin("stress_fork");
    if (STRESS_THREAD_SANITIZER) {
        printf("stress_fork: skipped: ThreadSanitizer does not go through a fork with threads\n");
        return STRESS_SKIPPED;
    }
    const size_t rounds = stress_count(5, 1);
    for (size_t round = 0; round < rounds; round++)
        run(round, FORKS);
    CHECK(test.children == rounds * FORKS);
    stress_passed("children and parents go on with every pool");
    return stress_end();
}
