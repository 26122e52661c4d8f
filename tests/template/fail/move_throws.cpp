/* SPDX-License-Identifier: MIT */
// expect: VF_T may throw when it is moved: declare its move constructor noexcept
// once
struct order {
    order(order &&other);
};
#define VF_T order
#define VF_N 4
#include <veryfast/smallbuf.h>
