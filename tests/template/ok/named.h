/* SPDX-License-Identifier: MIT */
/* Instances of all kinds for the type VF_T, of type_names.c. */
#define VF_N 4
#define VF_KEEP
#define VF_DROP(p) ((p)->number = 0)
#include <veryfast/pool.h>

#define VF_KEEP
#include <veryfast/smallbuf.h>

#define VF_NAME VF_CAT(VF_T, _laned)
#define VF_KEEP
#define VF_LANES
#include <veryfast/smallbuf.h>

#define VF_NAME VF_CAT(VF_T, _flipped)
#define VF_KEEP
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_NAME VF_CAT(VF_T, _graceful)
#define VF_FLIP
#define VF_EPOCH
#include <veryfast/smallbuf.h>
