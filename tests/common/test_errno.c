/* SPDX-License-Identifier: MIT */
/*
 * test_errno.c - every call that succeeds leaves errno alone, whatever it does on its way: also
 * where the allocator does not, where the system has no membarrier (this program is run like that
 * too), and where a signal ends a wait.
 */
#define _GNU_SOURCE /* syscall */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#    include <sys/syscall.h>
#endif
#ifdef VF_HAS_EPOCH
#    include <urcu/urcu-memb.h>
#endif

#include "support/barrier.h"
#include "test_common.h"

#define VF_T    long
#define VF_N    16
#define VF_NAME longs
#define VF_HANDLE
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T    long
#define VF_N    2
#define VF_NAME plain
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    2
#define VF_NAME flips
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    2
#define VF_NAME waits
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

/* The call (an expression that is true if it succeeds) leaves errno alone. */
#define KEEPS(succeeds)                                                                            \
    do {                                                                                           \
        errno = EXDEV;                                                                             \
        cr_assert((succeeds), "does not succeed: %s", #succeeds);                                  \
        cr_assert(errno == EXDEV, "errno is %d after %s", errno, #succeeds);                       \
    } while (0)
#define KEEPS_VOID(call) KEEPS((call, true))

static test_allocator allocator;

/* An allocator that changes errno all the time. */
static void *spoiling_alloc(void *none, size_t size, size_t alignment)
{
    (void)none;
    vf_allocator own = test_allocator_hook(&allocator);
    void *memory = own.alloc(own.context, size, alignment);
    errno = EILSEQ;
    return memory;
}

static void spoiling_dealloc(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none;
    vf_allocator own = test_allocator_hook(&allocator);
    own.dealloc(own.context, memory, size, alignment);
    errno = EILSEQ;
}

static void spoiling_purge(void *none, void *memory, size_t size)
{
    (void)none;
    (void)memory;
    (void)size;
    errno = EILSEQ;
}

#define SPOILING                                                                                   \
    {                                                                                              \
        spoiling_alloc, spoiling_dealloc, NULL                                                     \
    }

static void setup(void)
{
    allocator = (test_allocator){0};
}

static void teardown(void)
{
    check_all_back(&allocator);
}

static void visit(long *object, void *context)
{
    (void)context;
    *object = 2;
}

/* ---- pools ---- */

#define MANY 5000

static long *objects[MANY];
static longs *pool;

static void every_walk(void)
{
    longs_walk walk;
    longs_handle handle;
    KEEPS_VOID(handle = longs_handle_of(pool, objects[1]));
    KEEPS(longs_get(pool, handle) == objects[1]);
    KEEPS_VOID(walk = longs_walk_begin(pool));
    KEEPS(longs_walk_next(&walk) != NULL);
    KEEPS(longs_walk_handle(&walk).bits == handle.bits);
    KEEPS_VOID(longs_walk_end(&walk));
    KEEPS(longs_walk_next(&walk) == NULL);
    KEEPS_VOID(walk = longs_walk_part(pool, 0, 2));
}

static void every_call_of_objects(void)
{
    for (size_t i = 0; i < MANY / 2; i++)
        KEEPS((objects[i] = longs_alloc(pool)) != NULL);
    KEEPS((objects[MANY / 2] = longs_push(pool, 1)) != NULL);
    size_t rest = MANY / 2 - 1;
    KEEPS(longs_alloc_n(pool, objects + MANY / 2 + 1, rest) == rest);
    for (size_t i = 0; i < MANY; i++)
        *objects[i] = 1;
    KEEPS(longs_owns(pool, objects[0]));
    KEEPS(!longs_owns(pool, &objects));
    KEEPS(longs_stats(pool).live == MANY);
    KEEPS(longs_each(pool, visit, NULL));
    every_walk();
    KEEPS(longs_take(pool, objects[0]) == 2);
    for (size_t i = 1; i < MANY / 2; i += 2)
        KEEPS_VOID(longs_free(pool, objects[i]));
    KEEPS_VOID(longs_free(pool, NULL));
    longs_handle handle;
    KEEPS_VOID(handle = longs_handle_of(pool, objects[2]));
    KEEPS(longs_free_handle(pool, handle));
    KEEPS(!longs_free_handle(pool, handle));
    KEEPS(longs_get(pool, handle) == NULL);
    KEEPS((objects[2] = longs_alloc(pool)) != NULL);
    KEEPS_VOID(longs_trim(pool));
    for (size_t i = 2; i < MANY / 2; i += 2)
        KEEPS_VOID(longs_free(pool, objects[i]));
    KEEPS_VOID(longs_free_n(pool, objects + MANY / 2, 100));
}

static void every_call_of_the_pool(const vf_pool_options *options)
{
    KEEPS((pool = longs_new(options)) != NULL);
    KEEPS(longs_reserve(pool, 100));
    every_call_of_objects();
    longs_cache *cache;
    KEEPS((cache = longs_cache_new(pool)) != NULL);
    long *held[300];
    for (size_t i = 0; i < 300; i++)
        KEEPS((held[i] = longs_cache_alloc(cache)) != NULL);
    for (size_t i = 0; i < 300; i++)
        KEEPS_VOID(longs_cache_free(cache, held[i]));
    KEEPS_VOID(longs_cache_release(cache));
    size_t left = MANY / 2 + 100;
#ifdef VF_HAS_EPOCH
    for (; left < MANY - 100; left++)
        KEEPS(longs_free_deferred(pool, objects[left]));
    KEEPS(longs_free_deferred(pool, NULL));
    longs_handle handle;
    KEEPS_VOID(handle = longs_handle_of(pool, objects[left]));
    KEEPS(longs_free_handle_deferred(pool, handle));
    KEEPS(!longs_free_handle_deferred(pool, handle));
    left++;
    KEEPS_VOID(longs_epoch_barrier(pool));
#endif
    KEEPS_VOID(vf_thread_flush());
    KEEPS_VOID(longs_trim(pool));
    vf_pool_stats stats = longs_stats(pool);
    FILE *out = fopen("/dev/null", "w");
    cr_assert(out != NULL);
    KEEPS_VOID(vf_pool_stats_print(out, "longs", &stats));
    fclose(out);
    KEEPS_VOID(longs_release(pool));
    for (; left < MANY; left++)
        KEEPS_VOID(longs_free(pool, objects[left]));
    KEEPS_VOID(vf_thread_flush());
    KEEPS_VOID(longs_release(NULL));
}

/* Pools of all kinds. */
static const vf_pool_options kinds[] = {
    {.allocator = SPOILING, .purge = spoiling_purge},
    {.allocator = SPOILING, .cache_objects = 20},
    {.allocator = SPOILING, .cache_objects = VF_CACHE_NONE},
    {.allocator = SPOILING, .max_objects = 2 * MANY},
    {.purge = NULL},
};
#define KINDS (sizeof kinds / sizeof *kinds)

Test(errno_kept, every_call_of_a_pool, .init = setup, .fini = teardown)
{
#ifdef VF_HAS_EPOCH
    urcu_memb_register_thread();
#endif
    for (size_t i = 0; i < KINDS; i++) {
        every_call_of_the_pool(&kinds[i]);
        KEEPS((pool = longs_new(&kinds[i])) != NULL);
        for (size_t j = 0; j < 100; j++)
            KEEPS((objects[j] = longs_alloc(pool)) != NULL);
        KEEPS_VOID(longs_destroy(pool));
    }
    KEEPS_VOID(longs_destroy(NULL));
#ifdef VF_HAS_EPOCH
    urcu_memb_unregister_thread();
#endif
}

/* ---- beside another thread's cache, which P_trim asks membarrier to see ---- */

static pthread_barrier_t step;

static void *keep_a_cache(void *none)
{
    long *own[40];
    cr_assert(longs_alloc_n(pool, own, 40) == 40);
    longs_free_n(pool, own, 40);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    KEEPS((own[0] = longs_alloc(pool)) != NULL); /* what was seized is thrown out */
    KEEPS_VOID(longs_free(pool, own[0]));
    pthread_barrier_wait(&step);
    return none;
}

Test(errno_kept, beside_another_cache, .init = setup, .fini = teardown)
{
    pthread_barrier_init(&step, NULL, 2);
    for (size_t i = 0; i < KINDS; i++) {
        pthread_t thread;
        cr_assert((pool = longs_new(&kinds[i])) != NULL);
        cr_assert(pthread_create(&thread, NULL, keep_a_cache, NULL) == 0);
        pthread_barrier_wait(&step);
        KEEPS_VOID(longs_trim(pool));
        KEEPS(longs_stats(pool).live == 0);
        every_call_of_objects();
        KEEPS(longs_each(pool, visit, NULL));
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step);
        cr_assert(pthread_join(thread, NULL) == 0);
        KEEPS_VOID(longs_destroy(pool));
    }
    pthread_barrier_destroy(&step);
}

#ifdef __linux__ /* elsewhere nobody tells whether a thread has gone */
/* ---- out of memory, where another thread has gone without its exit hook ---- */

static pthread_key_t key;

/* The last thing that its thread does: behind the library's own hook. */
static void use_late(void *rounds)
{
    char *left = rounds;
    if (--*left > 0) {
        pthread_setspecific(key, left);
        return;
    }
    long *own[40];
    cr_assert(longs_alloc_n(pool, own, 40) == 40);
    longs_free_n(pool, own, 40);
}

static pid_t late; /* of that thread */

static void *end_late(void *none)
{
    static char rounds;
    late = (pid_t)syscall(SYS_gettid);
    rounds = 4; /* PTHREAD_DESTRUCTOR_ITERATIONS of glibc; a later one is not run anywhere */
    pthread_setspecific(key, &rounds);
    return none;
}

Test(errno_kept, reaping, .init = setup, .fini = teardown)
{
    pthread_t thread;
    cr_assert((pool = longs_new(&kinds[1])) != NULL);
    long *first = longs_alloc(pool);
    cr_assert(pthread_key_create(&key, use_late) == 0);
    cr_assert(pthread_create(&thread, NULL, end_late, NULL) == 0);
    cr_assert(pthread_join(thread, NULL) == 0);
    while (syscall(SYS_tgkill, getpid(), late, 0) == 0)
        sched_yield(); /* the system knows it for a moment longer */
    atomic_store(&allocator.refuse, true);
    size_t free_slots = longs_stats(pool).capacity - 1;
    for (size_t i = 0; i < free_slots; i++)
        KEEPS((objects[i] = longs_alloc(pool)) != NULL);
    check_refused(ENOMEM, longs_alloc(pool) == NULL);
    atomic_store(&allocator.refuse, false);
    for (size_t i = 0; i < free_slots; i++)
        KEEPS_VOID(longs_free(pool, objects[i]));
    KEEPS_VOID(longs_free(pool, first));
    KEEPS_VOID(longs_destroy(pool));
    pthread_key_delete(key);
}
#endif

/* ---- small buffers ---- */

static const vf_smallbuf_options buffer_options = {.allocator = SPOILING};

#define EVERY_CALL_OF(buffer, type)                                                                \
    do {                                                                                           \
        long value, some[50] = {0}, *span;                                                         \
        const long *read;                                                                          \
        size_t index;                                                                              \
        KEEPS_VOID(type##_init(&(buffer), &buffer_options));                                       \
        for (int i = 0; i < 100; i++)                                                              \
            KEEPS(type##_push(&(buffer), i));                                                      \
        KEEPS(type##_push_index(&(buffer), 1, &index) && index == 100);                            \
        KEEPS(type##_push_n(&(buffer), some, 50) == 50);                                           \
        KEEPS(type##_push_n_index(&(buffer), some, 0, &index) == 0);                               \
        KEEPS(type##_count_about(&(buffer)) == 151);                                               \
        KEEPS(type##_push_exclusive(&(buffer), 1));                                                \
        KEEPS(type##_reserve(&(buffer), 1000));                                                    \
        KEEPS(type##_count(&(buffer)) == 152);                                                     \
        KEEPS(type##_capacity(&(buffer)) >= 1152);                                                 \
        KEEPS(type##_refused(&(buffer)) == 0);                                                     \
        KEEPS(type##_span(&(buffer), 0, &read) > 0);                                               \
        type##_drain all;                                                                          \
        KEEPS_VOID(all = type##_drain_begin(&(buffer)));                                           \
        KEEPS(type##_drain_next(&all, &value));                                                    \
        KEEPS(type##_drain_span(&all, &span) > 0);                                                 \
        type##_drain part;                                                                         \
        KEEPS(type##_drain_split(&all, &part, 1) == 1);                                            \
        KEEPS_VOID(type##_drain_end(&part));                                                       \
        KEEPS_VOID(type##_drain_end(&all));                                                        \
        KEEPS(type##_push(&(buffer), 1));                                                          \
        KEEPS_VOID(type##_clear(&(buffer)));                                                       \
        KEEPS(type##_trim(&(buffer), 0) > 0);                                                      \
        KEEPS(type##_push_n(&(buffer), some, 50) == 50);                                           \
    } while (0)

Test(errno_kept, every_call_of_a_buffer, .init = setup, .fini = teardown)
{
    static plain one;
    static flips two;
    static waits three;
    EVERY_CALL_OF(one, plain);
    plain_writer writer;
    KEEPS_VOID(plain_writer_open(&writer, &one));
    for (int i = 0; i < 300; i++)
        KEEPS(plain_writer_push(&writer, i));
    KEEPS(plain_writer_push_index(&writer, 1, NULL));
    KEEPS_VOID(plain_writer_close(&writer));
    KEEPS_VOID(plain_writer_open_keyed(&writer, &one, 1));
    for (int i = 0; i < 300; i++)
        KEEPS(plain_writer_push(&writer, i));
    KEEPS_VOID(plain_writer_close(&writer));
    KEEPS(plain_push_slot(&one, NULL) != NULL);
    KEEPS_VOID(plain_destroy(&one));

    EVERY_CALL_OF(two, flips);
    flips_drain drain;
    for (int i = 0; i < 200; i++) /* more than the memory that a trim keeps */
        KEEPS(flips_push(&two, i));
    KEEPS_VOID(drain = flips_flip(&two));
    KEEPS(flips_drain_refused(&drain) == 0);
    KEEPS(flips_drain_end_trim(&drain, 0) > 0);
    KEEPS(flips_flip_try(&two, &drain));
    KEEPS_VOID(flips_flip_begin(&two));
    KEEPS(flips_flip_done(&two, &drain));
    KEEPS(!flips_wait(&two, 1000));
    KEEPS_VOID(flips_wake(&two));
    KEEPS(flips_wait(&two, -1));
    KEEPS_VOID(flips_fork_child(&two));
    KEEPS_VOID(flips_destroy(&two));

    EVERY_CALL_OF(three, waits);
    KEEPS_VOID(waits_flip_begin(&three));
    waits_drain rest;
    KEEPS_VOID(rest = waits_flip_finish(&three));
    KEEPS(waits_drain_refused(&rest) == 0);
    KEEPS_VOID(waits_destroy(&three));
}

/* ---- S_flip waits for a push, and a signal comes again and again ---- */

static flips waited_for;
static int pushing, signals; /* atomic */

static void count_signals(int number)
{
    (void)number;
    __atomic_fetch_add(&signals, 1, __ATOMIC_SEQ_CST);
}

/* Not before so many signals have come to the drainer. */
static void *slow_alloc(void *none, size_t size, size_t alignment)
{
    __atomic_store_n(&pushing, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&signals, __ATOMIC_SEQ_CST) < 200)
        sched_yield();
    return spoiling_alloc(none, size, alignment);
}

static void *push_slowly(void *none)
{
    for (int i = 0; i < 3; i++)
        cr_assert(flips_push(&waited_for, i));
    return none;
}

static int flipped; /* atomic */

static void *send_signals(void *to)
{
    const struct timespec pause = {.tv_nsec = 100000};
    while (!__atomic_load_n(&flipped, __ATOMIC_SEQ_CST)) {
        pthread_kill(*(pthread_t *)to, SIGUSR1);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

Test(errno_kept, a_flip_that_signals_interrupt, .init = setup, .fini = teardown)
{
    static const vf_smallbuf_options options = {.allocator = {slow_alloc, spoiling_dealloc, NULL}};
    pthread_t pusher, sender, self = pthread_self();
    struct sigaction action = {.sa_handler = count_signals}, before;
    sigaction(SIGUSR1, &action, &before);
    flips_init(&waited_for, &options);
    cr_assert(pthread_create(&pusher, NULL, push_slowly, NULL) == 0);
    while (!__atomic_load_n(&pushing, __ATOMIC_SEQ_CST))
        sched_yield();
    cr_assert(pthread_create(&sender, NULL, send_signals, &self) == 0);
    flips_drain drain;
    KEEPS_VOID(drain = flips_flip(&waited_for));
    __atomic_store_n(&flipped, 1, __ATOMIC_SEQ_CST);
    pthread_join(sender, NULL);
    pthread_join(pusher, NULL);
    sigaction(SIGUSR1, &before, NULL);
    flips_drain_end(&drain);
    flips_destroy(&waited_for);
}
