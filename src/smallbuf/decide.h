/* SPDX-License-Identifier: MIT */
/*
 * decide.h - decisions on a small buffer's chunks.
 */
#ifndef VF_DECIDE_H
#define VF_DECIDE_H

#include "smallbuf.h"

/* Any thread. A slot is a number in the first chunk, an index one of all slots. */

/* Decides on the first chunk, for its slot of that number; NULL: refused. VF_NO_SLOT: for none, so
   that a failure decides nothing. */
#define VF_NO_SLOT (VF_NO_LIMIT - 1)
vf_directory *vf_decide_directory(void **spill, uint64_t slot, const vf_smallbuf_type *type);

/* Decides on all chunks up to the one that the index is in; false: refused. */
bool vf_decide_up_to(vf_directory *directory, uint64_t index);

#endif
