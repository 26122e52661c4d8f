/* SPDX-License-Identifier: MIT */
/*
 * look.h - looks at what the program gives to a free, or the like.
 */
#ifndef VF_LOOK_H
#define VF_LOOK_H

#include "../pool/pool.h"

/* The header of an object that the program has and may use; stops otherwise, with these words where
   it is free. */
vf_header *vf_look(vf_pool *pool, const void *object, const char *after_free, const void *caller);

/* Stops for an address that is no object. The region is where it lies in this pool, if anywhere. */
_Noreturn void vf_look_stranger(vf_pool *pool, const void *object, const vf_region *region,
                                const void *caller);

/* The pool of an object that vf_free is given; stops where there is none. */
vf_pool *vf_look_for_pool(const void *object, const void *caller);

#endif
