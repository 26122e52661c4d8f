/* SPDX-License-Identifier: MIT */
// expect: VF_N is an expression
// once

#define VF_T int
#define VF_N (1 << 4)
#include <veryfast/pool.h>
