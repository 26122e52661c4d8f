/* SPDX-License-Identifier: MIT */
// expect: plain decimal number

#define VF_T int
#define VF_N 64.0
#include <veryfast/pool.h>
