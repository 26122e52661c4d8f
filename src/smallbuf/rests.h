/* SPDX-License-Identifier: MIT */
/*
 * rests.h - what writers with a key leave of their runs, for others to take.
 */
#ifndef VF_RESTS_H
#define VF_RESTS_H

#include "runs.h"

/* Any thread: takes a rest out, slots that lie in a row in one chunk up to the end of a run; the
   index behind the last, or 0: there is none. */
uint64_t vf_rests_take(vf_directory *directory, uint64_t key, uint64_t *first);

/* Any thread: leaves slots that do so. */
void vf_rests_leave(vf_directory *directory, uint64_t key, uint64_t first, uint64_t end);

/* Exclusive access from here on. */

/* How many slots are in rests. Shared with other readers. */
uint64_t vf_rests_unused(const vf_directory *directory);

/* Marks these as gaps. Shared with other readers; whoever takes a rest out unmarks it. */
void vf_rests_mark(vf_directory *directory);

/* All become gaps. */
void vf_rests_end(vf_directory *directory);

#endif
