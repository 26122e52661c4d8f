/* SPDX-License-Identifier: MIT */
// expect: VF_T is not defined
// once

#define VF_N 64
#include <veryfast/pool.h>
