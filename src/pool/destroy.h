/* SPDX-License-Identifier: MIT */
/*
 * destroy.h - the end of a pool with all its objects: P_destroy.
 */
#ifndef VF_DESTROY_H
#define VF_DESTROY_H

#include "pool.h"

/* Of a pool with caches: the object is free from here on; false: it was already. */
bool vf_destroy_claim(vf_pool *pool, const void *object);

#endif
