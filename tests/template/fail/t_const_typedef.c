/* SPDX-License-Identifier: MIT */
// expect: VF_T is an array or qualified

typedef const int constant;

#define VF_T constant
#define VF_N 16
#include <veryfast/pool.h>
