/* SPDX-License-Identifier: MIT */
// expect: VF_N is less than 1 or not a number
// once

#define VF_T int
#define VF_N BATCH
#include <veryfast/pool.h>
