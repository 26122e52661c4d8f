/* SPDX-License-Identifier: MIT */
/*
 * program.c - pools and small buffers in several states, for check_gdb.py to look at. Says itself
 * what gdb must show: each pool's P_stats, each buffer's elements.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>

struct particle {
    long number;
    char more[40];
};

#define VF_T struct particle
#define VF_N 100
#include <veryfast/pool.h>

#define VF_T long
#define VF_N 4
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    4
#define VF_NAME flipped
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    4
#define VF_NAME laned
#define VF_LANES
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    4
#define VF_NAME both
#define VF_FLIP
#define VF_LANES
#include <veryfast/smallbuf.h>

#define VF_T    struct particle
#define VF_N    10
#define VF_NAME units
#define VF_HANDLE
#include <veryfast/pool.h>

typedef pool_particle_100 particles;

particles *fresh, *used, *capped, *uncached, *released;
pool_particle_100_cache *cache;
smallbuf_long_4 empty, some, spilled, gaps, keyed, refused;
flipped flips;
laned lanes;
both laned_flips;
units_handle lives, gone, none;
static smallbuf_long_4 *const buffers[] = {&empty, &some, &spilled, &gaps, &keyed, &refused};

static struct particle *objects[1000];

static void say(const char *name, const particles *pool)
{
    vf_pool_stats stats = pool_particle_100_stats(pool);
    printf("%s: %zu batches of %zu objects, stride %zu; %zu live, %zu cached, %zu depot, "
           "%zu fresh\n",
           name, stats.batches, stats.batch_objects, stats.stride, stats.live, stats.cached,
           stats.depot, stats.fresh);
}

static particles *pool_of(vf_pool_options options, size_t pushed, size_t freed)
{
    particles *pool = pool_particle_100_new(&options);
    for (size_t i = 0; i < pushed; i++)
        objects[i] = pool_particle_100_push(pool, (struct particle){.number = (long)i});
    for (size_t i = 0; i < freed; i++)
        pool_particle_100_free(pool, objects[i]);
    return pool;
}

static void *use_too(void *none)
{
    for (int i = 0; i < 300; i++)
        pool_particle_100_alloc(used);
    for (int i = 300; i < 450; i++)
        pool_particle_100_free(used, objects[i]);
    return none;
}

static void fill(smallbuf_long_4 *buffer, long n)
{
    for (long i = 0; i < n; i++)
        smallbuf_long_4_push(buffer, i);
}

/* Two writers in turn, of which each leaves a gap in the middle. */
static void fill_with_gaps(void)
{
    smallbuf_long_4_writer first, second;
    smallbuf_long_4_writer_open(&first, &gaps);
    smallbuf_long_4_writer_open(&second, &gaps);
    for (long i = 0; i < 10; i++) {
        smallbuf_long_4_writer_push(&first, i);
        smallbuf_long_4_writer_push(&second, 100 + i);
    }
    smallbuf_long_4_writer_close(&first);
    smallbuf_long_4_writer_close(&second);
}

/* A writer with a key leaves slots inside unused. */
static void fill_by_key(void)
{
    smallbuf_long_4_writer writer;
    smallbuf_long_4_push(&keyed, 1);
    smallbuf_long_4_writer_open_keyed(&writer, &keyed, 7);
    for (long i = 0; i < 10; i++)
        smallbuf_long_4_writer_push(&writer, 10 + i);
    smallbuf_long_4_writer_close(&writer);
    smallbuf_long_4_push(&keyed, 2);
}

static void say_elements(const char *name, const smallbuf_long_4 *buffer)
{
    const long *elements;
    printf("%s: %zu elements, room for %zu = {", name, smallbuf_long_4_count(buffer),
           smallbuf_long_4_capacity(buffer));
    for (size_t i = 0, n; (n = smallbuf_long_4_span(buffer, i, &elements)) > 0; i += n) {
        for (size_t k = 0; k < n; k++)
            printf("%s%ld", i + k > 0 ? ", " : "", elements[k]);
    }
    puts("}");
}

/* By index: what was pushed there, or 0. */
static long pushed[2000];

static void push_in_lane(long n)
{
    for (long i = 1; i <= n; i++) {
        size_t index;
        long *slot = laned_push_slot(&lanes, &index);
        *slot = pushed[index] = 1000 * n + i;
    }
}

static void *push_in_lane_too(void *none)
{
    push_in_lane(3);
    return none;
}

/* Two lanes and a writer's gap. What a reader has marked is pushed to since. */
static void fill_lanes(void)
{
    const long *elements;
    laned_writer writer;
    size_t index;
    pthread_t other;
    push_in_lane(90);
    if (pthread_create(&other, NULL, push_in_lane_too, NULL) != 0)
        return;
    pthread_join(other, NULL);
    laned_writer_open(&writer, &lanes);
    laned_writer_push_index(&writer, 7, &index);
    pushed[index] = 7;
    push_in_lane(40);
    laned_writer_close(&writer);
    laned_span(&lanes, 50, &elements);
    push_in_lane(2);
}

static void say_lanes(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof pushed / sizeof *pushed; i++)
        count += pushed[i] != 0;
    printf("lanes: %zu elements, room for %zu = {", count, laned_capacity(&lanes));
    for (size_t i = 0, seen = 0; seen < count; i++) {
        if (pushed[i] != 0)
            printf("%s%ld", seen++ > 0 ? ", " : "", pushed[i]);
    }
    puts("}");
}

/* Two objects of the same slot, one after the other, in the second batch. */
static void say_handles(void)
{
    units *pool = units_new(NULL);
    struct particle *unit = NULL;
    for (int i = 0; i < 13; i++)
        unit = units_alloc(pool);
    gone = units_handle_of(pool, unit);
    units_free_handle(pool, gone);
    unit = units_alloc(pool);
    lives = units_handle_of(pool, unit);
    unsigned number = (unsigned)(lives.bits >> 31);
    printf("lives: slot %u, generation %u: units has it at %p\n", number,
           (unsigned)lives.bits & 0x7fffffff, (void *)unit);
    printf("gone: slot %u, generation %u: gone\n", number, (unsigned)gone.bits & 0x7fffffff);
    printf("none: no handle\n");
}

/* gdb stops here. */
__attribute__((noinline)) void all_is_set_up(void)
{
    fflush(stdout);
    __asm__ volatile("");
}

int main(void)
{
    fresh = pool_of((vf_pool_options){.name = "fresh"}, 0, 0);
    capped = pool_of((vf_pool_options){.max_objects = 500, .name = "capped"}, 400, 150);
    uncached =
        pool_of((vf_pool_options){.cache_objects = VF_CACHE_NONE, .name = "uncached"}, 200, 120);
    used = pool_of((vf_pool_options){.cache_objects = 128, .name = "used"}, 1000, 300);
    pthread_t other;
    if (pthread_create(&other, NULL, use_too, NULL) != 0)
        return 1;
    pthread_join(other, NULL);
    size_t cached_before = pool_particle_100_stats(used).cached;
    cache = pool_particle_100_cache_new(used);
    struct particle *one = pool_particle_100_cache_alloc(cache);
    pool_particle_100_cache_free(cache, one);
    size_t cached_by_caller = pool_particle_100_stats(used).cached - cached_before;
    say("fresh", fresh);
    say("used", used);
    say("capped", capped);
    say("uncached", uncached);
    released = pool_of((vf_pool_options){.name = "released"}, 30, 10);
    say("released", released);
    particles *full = pool_of((vf_pool_options){.max_objects = 1}, 1, 0);
    if (pool_particle_100_alloc(full) != NULL)
        return 1;
    pool_particle_100_destroy(full);
    pool_particle_100_release(released);

    static const vf_smallbuf_options two = {.max_elements = 2};
    smallbuf_long_4_init(&refused, &two);
    fill(&refused, 3);
    fill(&some, 3);
    fill(&spilled, 150);
    fill_with_gaps();
    fill_by_key();
    for (long i = 0; i < 9; i++)
        flipped_push(&flips, i);
    flipped_drain drain = flipped_flip(&flips);
    flipped_drain_end(&drain);
    flipped_push(&flips, 7);
    fill_lanes();
    for (long i = 0; i < 90; i++)
        both_push(&laned_flips, i);
    say_elements("empty", &empty);
    say_elements("refused", &refused);
    say_elements("some", &some);
    say_elements("spilled", &spilled);
    say_elements("gaps", &gaps);
    say_elements("keyed", &keyed);
    printf("flips: %zu elements, room for %zu = {7}\n", flipped_count(&flips),
           flipped_capacity(&flips));
    say_lanes();
    printf("laned_flips: %zu elements, room for %zu = {0", both_count(&laned_flips),
           both_capacity(&laned_flips));
    for (long i = 1; i < 90; i++)
        printf(", %ld", i);
    puts("}");
    printf("cache: %zu free objects, room for 128\n", cached_by_caller);
    say_handles();
    all_is_set_up();
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        smallbuf_long_4_destroy(buffers[i]);
    flipped_destroy(&flips);
    laned_destroy(&lanes);
    both_destroy(&laned_flips);
    return 0;
}
