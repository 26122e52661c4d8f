/* SPDX-License-Identifier: MIT */
// expect: VF_N is an expression
// once

#define BATCH (4 * 16)

#define VF_T int
#define VF_N BATCH
#include <veryfast/pool.h>
