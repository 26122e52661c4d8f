/* SPDX-License-Identifier: MIT */
// expect: deleted
#define VF_T int
#define VF_N 4
#include <veryfast/smallbuf.h>
struct actor {
    smallbuf_int_4 inbox;
};
actor copy(const actor &of)
{
    return of;
}
