/* SPDX-License-Identifier: MIT */
// expect: VF_N has a suffix
// once

#define VF_T int
#define VF_N 16ul
#include <veryfast/pool.h>
