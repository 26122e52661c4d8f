/* SPDX-License-Identifier: MIT */
/*
 * pool_types.h - the kinds of pools that random programs use, of one element.
 */
#ifndef TESTS_RANDOM_POOL_TYPES_H
#define TESTS_RANDOM_POOL_TYPES_H

#include <veryfast/detail/name.h>

#include "pools.h"

#define NAME       dropping
#define VF_N       50
#define VF_DROP(p) drop_thing(p)
#include "pool_type.h"

#define NAME lined
#define VF_N 7
#define VF_CACHE_ALIGNED
#define VF_HANDLE
#include "pool_type.h"

#define NAME       wide
#define VF_N       1000
#define VF_DROP(p) drop_thing(p)
#include "pool_type.h"

#include "pool_sized.h"

#ifdef VF_HAS_EPOCH
#    define NAME       deferring
#    define VF_N       50
#    define VF_DROP(p) drop_thing(p)
#    define VF_EPOCH
#    define VF_HANDLE
#    include "pool_type.h"
#endif

#endif
