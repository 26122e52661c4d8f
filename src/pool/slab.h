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

/*
 * Drops those pages of a block that have any of the n bytes from `from` on, and are all zero, and
 * no other block's. So they read as they did, for threads without the lock too, and cost nothing
 * until they are written to. Keeps errno. With the lock.
 */
void vf_slab_drop(char *block, size_t size, size_t from, size_t n);

/* All memory goes back. With the lock. */
void vf_slab_end(void);

#endif
