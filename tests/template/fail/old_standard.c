/* SPDX-License-Identifier: MIT */
// expect: or later: compile with -std=c
// standards: c99 c++11

#define VF_T int
#define VF_N 4
#include <veryfast/pool.h>
