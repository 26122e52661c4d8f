/* SPDX-License-Identifier: MIT */
/*
 * test_fibres.c - fibres (stackful coroutines, here of ucontext) that go on with another thread
 * whenever they have slept, in the middle of a function that allocates and frees: with a cache of
 * their own, and by extern bodies. The inline calls are not for them: see docs/pool.md.
 *
 *     thread 0:  fibre 1 | fibre 2 | fibre 1 ...       each yield hands the fibre over
 *     thread 1:            fibre 1 | fibre 2 ...
 */
#include <ucontext.h>

#include "fibres_pool.h"
#include "support/threads.h"
#include "test_common.h"

enum { FIBRES = 8, ROUNDS = 500, HELD = 90, STACK = 256 * 1024 };

typedef struct fibre {
    ucontext_t context;
    ucontext_t *runner; /* of the thread that runs it */
    struct fibre *next; /* in a queue */
    void (*body)(struct fibre *);
    void *stack;
    int number; /* from 1 on */
    int thread;
    bool done;
} fibre;

static fibre fibres[FIBRES];
static things *extern_pool;
static inlines *inline_pool;

/* ---- threads that run fibres ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static fibre *queue[2]; /* for each thread */
static int left;

static void hand_over(fibre *own, int thread)
{
    pthread_mutex_lock(&mutex);
    own->thread = thread;
    fibre **end = &queue[thread];
    while (*end != NULL)
        end = &(*end)->next;
    own->next = NULL;
    *end = own;
    left -= own->done;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* NULL: all are done. */
static fibre *next_fibre(int thread)
{
    pthread_mutex_lock(&mutex);
    while (queue[thread] == NULL && left > 0)
        pthread_cond_wait(&changed, &mutex);
    fibre *found = queue[thread];
    if (found != NULL)
        queue[thread] = found->next;
    pthread_mutex_unlock(&mutex);
    return found;
}

static void *run_fibres(void *number)
{
    int thread = *(const int *)number;
    ucontext_t own;
    fibre *next;
    while ((next = next_fibre(thread)) != NULL) {
        if (next->done)
            continue;
        next->runner = &own;
        CHECK(swapcontext(&own, &next->context) == 0);
        hand_over(next, 1 - thread);
    }
    return NULL;
}

/* The caller goes on with the other thread. */
__attribute__((noinline)) static void yield(fibre *own)
{
    CHECK(swapcontext(&own->context, own->runner) == 0);
}

static void fibre_main(int place)
{
    fibre *own = &fibres[place];
    own->body(own);
    own->done = true;
    yield(own);
}

static void begin(fibre *made, int number, void (*body)(fibre *))
{
    *made = (fibre){.body = body, .number = number, .stack = test_memory(STACK, 1)};
    CHECK(getcontext(&made->context) == 0);
    made->context.uc_stack.ss_sp = made->stack;
    made->context.uc_stack.ss_size = STACK;
    makecontext(&made->context, (void (*)(void))fibre_main, 1, number - 1);
    hand_over(made, number % 2);
}

static void run_all(void (*body)(fibre *))
{
    left = FIBRES;
    for (int i = 0; i < FIBRES; i++)
        begin(&fibres[i], i + 1, body);
    test_run_threads(2, run_fibres, (void *[]){&(int){0}, &(int){1}});
    for (int i = 0; i < FIBRES; i++)
        free(fibres[i].stack);
}

/* ---- what they do ---- */

/* Two owners at a time: two threads that use one cache. */
static void own(struct thing *thing, int number)
{
    CHECK(thing != NULL);
    thing->value = number;
    CHECK(__atomic_exchange_n(&thing->owner, number, __ATOMIC_RELAXED) == 0);
}

static void disown(struct thing *thing, int number)
{
    CHECK(thing->value == number);
    CHECK(__atomic_exchange_n(&thing->owner, 0, __ATOMIC_RELAXED) == number);
}

static void by_extern_bodies(fibre *self)
{
    struct thing *held[HELD];
    for (int round = 0; round < ROUNDS; round++) {
        int n = 1 + round % HELD;
        for (int i = 0; i < n; i++) {
            held[i] = things_alloc(extern_pool);
            own(held[i], self->number);
            if (i % 32 == 0)
                yield(self);
        }
        for (int i = 0; i < n; i++) {
            disown(held[i], self->number);
            things_free(extern_pool, held[i]);
            if (i % 32 == 0)
                yield(self);
        }
    }
}

static void by_a_cache_of_its_own(fibre *self)
{
    struct thing *held[HELD];
    inlines_cache *cache = inlines_cache_new(inline_pool);
    CHECK(cache != NULL);
    for (int round = 0; round < ROUNDS; round++) {
        int n = 1 + round % HELD;
        for (int i = 0; i < n; i++) {
            held[i] = inlines_cache_alloc(cache);
            own(held[i], self->number);
            if (i % 32 == 0)
                yield(self);
        }
        for (int i = 0; i < n; i++) {
            disown(held[i], self->number);
            inlines_cache_free(cache, held[i]);
            if (i % 32 == 0)
                yield(self);
        }
    }
    inlines_cache_release(cache);
}

/* Zeroes: nobody owns what was never handed out. */
static void *alloc_zeroes(void *context, size_t size, size_t alignment)
{
    (void)context;
    size = (size + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, size);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

static void free_zeroes(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context, (void)size, (void)alignment;
    free(memory);
}

static const vf_pool_options options = {.allocator = {alloc_zeroes, free_zeroes, NULL}};

Test(fibres, extern_bodies_find_the_cache_of_the_thread_that_runs_them)
{
    extern_pool = things_new(&options);
    cr_assert(extern_pool != NULL);
    run_all(by_extern_bodies);
    check_equal(things_stats(extern_pool).live, 0);
    things_destroy(extern_pool);
}

Test(fibres, a_cache_of_its_own_goes_along_with_a_fibre)
{
    inline_pool = inlines_new(&options);
    cr_assert(inline_pool != NULL);
    run_all(by_a_cache_of_its_own);
    check_equal(inlines_stats(inline_pool).live, 0);
    inlines_destroy(inline_pool);
}
