/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - the memory of a small buffer's chunks. A function that gives memory back says how many
 * bytes; one that cannot have any returns NULL, and leaves errno alone.
 */
#ifndef VF_CHUNK_H
#define VF_CHUNK_H

#include "smallbuf.h"

/* The most elements that there may be at once. */
uint64_t vf_chunk_cap(const vf_smallbuf_options *options);

/* Any memory of a buffer, by its allocator. */
void *vf_chunk_memory(const vf_smallbuf_options *options, size_t size, size_t alignment);
void vf_chunk_memory_free(const vf_smallbuf_options *options, void *memory, size_t size,
                          size_t alignment);

/* With the first chunk, which is all the room. */
vf_directory *vf_chunk_directory_new(const vf_smallbuf_options *options,
                                     const vf_smallbuf_type *type);
size_t vf_chunk_directory_free(vf_directory *directory);

/* Another chunk: its slots, behind their window. Not yet in the directory. */
void *vf_chunk_new(vf_directory *directory, size_t level);
size_t vf_chunk_free(const vf_directory *directory, void *chunk, size_t level);

/* Pushes have the slots below the limit only of a chunk that is there, and none behind it. Nobody
   else looks at it. */
void vf_chunk_limit(vf_directory *directory, size_t level, uint64_t limit);

/* Room with all chunks up to the level, which is there. */
uint64_t vf_chunk_room(const vf_directory *directory, size_t level);

/* Bytes of a chunk's marks. */
size_t vf_chunk_marks_size(const vf_directory *directory, size_t level);

#endif
