/* SPDX-License-Identifier: MIT */
// expect: VF_LANES does not go with VF_FLIP
// once

#define VF_T int
#define VF_N 16
#define VF_LANES
#define VF_FLIP
#include <veryfast/smallbuf.h>
