/* SPDX-License-Identifier: MIT */
// expect: VF_ON_ALLOC and VF_ON_FREE are parameters of pool.h
// once

#define VF_T           int
#define VF_N           16
#define VF_ON_ALLOC(p) ((void)(p))
#include <veryfast/smallbuf.h>
