/* SPDX-License-Identifier: MIT */
// expect: VF_SHARED is a parameter of pool.h; a small buffer can be static
// once
#define VF_T int
#define VF_N 4
#define VF_SHARED
#include <veryfast/smallbuf.h>
