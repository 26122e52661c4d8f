/* SPDX-License-Identifier: MIT */
/*
 * stress_smallbuf.c - many threads push into one small buffer, in all ways: nothing is lost,
 * nothing comes twice, each producer's elements come in order; and so when memory fails.
 */
#include <errno.h>
#include <string.h>

#include "allocator.h"
#include "stress.h"

struct small {
    uint64_t mark;
};

struct large {
    uint64_t mark;
    unsigned char rest[192];
};

static void smalls_dropped(const struct small *element);
#define VF_T       struct small
#define VF_N       8
#define VF_NAME    smalls
#define VF_DROP(p) smalls_dropped(p)
#include <veryfast/smallbuf.h>
static void larges_dropped(const struct large *element);
#define VF_T             struct large
#define VF_N             3
#define VF_NAME          larges
#define VF_DROP(p)       larges_dropped(p)
#define VF_CACHE_ALIGNED /* another layout, too */
#include <veryfast/smallbuf.h>

static void laned_dropped(const struct small *element);
#define VF_T       struct small
#define VF_N       8
#define VF_NAME    laned
#define VF_DROP(p) laned_dropped(p)
#define VF_LANES
#include <veryfast/smallbuf.h>

#define SCENE_S smalls
#define SCENE_T struct small
#include "smallbuf_scenes.h"
#define SCENE_S larges
#define SCENE_T struct large
#include "smallbuf_scenes.h"
#define SCENE_S     laned
#define SCENE_T     struct small
#define SCENE_LANES true
#include "smallbuf_scenes.h"

/* ---- lanes: more threads than find theirs at once, and others after them ---- */

#define THREADS     48
#define GENERATIONS 3

struct burst {
    size_t id, pushed, seen;
    uint64_t random;
};

static laned shared;

static void *push_burst(void *context)
{
    struct burst *self = context;
    size_t n = 1 + stress_chance(&self->random, 300);
    for (; self->pushed < n; self->pushed++) {
        struct small element = {(uint64_t)self->id << 32 | self->pushed};
        CHECK(laned_push(&shared, element));
    }
    return NULL;
}

/* Each thread's elements are there once, and in order. */
static void take_all(struct burst bursts[], size_t n)
{
    laned_drain drain = laned_drain_begin(&shared), parts[4];
    size_t made = laned_drain_split(&drain, parts, 4);
    struct small element;
    for (size_t part = 0; part < made; part++) {
        while (laned_drain_next(&parts[part], &element)) {
            size_t id = (size_t)(element.mark >> 32);
            CHECK(id < n && (element.mark & UINT32_MAX) == bursts[id].seen);
            bursts[id].seen++;
        }
        laned_drain_end(&parts[part]);
    }
    for (size_t id = 0; id < n; id++)
        CHECK(bursts[id].seen == bursts[id].pushed);
}

static void scene_generations(void)
{
    static struct burst bursts[GENERATIONS * THREADS];
    test_allocator allocator = {0};
    vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator)};
    laned_init(&shared, &options);
    for (size_t round = 0; round < stress_count(30, 3); round++) {
        size_t all = 0;
        for (size_t id = 0; id < GENERATIONS * THREADS; id++)
            bursts[id] = (struct burst){id, 0, 0, stress_random_state(round << 8 | id)};
        for (size_t first = 0; first < GENERATIONS * THREADS; first += THREADS) {
            void *contexts[THREADS];
            for (size_t i = 0; i < THREADS; i++)
                contexts[i] = &bursts[first + i];
            test_run_threads(THREADS, push_burst, contexts);
            for (size_t i = 0; i < THREADS; i++)
                all += bursts[first + i].pushed;
            CHECK(laned_count(&shared) == all);
        }
        take_all(bursts, GENERATIONS * THREADS);
        if (round % 3 == 2)
            (void)laned_trim(&shared, 0);
    }
    laned_destroy(&shared);
    CHECK(atomic_load(&allocator.bytes) == 0);
    stress_passed("threads that come and go, more than find their lane at once");
}

int main(void)
{
    stress_begin("stress_smallbuf");
    smalls_scenes();
    larges_scenes();
    laned_scenes();
    scene_generations();
    return stress_end();
}
