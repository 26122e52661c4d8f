/* SPDX-License-Identifier: MIT */
/*
 * stress_memory_bound.c - how much memory a pool takes, measured at the allocator.
 *
 * What the README promises, on an uncapped pool with batches of at least 4 KiB:
 *
 *     1.02 * (peak live objects, in whole batches) * size
 *     + a bit an object + 64 bytes a batch + 4 KiB
 *     + (4 KiB + size of the cached objects) a thread
 *
 * The allocator's own peak is what counts, so that what is held only for a moment counts as well.
 * A cache that has grown with bursts has an array of 8 bytes a slot, up to 64 KiB, and two of them
 * in the moment of its growth: in that scene they are added to the bound.
 *
 * Objects' memory is never touched here, and the allocator does not either: a gigabyte of objects
 * then costs little more than its bookkeeping.
 */
#include "pages.h"

#include <pthread.h>

#include "any_pool.h"
#include "stress.h"

#define OBJECT(size)                                                                               \
    struct s##size {                                                                               \
        unsigned char bytes[size];                                                                 \
    }
OBJECT(1);
OBJECT(8);
OBJECT(24);
OBJECT(64);
OBJECT(1000);

/* Each with batches just over 4 KiB, the hardest case, and one for a gigabyte. */
#define VF_T struct s1
#define VF_N 4096
#include <veryfast/pool.h>
#define VF_T struct s8
#define VF_N 512
#include <veryfast/pool.h>
#define VF_T struct s24
#define VF_N 171
#include <veryfast/pool.h>
#define VF_T struct s64
#define VF_N 64
#include <veryfast/pool.h>
#define VF_T struct s1000
#define VF_N 5
#include <veryfast/pool.h>
#define VF_T struct s1000
#define VF_N 256
#include <veryfast/pool.h>

ANY_POOL(pool_s1_4096, struct s1, 4096);
ANY_POOL(pool_s8_512, struct s8, 512);
ANY_POOL(pool_s24_171, struct s24, 171);
ANY_POOL(pool_s64_64, struct s64, 64);
ANY_POOL(pool_s1000_5, struct s1000, 5);
ANY_POOL(pool_s1000_256, struct s1000, 256);

/* Counts, and gives memory from one large reserve that is paid for only where it is touched. */
#define RESERVE_BYTES ((uint64_t)3 << 30)
static struct {
    char *memory;
    size_t used;
    size_t bytes, blocks, peak; /* out; calls are never at the same time in this program */
} meter;

static void *meter_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    size_t begin = (meter.used + alignment - 1) / alignment * alignment;
    CHECK(begin + size <= RESERVE_BYTES);
    meter.used = begin + size;
    meter.blocks++;
    meter.bytes += size;
    if (meter.bytes > meter.peak)
        meter.peak = meter.bytes;
    return meter.memory + begin;
}

static void meter_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context, (void)memory, (void)alignment;
    meter.blocks--;
    meter.bytes -= size;
}

static void meter_reset(void)
{
    CHECK(meter.blocks == 0 && meter.bytes == 0);
    if (meter.memory != NULL)
        munmap(meter.memory, RESERVE_BYTES);
    meter.memory = mmap(NULL, RESERVE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(meter.memory != MAP_FAILED);
    meter.used = 0;
    meter.peak = 0;
}

struct trial {
    const any_pool_type *type;
    void *pool;
    void **objects;
    size_t live;        /* L */
    size_t threads;     /* that have called, so far */
    size_t cached;      /* most, when looked at */
    size_t cache_slots; /* most that a cache's array may have grown to */
};

static double worst; /* most of a bound that was used */

static double bound(const struct trial *trial, size_t stride)
{
    size_t batch = trial->type->batch;
    size_t batches = (trial->live + batch - 1) / batch;
    double bits = (double)(batches * batch) / 8;
    return 1.02 * (double)(batches * batch * stride) + bits + 64 * (double)batches + 4096 +
           4096 * (double)trial->threads + (double)(trial->cached * stride) +
           (double)(2 * trial->cache_slots * sizeof(void *));
}

static void check_bound(struct trial *trial, const char *when)
{
    vf_pool_stats stats = trial->type->stats(trial->pool);
    if (stats.cached > trial->cached)
        trial->cached = stats.cached;
    double most = bound(trial, stats.stride);
    double used = (double)meter.peak / most;
    bool failed = used > 1;
    if (used > worst)
        worst = used;
    if (failed || test_setting("VF_VERBOSE", 0) != 0)
        printf("%s, %zu objects, %s: peak %zu bytes of %.0f, now %zu; %zu batches, %zu cached\n",
               trial->type->name, trial->live, when, meter.peak, most, meter.bytes, stats.batches,
               stats.cached);
    CHECK(!failed);
    CHECK(stats.bytes == meter.bytes);
}

static void open_trial(struct trial *trial)
{
    meter_reset();
    vf_pool_options options = {.allocator = {meter_alloc, meter_dealloc, NULL}};
    CHECK((trial->pool = trial->type->create(&options)) != NULL);
    trial->threads = 0;
    trial->cached = 0;
    trial->cache_slots = 0;
}

static void close_trial(struct trial *trial)
{
    CHECK(trial->type->stats(trial->pool).live == 0);
    trial->type->release(trial->pool);
}

static void *allocate(void *argument)
{
    struct trial *trial = argument;
    for (size_t i = 0; i < trial->live; i++)
        CHECK((trial->objects[i] = trial->type->alloc(trial->pool)) != NULL);
    return NULL;
}

static void *free_all(void *argument)
{
    struct trial *trial = argument;
    for (size_t i = 0; i < trial->live; i++)
        trial->type->free(trial->pool, trial->objects[i]);
    return NULL;
}

static void on_a_thread(struct trial *trial, void *(*body)(void *))
{
    void *contexts[] = {trial};
    test_run_threads(1, body, contexts);
}

static void one_thread(struct trial *trial)
{
    open_trial(trial);
    trial->threads = 1;
    allocate(trial);
    check_bound(trial, "all live");
    free_all(trial);
    check_bound(trial, "all free again");
    allocate(trial);
    check_bound(trial, "all live for the second time");
    free_all(trial);
    check_bound(trial, "all free for the second time");
    close_trial(trial);
}

/* Bursts, time after time, so that the cache has grown as far as it will. */
static void bursts(struct trial *trial)
{
    open_trial(trial);
    trial->threads = 1;
    trial->cache_slots = 8192;
    for (size_t i = 0; i < 30; i++) {
        allocate(trial);
        check_bound(trial, "all live in a burst");
        free_all(trial);
        check_bound(trial, "all free after a burst");
    }
    close_trial(trial);
}

static void every_other(struct trial *trial)
{
    const any_pool_type *type = trial->type;
    open_trial(trial);
    trial->threads = 1;
    allocate(trial);
    for (size_t i = 0; i < trial->live; i += 2)
        type->free(trial->pool, trial->objects[i]);
    check_bound(trial, "every other one free");
    for (size_t i = 0; i < trial->live; i += 2)
        CHECK((trial->objects[i] = type->alloc(trial->pool)) != NULL);
    check_bound(trial, "every other one live again");
    free_all(trial);
    close_trial(trial);
}

/* One thread allocates, another frees; they end, as threads do, and give back what they cached. */
static void two_threads(struct trial *trial)
{
    open_trial(trial);
    trial->threads = 1;
    on_a_thread(trial, allocate);
    check_bound(trial, "all live, one thread");
    trial->threads = 2;
    on_a_thread(trial, free_all);
    check_bound(trial, "all freed by another thread");
    on_a_thread(trial, allocate);
    free_all(trial);
    trial->threads = 3;
    check_bound(trial, "all freed by another thread again");
    close_trial(trial);
}

static void *free_and_stay(void *argument)
{
    struct trial *trial = argument;
    free_all(trial);
    check_bound(trial, "all freed by another thread, both there");
    return NULL;
}

static void both_there(struct trial *trial)
{
    open_trial(trial);
    trial->threads = 2;
    allocate(trial);
    on_a_thread(trial, free_and_stay);
    close_trial(trial);
}

static void run(const any_pool_type *type, size_t live)
{
    struct trial trial = {.type = type, .live = live};
    CHECK((trial.objects = calloc(live, sizeof(void *))) != NULL);
    one_thread(&trial);
    if (live <= 10000)
        bursts(&trial);
    every_other(&trial);
    two_threads(&trial);
    both_there(&trial);
    free(trial.objects);
}

int main(void)
{
    stress_begin("stress_memory_bound");
    if (SIZE_MAX < RESERVE_BYTES * 2) {
        printf("stress_memory_bound: skipped: there are no addresses for so much\n");
        return STRESS_SKIPPED;
    }
    const any_pool_type *types[] = {&any_pool_s1_4096, &any_pool_s8_512, &any_pool_s24_171,
                                    &any_pool_s64_64, &any_pool_s1000_5};
    const size_t million = STRESS_THREAD_SANITIZER ? 200000 : 1000000;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        run(types[i], 10);
        run(types[i], 10000);
        /* a gigabyte in batches of 5000 bytes would touch most of its pages */
        run(i + 1 < sizeof types / sizeof *types ? types[i] : &any_pool_s1000_256, million);
    }
    run(&any_pool_s1000_5, million / 10);
    printf("at most %.1f %% of the bound were used\n", 100 * worst);
    CHECK(worst > 0.5); /* or it is not memory that was measured */
    stress_passed("1.02 live + a bit a slot + 64 bytes a batch + 4 KiB + 4 KiB a thread");
    return stress_end();
}
