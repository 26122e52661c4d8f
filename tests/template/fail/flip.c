/* SPDX-License-Identifier: MIT */
// expect: VF_FLIP is a parameter of smallbuf.h
// once

#define VF_T int
#define VF_N 16
#define VF_FLIP
#include <veryfast/pool.h>
