/* SPDX-License-Identifier: MIT */
/*
 * shared.h - pools that the whole program shares: one for each name and set of parameters of an
 * instance with VF_SHARED. They are never released.
 */
#ifndef VF_SHARED_H
#define VF_SHARED_H

#include "pool.h"

/* Makes a pool of the type, with the default options. The caller is that of a checked build.
   NULL and ENOMEM. */
typedef vf_pool_core *vf_shared_make(const vf_pool_type *type, const void *caller);

/* The pool of this name and these parameters, made at the first call. NULL and ENOMEM. Any
   thread. */
vf_pool_core *vf_shared_get(const vf_pool_type *type, vf_shared_make *maker, const void *caller);

#endif
