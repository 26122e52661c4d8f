/* SPDX-License-Identifier: MIT */
/*
 * push.h - pushes in flight and open writers of small buffers.
 */
#ifndef VF_PUSH_H
#define VF_PUSH_H

/* For a fork. */
void vf_push_lock(void);
void vf_push_unlock(void);

#endif
