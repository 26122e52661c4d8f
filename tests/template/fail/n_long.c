/* SPDX-License-Identifier: MIT */
// expect: plain decimal number

#define VF_T int
#define VF_N 16L
#include <veryfast/pool.h>
