/* SPDX-License-Identifier: MIT */
/*
 * sizes.c - the sizes of public structs, compiled in both kinds of build; SIZES is the array.
 */
#include "sizes.h"

#include <veryfast/veryfast.h>

#define VF_DECLARE
#define VF_T long
#define VF_N 5
#include <veryfast/pool.h>

#define VF_DECLARE
#define VF_T long
#define VF_N 5
#include <veryfast/smallbuf.h>

#define VF_DECLARE
#define VF_T    long
#define VF_N    5
#define VF_NAME flipped
#define VF_FLIP
#include <veryfast/smallbuf.h>

const size_t SIZES[COUNT_OF_SIZES] = {
    sizeof(vf_allocator),           sizeof(vf_pool_options),
    sizeof(vf_pool_stats),          sizeof(vf_smallbuf_options),

    sizeof(vf_pool_core),           sizeof(vf_cache),
    sizeof(smallbuf_long_5),        sizeof(smallbuf_long_5_drain),
    sizeof(smallbuf_long_5_writer), sizeof(flipped),
    sizeof(flipped_drain),
};
