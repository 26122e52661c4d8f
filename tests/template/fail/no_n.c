/* SPDX-License-Identifier: MIT */
// expect: VF_N is not defined
// once

#define VF_T int
#include <veryfast/pool.h>
