/* SPDX-License-Identifier: MIT */
// expect: VF_T has a destructor: define VF_DROP(p) to call it
// once
#include <string>
#define VF_T    std::string
#define VF_N    4
#define VF_NAME strings
#include <veryfast/smallbuf.h>
