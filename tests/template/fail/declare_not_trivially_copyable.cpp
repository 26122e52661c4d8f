/* SPDX-License-Identifier: MIT */
// expect: VF_T is not trivially copyable
// once

#include <string>

#define VF_T    std::string
#define VF_N    16
#define VF_NAME strings
#define VF_DECLARE
#include <veryfast/pool.h>
