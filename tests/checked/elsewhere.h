/*
 * elsewhere.h - a pool that test_misuse_symbol.c uses, and a shared library beside it.
 */
#ifndef TESTS_CHECKED_ELSEWHERE_H
#define TESTS_CHECKED_ELSEWHERE_H

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

void leak_elsewhere(pool_int_64 *pool);
void leak_elsewhere_too(pool_int_64 *pool);

#endif
