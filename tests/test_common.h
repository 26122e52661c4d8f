/* SPDX-License-Identifier: MIT */
/*
 * test_common.h - what the unit tests share: Criterion (or its stand-in) and a few checks.
 */
#ifndef TESTS_TEST_COMMON_H
#define TESTS_TEST_COMMON_H

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <veryfast/checked.h>
#include <veryfast/veryfast.h>

#include "support/allocator.h"

/* What these tests say of freed objects holds in a checked build too, but for what it adds. */
#ifdef VF_CHECKED
__attribute__((constructor)) static void add_nothing_to_frees(void)
{
    vf_checked_quarantine(0);
    vf_checked_keep_contents(true);
}
#endif

/* Two numbers, of objects or bytes or whatever. Says what they are, where Criterion says the words
 * only. */
#define check_equal(actual, expected)                                                              \
    do {                                                                                           \
        uint64_t actual_ = (actual);                                                               \
        uint64_t expected_ = (expected);                                                           \
        cr_assert(actual_ == expected_, "%s is %" PRIu64 ", not %" PRIu64 " (%s)", #actual,        \
                  actual_, expected_, #expected);                                                  \
    } while (0)

/* A call that must fail: refuses (an expression that is true if it did) with that errno. */
#define check_refused(number, refuses)                                                             \
    do {                                                                                           \
        errno = 0;                                                                                 \
        cr_assert((refuses), "not refused: %s", #refuses);                                         \
        cr_assert(errno == (number), "errno is %d, not %s", errno, #number);                       \
    } while (0)

/* What must hold of a pool's numbers at any moment when no call is in progress. */
#define check_sums(stats, allocator)                                                               \
    do {                                                                                           \
        const vf_pool_stats *stats_ = &(stats);                                                    \
        size_t sum_ = stats_->live + stats_->cached + stats_->depot + stats_->fresh;               \
        check_equal(sum_ + stats_->retired, stats_->capacity);                                     \
        cr_assert(stats_->live <= stats_->peak, "more live than at the peak");                     \
        check_equal(stats_->bytes, atomic_load(&(allocator)->bytes));                              \
    } while (0)

/* All that the pool had from its allocator is back there. */
#define check_all_back(allocator)                                                                  \
    do {                                                                                           \
        check_equal(atomic_load(&(allocator)->bytes), 0);                                          \
        check_equal(atomic_load(&(allocator)->blocks), 0);                                         \
    } while (0)

/* Memory for n pointers (or other things); a test without it cannot go on. */
static inline void *test_memory(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (memory == NULL)
        abort();
    return memory;
}

static inline int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return (x > y) - (x < y);
}

/* Are the n objects at least stride apart? Sorts them. */
static inline bool all_apart(void *objects, size_t n, size_t stride)
{
    char **sorted = objects;
    qsort(sorted, n, sizeof *sorted, by_address);
    for (size_t i = 1; i < n; i++) {
        if ((size_t)(sorted[i] - sorted[i - 1]) < stride)
            return false;
    }
    return true;
}

#endif
