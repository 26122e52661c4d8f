/* SPDX-License-Identifier: MIT */
/*
 * map.h - the map: which pool the memory of a batch belongs to, for vf_free. Most of its look-up is
 * in <veryfast/detail/pool_free.h>.
 *
 * There is one for all pools. Its memory belongs to none of them, and is counted in none: 28 bytes
 * for 4 KiB of a batch, where batches lie together (the system counts in pages), and 520 more where
 * a batch begins and ends within these 4 KiB, or 1040 where it lies in another pool's object. It
 * keeps all but the pages that vf_map_trim finds to say nothing.
 */
#ifndef VF_MAP_H
#define VF_MAP_H

#include <veryfast/detail/pool_free.h>

/*
 * Enters memory that the pool got for its slots, before any of them is handed out. It begins at a
 * cache line's boundary, and the pool at a multiple of two lines. Where it is an object of another
 * pool, that one has it again when this is removed. False: out of memory, and nothing has changed.
 * Keeps errno. Any thread.
 */
bool vf_map_enter(const vf_pool_core *pool, const char *memory, size_t size);

/* Removes what was entered, or a part of it was, or nothing: before the memory is given back. */
void vf_map_remove(const vf_pool_core *pool, const char *memory, size_t size);

/* Gives back what the map needed for memory that was removed, and for none that is there. Keeps
   errno. Any thread. */
void vf_map_trim(const char *memory, size_t size);

/* The pool of a live object whose page several share. Lock-free; any thread. */
void *vf_map_shared(const void *object);

/* The pool that has the memory about any address at all, perhaps; NULL: none has. It may end
   meanwhile. */
void *vf_map_find(const void *address);

/* In the child of a fork. */
void vf_map_after_fork(void);

/* There is no pool, and the process ends or the library is unloaded: its memory goes back. */
void vf_map_end(void);

#endif
