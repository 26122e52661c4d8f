/* SPDX-License-Identifier: MIT */
// expect: VF_T is not one word
// once

#define VF_T long long
#define VF_N 16
#include <veryfast/pool.h>
