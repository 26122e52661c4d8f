/* SPDX-License-Identifier: MIT */
// expect: plain decimal number
// once

#define VF_T int
#define VF_N 8 + 8
#include <veryfast/pool.h>
