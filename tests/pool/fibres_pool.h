/* SPDX-License-Identifier: MIT */
/* fibres_pool.h - the pools of test_fibres.c: one with extern bodies, one with inline ones. */
#ifndef TESTS_FIBRES_POOL_H
#define TESTS_FIBRES_POOL_H

struct thing {
    int owner; /* atomic; the fibre that has it, 0: none */
    int value;
};

#define VF_T    struct thing
#define VF_NAME things
#define VF_N    64
#define VF_DECLARE
#include <veryfast/pool.h>

#define VF_T    struct thing
#define VF_NAME inlines
#define VF_N    64
#include <veryfast/pool.h>

#endif
