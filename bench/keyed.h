/* SPDX-License-Identifier: MIT */
/*
 * keyed.h - what one would use instead of writers with keys, in C++: a vector for each thread, and
 * std::stable_sort.
 */
#ifndef BENCH_KEYED_H
#define BENCH_KEYED_H

#include "harness.h"

/* An element with the key that it is sorted by. */
struct keyed {
    uint64_t key, value;
};

#ifdef __cplusplus
extern "C" {
#endif
/* The worker pushes the elements of a job. */
void keyed_vector_push(unsigned worker, uint64_t job, size_t each);
/* Takes all, by job: the sum of the products of elements and their places. */
uint64_t keyed_vectors_take(void);
#ifdef __cplusplus
}
#endif

#endif
