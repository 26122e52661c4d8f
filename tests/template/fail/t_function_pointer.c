/* SPDX-License-Identifier: MIT */
// expect: VF_T is not one word

#define VF_T int (*)(void)
#define VF_N 16
#include <veryfast/pool.h>
