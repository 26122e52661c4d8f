/* SPDX-License-Identifier: MIT */
// expect: S_drain_next needs a VF_T that can be assigned: take it by S_drain_span
struct order {
    const int number;
};
#define VF_T order
#define VF_N 4
#include <veryfast/smallbuf.h>
bool next(smallbuf_order_4_drain *drain, order *to)
{
    return smallbuf_order_4_drain_next(drain, to);
}
