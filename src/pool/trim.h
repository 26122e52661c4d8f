/* SPDX-License-Identifier: MIT */
/*
 * trim.h - gives memory back: P_trim, beside all other calls.
 */
#ifndef VF_TRIM_H
#define VF_TRIM_H

#include "pool.h"

/* Of a pool with caches; how many bytes. Any thread. */
size_t vf_trim_cached(vf_pool *pool);

#endif
