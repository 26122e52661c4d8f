/* SPDX-License-Identifier: MIT */
/*
 * home.h - where a cache refills from.
 */
#ifndef VF_HOME_H
#define VF_HOME_H

#include "listed.h"

/* Of a cache, or of a thread without one for a single call; no thread but this sees it. */
typedef struct vf_home {
    vf_batch *batch; /* that was used last; NULL: none yet, or none had a free slot */
    size_t word;     /* where to go on there */
    vf_claims claims;
} vf_home;

/* Makes the next listed batch the home's, one of others only if they are to be asked; false: there
   is none. Lock-free. */
bool vf_home_move_on(const vf_batches *batches, vf_home *home, bool ask_others);

/* Gives up the batch and the claims. Lock-free. */
void vf_home_leave(const vf_batches *batches, vf_home *home);

#endif
