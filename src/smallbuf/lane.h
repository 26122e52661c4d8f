/* SPDX-License-Identifier: MIT */
/*
 * lane.h - a thread's lane, with VF_FLIP and without. Any thread.
 */
#ifndef VF_LANE_H
#define VF_LANE_H

#include "smallbuf.h"

/* Does a push that finds the index in the counter take one slot, and no run? (The counter may be
   further by the time that it takes it.) */
bool vf_lane_is_single(const vf_directory *directory, uint64_t index);

/* Is the slot there? A push that may be refused yet, for want of a chunk, leaves no lane behind. */
bool vf_lane_is_there(const vf_directory *directory, uint64_t index);

/* May a run that ends at the index, or begins there, be twice as long? */
bool vf_lane_may_double(uint64_t run, uint64_t index, const vf_smallbuf_type *type);

/* The lane of the thread with the index; NULL: it has none. */
vf_lane *vf_lane_find(vf_directory *directory, uint64_t thread);

/* NULL: the thread can have none. */
vf_lane *vf_lane_new(vf_directory *directory, uint64_t thread);

#endif
