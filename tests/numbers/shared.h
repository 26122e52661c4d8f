/* SPDX-License-Identifier: MIT */
/*
 * shared.h - a pool that program and plug-in use, and what the plug-in does with it.
 */
#ifndef TESTS_NUMBERS_SHARED_H
#define TESTS_NUMBERS_SHARED_H

#define VF_T    long
#define VF_N    64
#define VF_NAME longs
#include <veryfast/pool.h>

enum { KEPT = 100 };

/* Frees what the last load of the plug-in left, each of which is `before`, and leaves `now` in new
   ones, having been through the cache many times. How many were wrong. */
typedef size_t plugin_turn(longs *pool, long *kept[KEPT], long before, long now);

#endif
