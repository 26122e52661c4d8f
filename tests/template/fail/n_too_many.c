/* SPDX-License-Identifier: MIT */
// expect: VF_N is more than 1073741824
// once

#define VF_T int
#define VF_N 2000000000
#include <veryfast/pool.h>
