/* SPDX-License-Identifier: MIT */
/*
 * slot.h - headers, fences and fills of the objects of a checked build; see ../pool/checks.h.
 */
#ifndef VF_SLOT_H
#define VF_SLOT_H

#include "../pool/pool.h"

/* An option of <veryfast/checked.h>. */
extern bool vf_slot_keep_contents; /* atomic */

vf_header *vf_slot_header(const vf_pool *pool, const void *object);
void *vf_slot_object(const vf_pool *pool, const vf_header *header);
bool vf_slot_has_header(const vf_pool *pool, const void *object); /* one that is whole */

/* Was the slot never handed out? */
bool vf_slot_is_fresh(const vf_pool *pool, const void *object);

/* Stops where a fence was written to. */
void vf_slot_look_at_fences(const vf_pool *pool, const void *object, const void *caller);

/* A slot from the core becomes an object. */
void vf_slot_hand_out(vf_pool *pool, void *object, const void *caller);

/* The program has the object no more, and its state says so already. */
void vf_slot_take_back(vf_pool *pool, void *object, const void *caller);

/* Of a header that is whole: was the freed object written to? Stops if so. */
void vf_slot_verify_freed(const vf_pool *pool, const vf_header *header, const void *caller);

/* Stops, and tells where the object came from and went. */
_Noreturn void vf_slot_misuse(const vf_pool *pool, const void *object, const void *caller,
                              const char *what);

#endif
