/* SPDX-License-Identifier: MIT */
// expect: VF_T is an incomplete type

#define VF_T struct foo
#define VF_N 16
#include <veryfast/pool.h>
