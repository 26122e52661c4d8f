/* SPDX-License-Identifier: MIT */
/*
 * stats.h - a pool in numbers: P_stats.
 */
#ifndef VF_STATS_H
#define VF_STATS_H

#include "pool.h"

/* Of a pool with caches, what kind.h says of stats. Any thread. */
void vf_stats_cached(vf_pool *pool, vf_pool_stats *stats);

/* May any slot be free? True, where that is in doubt. Of a pool with caches; any thread. */
bool vf_stats_may_have_free(const vf_pool *pool);

/* Does what caches and outstanding say of live objects agree with the bits of the depot? For
   assertions, when the caches are empty and no other call runs. Of a pool with caches; threads'
   lock, since threads may end. */
bool vf_stats_add_up(const vf_pool *pool);

#endif
