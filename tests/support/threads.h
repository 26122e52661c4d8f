/* SPDX-License-Identifier: MIT */
/*
 * threads.h - threads and chance for tests.
 */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#    include <malloc.h>
#endif

#include "barrier.h"

/* For programs without a test framework: an assertion that no build switches off. Stops the program
   even if the thread was cancelled. */
#define CHECK(condition)                                                                           \
    ((condition)                                                                                   \
         ? (void)0                                                                                 \
         : (pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){0}),                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition), abort()))

/* Memory at a cache line's boundary. */
static inline void *test_aligned(size_t size)
{
    size = (size + 63) / 64 * 64;
#ifdef _WIN32
    return _aligned_malloc(size, 64);
#else
    return aligned_alloc(64, size);
#endif
}

static inline void test_aligned_free(void *memory)
{
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

/* A chain of numbers that look random (xorshift64*, Vigna 2016), the same for the same seed. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t x = *state != 0 ? *state : UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 .. n - 1. */
static inline size_t test_random_below(uint64_t *state, size_t n)
{
    return (size_t)(test_random(state) % n);
}

/* A number from the environment, so that a test can be run for longer or from another seed. */
static inline uint64_t test_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

/* Runs body(contexts[i]) on n threads at once, until all have returned. Their stacks are such that
   an address space of 32 bits has room for a thousand. */
static inline void test_run_threads(size_t n, void *(*body)(void *), void *const contexts[])
{
    pthread_t *threads = calloc(n, sizeof *threads);
    pthread_attr_t attributes;
    CHECK(threads != NULL);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)1 << 20) == 0);
    for (size_t i = 0; i < n; i++)
        CHECK(pthread_create(&threads[i], &attributes, body, contexts[i]) == 0);
    pthread_attr_destroy(&attributes);
    for (size_t i = 0; i < n; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    free(threads);
}

#endif
