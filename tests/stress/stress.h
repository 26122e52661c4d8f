/* SPDX-License-Identifier: MIT */
/*
 * stress.h - what the stress programs share: seed, counts, the closing line, owners.
 *
 *     VF_SEED=7 VF_STRESS_SCALE=10 ./stress_remote_free
 *
 * The programs are bounded by counts, never by time, so that a seed means the same everywhere.
 */
#ifndef TESTS_STRESS_STRESS_H
#define TESTS_STRESS_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "threads.h"

#if defined(__SANITIZE_THREAD__)
#    define STRESS_THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#    define STRESS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define STRESS_THREAD_SANITIZER 1
#    elif __has_feature(address_sanitizer)
#        define STRESS_ADDRESS_SANITIZER 1
#    endif
#endif
#ifndef STRESS_THREAD_SANITIZER
#    define STRESS_THREAD_SANITIZER 0
#endif
#ifndef STRESS_ADDRESS_SANITIZER
#    define STRESS_ADDRESS_SANITIZER 0
#endif

/* Exit code of a test that could not run here, by Meson's convention. */
#define STRESS_SKIPPED 77

static struct {
    const char *name;
    uint64_t seed;
    unsigned passed;
} stress;

static inline void stress_begin(const char *name)
{
    stress.name = name;
    stress.seed = test_setting("VF_SEED", 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s: seed %llu\n", name, (unsigned long long)stress.seed);
}

/* One thing shown. */
static inline void stress_passed(const char *what)
{
    stress.passed++;
    printf("%s: ok: %s\n", stress.name, what);
}

/* A CHECK that fails stops the program, so whoever gets here has no failure. */
static inline int stress_end(void)
{
    printf("%s: %u passed, 0 failed\n", stress.name, stress.passed);
    return 0;
}

/* How often: fewer times under ThreadSanitizer, which is some 20 times slower. */
static inline size_t stress_count(size_t native, size_t thread_sanitizer)
{
    size_t count = STRESS_THREAD_SANITIZER ? thread_sanitizer : native;
    return count * (size_t)test_setting("VF_STRESS_SCALE", 1);
}

/* A chain of chances of its own for each number, from the program's seed. */
static inline uint64_t stress_random_state(uint64_t number)
{
    uint64_t state = stress.seed * UINT64_C(0x9E3779B97F4A7C15) + number + 1;
    (void)test_random(&state);
    return state;
}

/* 0 .. n - 1. */
static inline size_t stress_chance(uint64_t *state, size_t n)
{
    return (size_t)((test_random(state) >> 32) % n);
}

/*
 * Owner words. Who gets an object claims it, who gives it back disclaims it before. Relaxed, so
 * that the word itself orders nothing: what orders a free before the alloc that follows it must
 * come from the library, or ThreadSanitizer speaks up.
 */
#define STRESS_UNOWNED UINT64_C(0)
#define STRESS_FRESH   UINT64_C(0xA5A5A5A5A5A5A5A5) /* what tests/support/allocator.c fills with */

static inline void stress_claim(_Atomic uint64_t *word, uint64_t owner)
{
    uint64_t before = atomic_load_explicit(word, memory_order_relaxed);
    CHECK(before == STRESS_UNOWNED || before == STRESS_FRESH);
    CHECK(atomic_compare_exchange_strong_explicit(word, &before, owner, memory_order_relaxed,
                                                  memory_order_relaxed));
}

static inline void stress_disclaim(_Atomic uint64_t *word, uint64_t owner)
{
    CHECK(atomic_compare_exchange_strong_explicit(word, &owner, STRESS_UNOWNED,
                                                  memory_order_relaxed, memory_order_relaxed));
}

#endif
