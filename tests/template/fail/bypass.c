/* SPDX-License-Identifier: MIT */
// expect: VF_BYPASS goes with a checked build
// once

#define VF_BYPASS
#define VF_T int
#define VF_N 16
#include <veryfast/pool.h>
