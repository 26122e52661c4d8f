/* SPDX-License-Identifier: MIT */
// expect: VF_T is an array or qualified

typedef int three[3];

#define VF_T three
#define VF_N 16
#include <veryfast/pool.h>
