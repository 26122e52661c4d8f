/* SPDX-License-Identifier: MIT */
// expect: VF_EPOCH is a parameter of pool.h, or goes with VF_FLIP
// once

#define VF_T int
#define VF_N 16
#define VF_EPOCH
#include <veryfast/smallbuf.h>
