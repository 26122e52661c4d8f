/* SPDX-License-Identifier: MIT */
// expect: VF_N is less than 1 or more than 1073741824
#define VF_T    int
#define VF_N    (sizeof(int) << 29)
#define VF_NAME numbers
#include <veryfast/smallbuf.h>
