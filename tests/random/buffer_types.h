/* SPDX-License-Identifier: MIT */
/*
 * buffer_types.h - the kinds of small buffers that random programs use, of one element.
 */
#ifndef TESTS_RANDOM_BUFFER_TYPES_H
#define TESTS_RANDOM_BUFFER_TYPES_H

#include <sched.h>

#include "buffers.h"

static void hand_out(const struct element *element);

#define NAME plain
#include "buffer_type.h"

#define NAME apart
#define VF_CACHE_ALIGNED
#include "buffer_type.h"

#define NAME lanes
#define VF_LANES
#include "buffer_type.h"

#define NAME lanes_apart
#define VF_LANES
#define VF_CACHE_ALIGNED
#include "buffer_type.h"

#define NAME flipping
#define VF_FLIP
#include "buffer_type.h"

#define NAME waiting
#define VF_FLIP
#define VF_EPOCH
#include "buffer_type.h"

#define NAME flipping_lanes
#define VF_FLIP
#define VF_LANES
#include "buffer_type.h"

#define NAME waiting_lanes
#define VF_FLIP
#define VF_EPOCH
#define VF_LANES
#include "buffer_type.h"

#endif
