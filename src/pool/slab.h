/* SPDX-License-Identifier: MIT */
/*
 * slab.h - the memory of the map, which belongs to no pool, and the lock that guards it.
 */
#ifndef VF_SLAB_H
#define VF_SLAB_H

#include <stddef.h>

#include "../platform/mutex.h"

/* The map's lock. It guards all changes of the map; each leaves the map whole, since the child of a
   fork goes on with what it finds. */
extern vf_mutex vf_slab_lock;

/* Zero bytes, from a cache line's boundary on; NULL: out of memory. Keeps errno. With the lock. */
void *vf_slab_obtain(size_t size);

/* All memory goes back. With the lock. */
void vf_slab_end(void);

#endif
