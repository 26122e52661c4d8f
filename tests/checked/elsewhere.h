/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.h - a pool that test_misuse_symbol.c uses, and a shared library beside it.
 */
#ifndef TESTS_CHECKED_ELSEWHERE_H
#define TESTS_CHECKED_ELSEWHERE_H

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

/* The program's pool_int_64_alloc: the library that it has is not this module's to call. */
typedef int *allocate(pool_int_64 *pool);

void leak_elsewhere(pool_int_64 *pool, allocate *alloc);
void leak_elsewhere_too(pool_int_64 *pool, allocate *alloc);

#endif
