/* SPDX-License-Identifier: MIT */
/*
 * smallbuf_scenes.h - template: what stress_smallbuf.c does with each of its buffers. Parameters as
 * of smallbuf_producers.h.
 */
#ifndef SCENE_LANES
#    define SCENE_LANES false
#endif
#include "smallbuf_producers.h"

/* Fills of the same size: all is there, and from the third on nothing is allocated. */
static void SCENE(scene_fills)(void)
{
    static const size_t producers_of[] = {1, 2, 8};
    struct SCENE(producer) producers[MOST_PRODUCERS];
    uint64_t random = stress_random_state(100);
    for (size_t p = 0; p < 3; p++) {
        for (enum way way = PUSH; way < WAYS; way++) {
            test_allocator allocator = {0};
            vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator)};
            SCENE_S buffer = {0};
            SCENE(init)(&buffer, &options);
            for (size_t fill = 0; fill < 6; fill++) {
                size_t tries = stress_count(6000, 600) / producers_of[p];
                size_t calls = atomic_load(&allocator.calls);
                SCENE(fill)(&buffer, producers, producers_of[p], way, tries);
                SCENE(check)(&buffer, producers, producers_of[p], &random);
                /* gaps take slots, and how many depends on who was when at work */
                bool same = way != WRITER && way != MIXED && !SCENE_LANES;
                CHECK(!same || fill < 2 || atomic_load(&allocator.calls) == calls);
            }
            SCENE(destroy)(&buffer);
            CHECK(atomic_load(&allocator.bytes) == 0);
        }
    }
    stress_passed("all that is pushed arrives once, in order, and no allocation in steady state");
}

/* One fill while the k-th call of the allocator fails, and one after it. False: none did. */
static bool SCENE(fails_at)(size_t k, size_t n, enum way way, uint64_t *random)
{
    struct SCENE(producer) producers[MOST_PRODUCERS];
    test_allocator allocator = {.fail_at = k};
    vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator)};
    SCENE_S buffer = {0};
    SCENE(init)(&buffer, &options);
    SCENE(fill)(&buffer, producers, n, way, 1500 / n);
    SCENE(check)(&buffer, producers, n, random);
    bool failed = atomic_load(&allocator.calls) >= k;
    SCENE(fill)(&buffer, producers, n, way, 200 / n);
    SCENE(check)(&buffer, producers, n, random);
    SCENE(destroy)(&buffer);
    CHECK(atomic_load(&allocator.bytes) == 0 && atomic_load(&allocator.blocks) == 0);
    return failed;
}

static void SCENE(scene_failures)(void)
{
    uint64_t random = stress_random_state(200);
    for (size_t n = 1; n <= 8; n += 7) {
        for (enum way way = PUSH; way < WAYS; way++) {
            for (size_t again = stress_count(n == 1 ? 1 : 10, 1); again > 0; again--) {
                for (size_t k = 1; SCENE(fails_at)(k, n, way, &random); k++) {
                }
            }
        }
    }
    stress_passed("the k-th allocation fails: a prefix is accepted, the rest stays the caller's");
}

/* What was reserved can be had, by 8 threads, from an allocator that refuses everything. */
static void SCENE(scene_reserve)(void)
{
    struct SCENE(producer) producers[MOST_PRODUCERS];
    uint64_t random = stress_random_state(300);
    for (size_t round = 0; round < stress_count(40, 4); round++) {
        test_allocator allocator = {0};
        vf_smallbuf_options options = {.allocator = test_allocator_hook(&allocator)};
        SCENE_S buffer = {0};
        enum way way = (enum way)stress_chance(&random, WAYS);
        size_t tries = 1 + stress_chance(&random, 500);
        /* each writer that is opened may leave a run unused */
        size_t unused = way == WRITER || way == MIXED ? 8 * tries * 64 : 0;
        SCENE(init)(&buffer, &options);
        CHECK(SCENE(reserve)(&buffer, 8 * tries + unused));
        atomic_store(&allocator.refuse, true);
        SCENE(fill)(&buffer, producers, 8, way, tries);
        for (size_t i = 0; i < 8; i++)
            CHECK(producers[i].pushed.refused == 0);
        SCENE(check)(&buffer, producers, 8, &random);
        SCENE(destroy)(&buffer);
        CHECK(atomic_load(&allocator.bytes) == 0);
    }
    stress_passed("what is reserved can be had by 8 threads");
}

/* Never more than the cap, and without writers exactly as many. */
static void SCENE(scene_cap)(void)
{
    static const size_t caps[] = {1, 2, 7, 8, 9, 31, 64, 500};
    struct SCENE(producer) producers[MOST_PRODUCERS];
    uint64_t random = stress_random_state(400);
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
        for (enum way way = PUSH; way < WAYS; way++) {
            vf_smallbuf_options options = {.max_elements = caps[c]};
            SCENE_S buffer = {0};
            SCENE(init)(&buffer, &options);
            for (size_t fill = 0; fill < stress_count(4, 2); fill++) {
                SCENE(fill)(&buffer, producers, 8, way, 100);
                CHECK(SCENE(count)(&buffer) <= caps[c]);
                CHECK(SCENE(count)(&buffer) == caps[c] || way == WRITER || way == MIXED);
                SCENE(check)(&buffer, producers, 8, &random);
            }
            SCENE(destroy)(&buffer);
        }
    }
    stress_passed("a cap that 8 threads share is exact");
}

static void SCENE(scenes)(void)
{
    SCENE(scene_fills)();
    SCENE(scene_failures)();
    SCENE(scene_reserve)();
    SCENE(scene_cap)();
}

#undef SCENE_S
#undef SCENE_T
#undef SCENE_LANES
