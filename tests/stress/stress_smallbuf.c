/* SPDX-License-Identifier: MIT */
/*
 * stress_smallbuf.c - many threads push into one small buffer, in all ways: nothing is lost,
 * nothing comes twice, each producer's elements come in order; and so when memory fails.
 */
#include <errno.h>
#include <string.h>

#include "allocator.h"
#include "stress.h"

struct small {
    uint64_t mark;
};

struct large {
    uint64_t mark;
    unsigned char rest[192];
};

static void smalls_dropped(const struct small *element);
#define VF_T       struct small
#define VF_N       8
#define VF_NAME    smalls
#define VF_DROP(p) smalls_dropped(p)
#include <veryfast/smallbuf.h>
static void larges_dropped(const struct large *element);
#define VF_T             struct large
#define VF_N             3
#define VF_NAME          larges
#define VF_DROP(p)       larges_dropped(p)
#define VF_CACHE_ALIGNED /* another layout, too */
#include <veryfast/smallbuf.h>

#define SCENE_S smalls
#define SCENE_T struct small
#include "smallbuf_scenes.h"
#define SCENE_S larges
#define SCENE_T struct large
#include "smallbuf_scenes.h"

int main(void)
{
    stress_begin("stress_smallbuf");
    smalls_scenes();
    larges_scenes();
    return stress_end();
}
