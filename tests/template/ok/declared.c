/* SPDX-License-Identifier: MIT */
/*
 * declared.c - small buffers that are declared, and defined in the same file. Each body needs a
 * prototype with its description in the header: -Wmissing-prototypes finds one that has none.
 */
#define VF_T    int
#define VF_N    8
#define VF_NAME plain
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME plain
#define VF_DEFINE
#define VF_KEEP
#include <veryfast/smallbuf.h>

#define VF_NAME laned
#define VF_LANES
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME laned
#define VF_LANES
#define VF_DEFINE
#define VF_KEEP
#include <veryfast/smallbuf.h>

#define VF_NAME flips
#define VF_FLIP
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME flips
#define VF_FLIP
#define VF_DEFINE
#define VF_KEEP
#include <veryfast/smallbuf.h>

#define VF_NAME waits
#define VF_FLIP
#define VF_EPOCH
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/smallbuf.h>
#define VF_NAME waits
#define VF_FLIP
#define VF_EPOCH
#define VF_DEFINE
#include <veryfast/smallbuf.h>

int main(void)
{
    int numbers[2] = {1, 2};
    static plain buffer;
    bool pushed = plain_push_n(&buffer, numbers, 2) == 2;
    plain_destroy(&buffer);
    return !pushed;
}
