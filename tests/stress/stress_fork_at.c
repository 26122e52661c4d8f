/* SPDX-License-Identifier: MIT */
/*
 * stress_fork_at.c - a fork at every single step of another thread's work.
 *
 *     worker:  alloc alloc ... | stopped at its k-th write to shared memory
 *     main:                    | fork
 *     child:                   | takes all it can get, frees all it knows, releases the pool; or
 *                              | destroys it, and sees what is dropped
 *
 * For every k. stress_fork.c forks at moments of chance, which hardly ever fall between two
 * neighbouring stores; here they all do. The library's sources are built into this program with
 * fork_pause.h in front, and calls of mutex functions are wrapped, because a thread that holds the
 * threads' lock is never met by a fork: the fork waits for it. One that holds the pool's growth
 * lock is.
 */
#include "fork_pause.h"
#include "pages.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/pool/pool.h"
#include "any_pool.h"
#include "stress.h"

struct line {
    _Atomic uint64_t owner;
    uint64_t contents[7];
};

static void see_drop(const struct line *line);
#define VF_T       struct line
#define VF_N       200
#define VF_DROP(p) see_drop(p)
#include <veryfast/pool.h>

ANY_POOL(pool_line_200, struct line, 200);
static const any_pool_type *const type = &any_pool_line_200;

#define MINE      64  /* objects that main has all the time: as many as a refill brings */
#define MOST      400 /* objects that the worker has, at most */
#define IN_MOTION 900 /* slots that it may be moving */
#define TOUCHED   7   /* contents of what was handed out, ever */

#define OWNER_MAIN   1
#define OWNER_WORKER 2
#define OWNER_CHILD  3

static struct {
    void *pool;
    void *cache; /* held by the worker, or NULL */
    struct pages pages;
    struct line *mine[MINE];
    struct line *held[MOST]; /* the worker's */
    size_t count;            /* of held */
    size_t stop_at;          /* point at which the worker stops; 0: never */
    size_t points;           /* passed by the worker */
    atomic_bool stopped;     /* the worker, at stop_at or at its end */
    atomic_bool go_on;
    bool in_growth;            /* it was stopped there */
    bool destroys;             /* the child */
    size_t dropped, untouched; /* at the end; of these, slots that were never handed out */
} test;

static _Thread_local bool is_worker;
static _Thread_local unsigned locks_held; /* all but the growth lock of the pool */
static _Thread_local bool has_growth_lock;

static void see_drop(const struct line *line)
{
    if (!test.destroys)
        return;
    test.dropped++;
    test.untouched += line->contents[0] != TOUCHED;
}

/* Linked in place of the mutex functions (--wrap): who holds a lock is not stopped, unless it is
   the growth lock. */
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

static void note_lock(const pthread_mutex_t *mutex, bool locked)
{
    const vf_pool *pool = test.pool;
    if (pool != NULL && mutex == &pool->growth.word)
        has_growth_lock = locked;
    else
        locks_held += locked ? 1 : -1U;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    int error = __real_pthread_mutex_lock(mutex);
    if (error == 0)
        note_lock(mutex, true);
    return error;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int error = __real_pthread_mutex_trylock(mutex);
    if (error == 0)
        note_lock(mutex, true);
    return error;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    note_lock(mutex, false);
    return __real_pthread_mutex_unlock(mutex);
}

void fork_point(void)
{
    if (!is_worker || locks_held > 0 || ++test.points != test.stop_at)
        return;
    test.in_growth = has_growth_lock;
    atomic_store(&test.stopped, true);
    while (!atomic_load(&test.go_on))
        sched_yield();
}

/* Steps of the allocator are steps as well. */
static void *stepping_alloc(void *context, size_t size, size_t alignment)
{
    fork_point();
    void *memory = pages_alloc(context, size, alignment);
    fork_point();
    return memory;
}

static void stepping_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    fork_point();
    pages_dealloc(context, memory, size, alignment);
    fork_point();
}

/* What is dropped reads as zero, so as what nobody has touched. */
static void stepping_purge(void *context, void *memory, size_t size)
{
    (void)context;
    fork_point();
    CHECK(madvise(memory, size, MADV_DONTNEED) == 0);
    fork_point();
}

/* The worker. What it marks is live; held and count are set in an order that the child can use. */

static void in_this_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static void take(struct line *line)
{
    CHECK(line != NULL);
    in_this_order();
    stress_claim(&line->owner, OWNER_WORKER);
    line->contents[0] = TOUCHED;
    test.held[test.count] = line;
    in_this_order();
    test.count++;
}

static struct line *let_go(void)
{
    struct line *line = test.held[--test.count];
    in_this_order();
    stress_disclaim(&line->owner, OWNER_WORKER);
    in_this_order();
    return line;
}

static void alloc_to(size_t count)
{
    while (test.count < count)
        take(test.cache != NULL ? type->cache_alloc(test.cache) : type->alloc(test.pool));
}

static void free_to(size_t count)
{
    while (test.count > count) {
        struct line *line = let_go();
        if (test.cache != NULL)
            type->cache_free(test.cache, line);
        else
            type->free(test.pool, line);
    }
}

static void alloc_n_to(size_t count)
{
    void *objects[MOST];
    size_t n = count - test.count;
    CHECK(type->alloc_n(test.pool, objects, n) == n);
    for (size_t i = 0; i < n; i++)
        take(objects[i]);
}

static void free_n_to(size_t count)
{
    void *objects[MOST];
    size_t n = test.count - count;
    for (size_t i = 0; i < n; i++)
        objects[i] = let_go();
    type->free_n(test.pool, objects, n);
}

/* Bursts make the cache grow, frees in excess make it overflow. */
static void work_in_bursts(void)
{
    for (size_t i = 0; i < 3; i++) {
        alloc_to(180);
        free_to(20);
    }
    vf_thread_flush();
    alloc_to(60);
    free_to(0);
}

/* Larger ones, by fewer steps. */
static void work_in_bulk(void)
{
    for (size_t i = 0; i < 6; i++) {
        alloc_n_to(MOST);
        free_n_to(0);
    }
    vf_thread_flush();
    alloc_n_to(60);
    free_n_to(0);
}

/* One by one, and in bulk. */
static void work_a_little(void)
{
    for (size_t i = 0; i < 3; i++) {
        alloc_to(5);
        alloc_n_to(45);
        free_n_to(5);
        free_to(0);
    }
}

/* One by one, so that nothing is in its hands where the pool grows. */
static void work_through_growth(void)
{
    alloc_to(MOST);
    free_to(0);
    vf_thread_flush();
}

/* Batches that are wholly free, and pages between objects that are not. */
static void work_and_trim(void)
{
    for (size_t i = 0; i < 2; i++) {
        alloc_to(MOST);
        free_to(200);
        type->trim(test.pool);
        alloc_to(250);
        free_to(0);
        type->trim(test.pool);
    }
}

static void work_and_reserve(void)
{
    alloc_to(10);
    CHECK(type->reserve(test.pool, 1500));
    free_to(0);
    vf_thread_flush();
    type->trim(test.pool);
    CHECK(type->reserve(test.pool, 500));
}

/* All frees, when main has released the pool. */
static void work_off(void)
{
    free_to(0);
}

struct scene {
    const char *what;
    size_t cache_objects, max_objects;
    bool held_cache, released;
    bool empty_handed; /* the worker has nothing in its hands where the pool grows */
    void (*work)(void);
};

static const struct scene *scene;

static void *worker(void *argument)
{
    (void)argument;
    is_worker = true;
    scene->work();
    is_worker = false;
    atomic_store(&test.stopped, true);
    return NULL;
}

/* The child. */

static size_t known_live(void)
{
    size_t live = MINE;
    for (size_t i = 0; i < test.count; i++)
        live += atomic_load(&test.held[i]->owner) == OWNER_WORKER;
    return live;
}

/* All that can be had, none of which is marked; it goes back. */
static void take_all(void)
{
    static struct line *got[4096];
    vf_pool_stats stats = type->stats(test.pool);
    size_t live = known_live();
    CHECK(stats.live + stats.cached + stats.depot + stats.fresh == stats.capacity);
    atomic_store(&test.pages.refuse, true);
    size_t n = 0;
    while ((got[n] = type->alloc(test.pool)) != NULL)
        stress_claim(&got[n++]->owner, OWNER_CHILD);
    atomic_store(&test.pages.refuse, false);
    CHECK(n + live <= stats.capacity);
    CHECK(n + live + IN_MOTION >= stats.capacity);
    if (test.in_growth && scene->empty_handed)
        CHECK(n + live == stats.capacity && stats.live == live);
    CHECK(type->stats(test.pool).live >= n + live);
    for (size_t i = 0; i < n; i++) {
        stress_disclaim(&got[i]->owner, OWNER_CHILD);
        type->free(test.pool, got[i]);
    }
    CHECK(type->stats(test.pool).live >= live);
}

/* What is reserved can be had, whatever the worker was counting. */
static void reserve(void)
{
    static void *got[1000];
    CHECK(type->reserve(test.pool, 1000));
    atomic_store(&test.pages.refuse, true);
    CHECK(type->alloc_n(test.pool, got, 1000) == 1000);
    atomic_store(&test.pages.refuse, false);
    type->free_n(test.pool, got, 1000);
}

static void free_workers_objects(void)
{
    for (size_t i = 0; i < test.count; i++) {
        if (atomic_load(&test.held[i]->owner) == OWNER_WORKER)
            type->free(test.pool, test.held[i]);
    }
}

/* All that is live is dropped, and what the worker was moving; but nothing that was never handed
   out, if it had nothing in its hands. */
static void destroy(void)
{
    size_t live = known_live();
    test.destroys = true;
    pool_line_200_destroy(test.pool);
    CHECK(test.dropped >= live && test.dropped <= live + IN_MOTION);
    if (test.in_growth && scene->empty_handed)
        CHECK(test.dropped == live && test.untouched == 0);
    /* what the worker was about to use, or to free, is lost */
    CHECK(atomic_load(&test.pages.blocks) <= (test.in_growth ? 24 : 4));
}

/* The pool must not end while main's objects are out. */
static void child(void)
{
    if (!scene->released && test.stop_at % 3 == 2) {
        destroy();
        return;
    }
    if (!scene->released) {
        if (test.cache != NULL)
            type->cache_release(test.cache);
        take_all();
        if (scene->max_objects == 0)
            reserve();
        type->release(test.pool);
    }
    free_workers_objects();
    for (size_t i = 0; i < MINE; i++) {
        CHECK(atomic_load(&test.pages.blocks) > 0);
        CHECK(atomic_load(&test.mine[i]->owner) == OWNER_MAIN);
        type->free(test.pool, test.mine[i]);
    }
    vf_thread_flush();
}

/* Main. */

static void open_pool(void)
{
    vf_pool_options options = {
        .allocator = {stepping_alloc, stepping_dealloc, &test.pages},
        .cache_objects = scene->cache_objects,
        .max_objects = scene->max_objects,
        .purge = stepping_purge,
    };
    CHECK((test.pool = type->create(&options)) != NULL);
    CHECK(type->alloc_n(test.pool, (void **)test.mine, MINE) == MINE);
    for (size_t i = 0; i < MINE; i++) {
        stress_claim(&test.mine[i]->owner, OWNER_MAIN);
        test.mine[i]->contents[0] = TOUCHED;
    }
    test.cache = NULL;
    if (scene->held_cache)
        CHECK((test.cache = type->cache_new(test.pool)) != NULL);
    test.count = 0;
    if (scene->released) {
        alloc_to(30);
        type->release(test.pool);
    }
}

static void close_pool(void)
{
    for (size_t i = 0; i < MINE; i++) {
        stress_disclaim(&test.mine[i]->owner, OWNER_MAIN);
        type->free(test.pool, test.mine[i]);
    }
    if (test.cache != NULL)
        type->cache_release(test.cache);
    if (!scene->released)
        type->release(test.pool);
    CHECK(atomic_load(&test.pages.blocks) == 0);
}

static void fork_and_wait(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(60); /* where it hangs, it fails */
        child();
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fprintf(stderr, "%s: at step %zu\n", scene->what, test.stop_at);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Lets the worker come to step k, and forks there; 0: just lets it work. How many steps it takes
   depends a little on addresses, so it may end before. */
static void run_to(size_t k)
{
    open_pool();
    test.points = 0;
    test.stop_at = k;
    atomic_store(&test.stopped, false);
    atomic_store(&test.go_on, k == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, worker, NULL) == 0);
    while (k > 0 && !atomic_load(&test.stopped))
        sched_yield();
    if (k > 0 && test.points >= k)
        fork_and_wait();
    atomic_store(&test.go_on, true);
    CHECK(pthread_join(thread, NULL) == 0);
    close_pool();
}

static void run(const struct scene *this_scene, size_t stride)
{
    scene = this_scene;
    run_to(0);
    size_t steps = test.points;
    size_t forks = 0;
    for (size_t k = 1; k <= steps; k += stride, forks++)
        run_to(k);
    printf("%s: %zu forks at %zu steps\n", scene->what, forks, steps);
    CHECK(steps >= 30 && forks > 0);
    stress_passed(scene->what);
}

int main(void)
{
    stress_begin("stress_fork_at");
    if (STRESS_THREAD_SANITIZER) {
        printf(
            "stress_fork_at: skipped: ThreadSanitizer does not go through a fork with threads\n");
        return STRESS_SKIPPED;
    }
    const struct scene scenes[] = {
        {"a thread's cache", 0, 0, false, false, false, work_in_bursts},
        {"a thread's cache, in bulk", 0, 0, false, false, false, work_in_bulk},
        {"a held cache", 0, 0, true, false, false, work_in_bursts},
        {"a small cache, in bulk", 20, 0, false, false, false, work_a_little},
        {"no caches", VF_CACHE_NONE, 0, false, false, false, work_a_little},
        {"a cap", 0, 400, false, false, false, work_a_little},
        {"growth", 0, 0, false, false, true, work_through_growth},
        {"growth, no caches", VF_CACHE_NONE, 0, false, false, true, work_through_growth},
        {"reservations", 0, 0, false, false, true, work_and_reserve},
        {"trims", 0, 0, false, false, false, work_and_trim},
        {"trims, no caches", VF_CACHE_NONE, 0, false, false, false, work_and_trim},
        {"frees after the release", 0, 0, false, true, false, work_off},
        {"frees after the release, no caches", VF_CACHE_NONE, 0, false, true, false, work_off},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        run(&scenes[i], STRESS_ADDRESS_SANITIZER ? 5 : 1); /* a fork takes its time there */
    return stress_end();
}
