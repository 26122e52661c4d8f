/* SPDX-License-Identifier: MIT */
// expect: VF_EPOCH needs a veryfast with epochs
// once

#define VF_T int
#define VF_N 16
#define VF_EPOCH
#include <veryfast/pool.h>
