/* SPDX-License-Identifier: MIT */
// expect: deleted
#define VF_T int
#define VF_N 4
#define VF_FLIP
#include <veryfast/smallbuf.h>
void copy(smallbuf_int_4 &to, const smallbuf_int_4 &from)
{
    to = from;
}
