/* SPDX-License-Identifier: MIT */
/*
 * memory.h - a pool's memory: from the allocator of its options, and counted.
 */
#ifndef VF_POOL_MEMORY_H
#define VF_POOL_MEMORY_H

#include <veryfast/veryfast.h>

/* Drops the pages of memory that the allocator gave, and keeps the addresses. */
typedef void vf_purge(void *context, void *memory, size_t size);

typedef struct vf_memory {
    vf_allocator allocator; /* constant; both functions are there */
    vf_purge *purge;        /* constant; NULL: pages cannot be dropped */
    size_t bytes;           /* atomic: all that is held */
} vf_memory;

/* The allocator and the purge of the options, or the C library's and the system's. */
void vf_memory_init(vf_memory *memory, const vf_pool_options *options);

/* As the hook's (hook.h), and counted. NULL: out of memory. Any thread. */
void *vf_memory_alloc(vf_memory *memory, size_t size, size_t alignment);
void vf_memory_free(vf_memory *memory, void *block, size_t size, size_t alignment);

/* How many bytes of whole pages in the block could be dropped: those that are in memory. Keeps
   errno. */
size_t vf_memory_pages(const vf_memory *memory, char *block, size_t size);

/* Drops them; how many bytes. Nobody else uses the block. Keeps errno. */
size_t vf_memory_purge(const vf_memory *memory, char *block, size_t size);

#endif
