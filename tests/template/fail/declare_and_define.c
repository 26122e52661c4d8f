/* SPDX-License-Identifier: MIT */
// expect: VF_DECLARE and VF_DEFINE are both defined
// once

#define VF_T int
#define VF_N 16
#define VF_DECLARE
#define VF_DEFINE
#include <veryfast/pool.h>
