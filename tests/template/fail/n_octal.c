/* SPDX-License-Identifier: MIT */
// expect: VF_N is not a plain decimal number
// once

#define VF_T int
#define VF_N 010
#include <veryfast/pool.h>
