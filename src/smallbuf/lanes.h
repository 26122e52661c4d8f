/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - the lanes of a small buffer, all of them, for a thread that has exclusive access.
 */
#ifndef VF_LANES_H
#define VF_LANES_H

#include "smallbuf.h"

/* Bytes of a lane. */
size_t vf_lanes_size(const vf_directory *directory);

/* The lane behind this one, of whatever head; NULL: the first, or there is none. Any thread. */
vf_lane *vf_lanes_next(vf_directory *directory, const vf_lane *lane);

/* How many slots of their runs are unused. Shared with other readers. */
uint64_t vf_lanes_unused(vf_directory *directory);

/* Marks these as gaps; shared with other readers, and the lanes go on behind. */
void vf_lanes_mark(vf_directory *directory);

/* Of a lane that has filled its run: if that was marked, the marks go. Its thread. */
void vf_lanes_unmark(vf_directory *directory, vf_lane *lane);

/* Ends all runs, of slots below the index `used`: what is unused are gaps, or, where it was the
   last to be taken, given back. The index behind the last slot that is used. */
uint64_t vf_lanes_end(vf_directory *directory, uint64_t used);

/* Forgets all runs, half begun ones too: what is in the buffer is given up. */
void vf_lanes_forget(vf_directory *directory);

/* Gives back the memory of lanes without slots; how many bytes. */
size_t vf_lanes_free(vf_directory *directory);

#endif
