/* SPDX-License-Identifier: MIT */
// expect: VF_T is an array or qualified

#define VF_T    const int
#define VF_N    16
#define VF_NAME constants
#include <veryfast/pool.h>
