/* SPDX-License-Identifier: MIT */
// expect: VF_N is less than 1 or more than 1073741824
// once
#define VF_T    int
#define VF_N    (65536 / 70000)
#define VF_NAME numbers
#include <veryfast/pool.h>
