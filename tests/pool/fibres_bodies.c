/* SPDX-License-Identifier: MIT */
/* fibres_bodies.c - the extern bodies: a caller of them keeps nothing of the thread over a call. */
#include "fibres_pool.h"

#define VF_T    struct thing
#define VF_NAME things
#define VF_N    64
#define VF_DEFINE
#include <veryfast/pool.h>
