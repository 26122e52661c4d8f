/* SPDX-License-Identifier: MIT */
/*
 * test_cancel.c - no call is a cancellation point: a thread that has been cancelled before goes
 * through all of them, and ends behind the last. S_flip, which waits, is test_smallbuf_flip_wait.c,
 * and what waits for readers test_epoch_cancel.c.
 */
#include <pthread.h>

#include "test_common.h"
#include "threads.h"

#define VF_T int
#define VF_N 50
#define VF_HANDLE
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>

#define VF_T    int
#define VF_N    4
#define VF_NAME flips
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    int
#define VF_N    4
#define VF_NAME waits
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>

#define SOME 200

static test_allocator allocator;

struct cancelled {
    void (*calls)(void);
    bool ended;
};

static void *cancelled_thread(void *context)
{
    struct cancelled *self = context;
    pthread_cancel(pthread_self()); /* at the next cancellation point, wherever that is */
    self->calls();
    self->ended = true;
    pthread_testcancel();
    return NULL;
}

/* By a thread that is cancelled; it makes them all. (They have CHECK: Criterion's assertions are
   cancellation points, and for its own thread.) */
static void call_cancelled(void (*calls)(void))
{
    struct cancelled context = {.calls = calls};
    pthread_t thread;
    void *result;
    cr_assert(pthread_create(&thread, NULL, cancelled_thread, &context) == 0);
    cr_assert(pthread_join(thread, &result) == 0);
    cr_assert(context.ended, "a call is a cancellation point");
    cr_assert(result == PTHREAD_CANCELED);
}

/* ---- pools ---- */

static pool_int_50 *pool;

static void count(int *number, void *context)
{
    (void)number;
    ++*(size_t *)context;
}

static FILE *file; /* written to at once */

static void print(void)
{
    vf_pool_stats stats = pool_int_50_stats(pool);
    vf_pool_stats_print(file, "pool", &stats);
}

static void use_handles(int *objects[SOME])
{
    size_t n = 0;
    pool_int_50_handle handle;
    for (size_t i = 0; i < SOME; i++) {
        handle = pool_int_50_handle_of(pool, objects[i]);
        CHECK(pool_int_50_get(pool, handle) == objects[i]);
    }
    pool_int_50_walk walk = pool_int_50_walk_begin(pool);
    for (; pool_int_50_walk_next(&walk) != NULL; n++)
        CHECK(pool_int_50_walk_handle(&walk).bits != 0);
    CHECK(n == SOME);
    walk = pool_int_50_walk_part(pool, 0, 2);
    pool_int_50_walk_end(&walk);
    CHECK(pool_int_50_free_handle(pool, handle));
    CHECK((objects[SOME - 1] = pool_int_50_alloc(pool)) != NULL);
#ifdef VF_HAS_EPOCH
    handle = pool_int_50_handle_of(pool, objects[SOME - 1]);
    CHECK(pool_int_50_free_handle_deferred(pool, handle));
    pool_int_50_epoch_barrier(pool);
    CHECK((objects[SOME - 1] = pool_int_50_alloc(pool)) != NULL);
#endif
}

static void fill_and_empty(int *objects[SOME])
{
    size_t given = pool_int_50_alloc_n(pool, objects, SOME - 2);
    CHECK(given == SOME - 2);
    CHECK((objects[given] = pool_int_50_alloc(pool)) != NULL);
    CHECK((objects[given + 1] = pool_int_50_push(pool, 1)) != NULL);
    CHECK(pool_int_50_owns(pool, objects[0]));
    size_t live = 0;
    CHECK(pool_int_50_each(pool, count, &live));
    CHECK(live == pool_int_50_stats(pool).live);
    use_handles(objects);
    pool_int_50_free(pool, objects[0]);
    (void)pool_int_50_take(pool, objects[1]);
    pool_int_50_free_n(pool, objects + 2, SOME - 2);
}

static void use_a_cache(void)
{
    int *objects[SOME];
    pool_int_50_cache *cache = pool_int_50_cache_new(pool);
    CHECK(cache != NULL);
    for (size_t i = 0; i < SOME; i++)
        CHECK((objects[i] = pool_int_50_cache_alloc(cache)) != NULL);
    for (size_t i = 0; i < SOME; i++)
        pool_int_50_cache_free(cache, objects[i]);
    pool_int_50_cache_release(cache);
}

static void use_the_pool(void)
{
    int *objects[SOME];
    CHECK(pool_int_50_reserve(pool, SOME));
    fill_and_empty(objects);
    print();
    vf_thread_flush();
    (void)pool_int_50_trim(pool);
    use_a_cache();
    fill_and_empty(objects);
}

static vf_pool_options options;

static void make_and_release(void)
{
    CHECK((pool = pool_int_50_new(&options)) != NULL);
    use_the_pool();
    int *out = pool_int_50_alloc(pool);
    pool_int_50_release(pool);
    pool_int_50_free(pool, out);
}

static void make_and_destroy(void)
{
    CHECK((pool = pool_int_50_new(&options)) != NULL);
    use_the_pool();
    (void)pool_int_50_alloc(pool);
    pool_int_50_destroy(pool);
}

/* Other threads have used the pool, and the cancelled one's end gives back what it had. */
static void use_from_two_threads(void)
{
    CHECK((pool = pool_int_50_new(&options)) != NULL);
    int *out[SOME];
    CHECK(pool_int_50_alloc_n(pool, out, SOME) == SOME);
    call_cancelled(use_the_pool);
    pool_int_50_free_n(pool, out, SOME);
    CHECK(pool_int_50_stats(pool).live == 0);
    pool_int_50_release(pool);
}

Test(cancel, calls_on_a_pool_go_on_to_their_end)
{
    static const vf_pool_options kinds[] = {
        {.cache_objects = 0},
        {.cache_objects = 3},
        {.cache_objects = VF_CACHE_NONE},
        {.max_objects = 3 * SOME},
    };
    file = tmpfile();
    cr_assert(file != NULL);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        options = kinds[i];
        options.allocator = test_allocator_hook(&allocator);
        call_cancelled(make_and_release);
        check_all_back(&allocator);
        call_cancelled(make_and_destroy);
        check_all_back(&allocator);
        use_from_two_threads();
        check_all_back(&allocator);
    }
    cr_assert(ftell(file) > 1000);
    fclose(file);
}

/* ---- small buffers ---- */

static vf_smallbuf_options buffer_options;

static void drain_plain(smallbuf_int_4 *buffer)
{
    const int *seen;
    int *span, value;
    CHECK(smallbuf_int_4_count(buffer) == smallbuf_int_4_capacity(buffer));
    CHECK(smallbuf_int_4_refused(buffer) == 1);
    CHECK(smallbuf_int_4_span(buffer, 5, &seen) > 0);
    smallbuf_int_4_drain part, drain = smallbuf_int_4_drain_begin(buffer);
    CHECK(smallbuf_int_4_drain_next(&drain, &value));
    CHECK(smallbuf_int_4_drain_span(&drain, &span) > 0);
    CHECK(smallbuf_int_4_drain_split(&drain, &part, 1) <= 1);
    smallbuf_int_4_drain_end(&drain);
}

/* Also a chunk that there is no memory for. */
static void use_a_plain_buffer(void)
{
    static const int values[SOME] = {0};
    smallbuf_int_4 buffer = {0};
    smallbuf_int_4_writer writer;
    smallbuf_int_4_init(&buffer, &buffer_options);
    CHECK(smallbuf_int_4_push(&buffer, 0));
    CHECK(smallbuf_int_4_push_index(&buffer, 1, NULL));
    CHECK(smallbuf_int_4_push_n(&buffer, values, SOME) == SOME);
    CHECK(smallbuf_int_4_push_exclusive(&buffer, 2));
    *smallbuf_int_4_push_slot(&buffer, NULL) = 3;
    smallbuf_int_4_writer_open(&writer, &buffer);
    for (int i = 0; i < SOME; i++)
        CHECK(smallbuf_int_4_writer_push(&writer, i));
    CHECK(smallbuf_int_4_writer_push_index(&writer, 4, NULL));
    smallbuf_int_4_writer_close(&writer);
    CHECK(smallbuf_int_4_push_n_index(&buffer, values, 1, NULL) == 1);
    CHECK(smallbuf_int_4_count_about(&buffer) > SOME);
    atomic_store(&allocator.refuse, true);
    while (smallbuf_int_4_push(&buffer, 4)) {
    }
    atomic_store(&allocator.refuse, false);
    drain_plain(&buffer);
    CHECK(smallbuf_int_4_reserve(&buffer, SOME));
    smallbuf_int_4_writer_open_keyed(&writer, &buffer, 1);
    for (int i = 0; i < SOME; i++)
        CHECK(smallbuf_int_4_writer_push(&writer, i));
    smallbuf_int_4_writer_close(&writer);
    smallbuf_int_4_clear(&buffer);
    (void)smallbuf_int_4_trim(&buffer, 10);
    smallbuf_int_4_destroy(&buffer);
}

static void use_a_flipping_buffer(void)
{
    flips buffer = {0};
    flips_drain drain;
    flips_init(&buffer, &buffer_options);
    for (int i = 0; i < 2 * SOME; i++) {
        CHECK(flips_push(&buffer, i));
        if (i != SOME)
            continue;
        drain = flips_flip(&buffer);
        flips_drain_end(&drain);
    }
    CHECK(flips_flip_try(&buffer, &drain));
    CHECK(flips_drain_refused(&drain) == 0);
    (void)flips_drain_end_trim(&drain, 0);
    CHECK(!flips_wait(&buffer, 1000000));
    flips_wake(&buffer);
    CHECK(flips_wait(&buffer, -1));
    flips_fork_child(&buffer);
    flips_flip_begin(&buffer);
    CHECK(flips_flip_done(&buffer, &drain));
    flips_drain_end(&drain);
    flips_destroy(&buffer);
}

static void use_a_waiting_buffer(void)
{
    waits buffer = {0};
    waits_init(&buffer, &buffer_options);
    for (int i = 0; i < SOME; i++)
        CHECK(waits_push(&buffer, i));
    waits_flip_begin(&buffer);
    CHECK(waits_push(&buffer, SOME));
    waits_drain drain = waits_flip_finish(&buffer);
    waits_drain_end(&drain);
    waits_destroy(&buffer);
}

Test(cancel, calls_on_a_small_buffer_go_on_to_their_end)
{
    buffer_options = (vf_smallbuf_options){.allocator = test_allocator_hook(&allocator)};
    call_cancelled(use_a_plain_buffer);
    check_all_back(&allocator);
    call_cancelled(use_a_flipping_buffer);
    check_all_back(&allocator);
    call_cancelled(use_a_waiting_buffer);
    check_all_back(&allocator);
}
