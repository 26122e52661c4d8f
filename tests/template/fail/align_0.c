/* SPDX-License-Identifier: MIT */
// expect: VF_ALIGN is not a power of two
// once

#define VF_T     int
#define VF_N     16
#define VF_ALIGN 0
#include <veryfast/pool.h>
