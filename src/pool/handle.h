/* SPDX-License-Identifier: MIT */
/*
 * handle.h - from objects to their generations, and from handles to objects: of a pool with
 * handles, whatever its kind. All of these: any thread.
 */
#ifndef VF_HANDLE_H
#define VF_HANDLE_H

#include "kind.h"

/* Where an object is. */
typedef struct vf_location {
    vf_generations *of;
    size_t number; /* of its batch */
    size_t slot;   /* of its own, there */
} vf_location;

/* The object is the caller's, or misuse. */
vf_location vf_handle_locate(const vf_pool *pool, const void *object);

/* NULL: the object is gone, or the handle never was. */
void *vf_handle_object(const vf_pool *pool, uint64_t bits);

/*
 * Ends an object that the caller is about to free, before VF_DROP: every free, however it is
 * called, comes by here, or by the inline form of it. From here on no handle leads to the object.
 * False: it has had the last generation of its slot, and goes back by vf_handle_retire.
 */
bool vf_handle_end(const vf_pool *pool, const void *object);

/* The object of the handle, which has ended with that; NULL: it has before. Of several callers one
   gets it. */
void *vf_handle_claim(const vf_pool *pool, uint64_t bits, bool *goes_on);

/* Takes back a claim, of an object that nobody else has had meanwhile. */
void vf_handle_publish_again(const vf_pool *pool, uint64_t bits);

/* Has the object, which has ended, had the last generation of its slot? */
bool vf_handle_is_last(const vf_pool *pool, const void *object);

/* Its slot is nobody's any more. The pool may be gone with it. */
void vf_handle_retire(vf_pool *pool, const void *object);

#endif
