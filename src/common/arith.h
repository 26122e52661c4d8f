/* SPDX-License-Identifier: MIT */
/*
 * arith.h - arithmetic of sizes.
 */
#ifndef VF_ARITH_H
#define VF_ARITH_H

#include <stddef.h>

static inline size_t vf_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t vf_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The next multiple of the unit, which is not 0; the caller sees to it that it can be counted. */
static inline size_t vf_round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

#endif
