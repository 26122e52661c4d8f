/* SPDX-License-Identifier: MIT */
// expect: VF_LANES is a parameter of smallbuf.h
// once

#define VF_T int
#define VF_N 16
#define VF_LANES
#include <veryfast/pool.h>
