/* SPDX-License-Identifier: MIT */
// expect: VF_N is less than 1
// once

#define VF_T int
#define VF_N -5
#include <veryfast/pool.h>
