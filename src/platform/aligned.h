/* SPDX-License-Identifier: MIT */
/*
 * aligned.h - the C library's aligned allocation.
 */
#ifndef VF_ALIGNED_H
#define VF_ALIGNED_H

#include <stddef.h>

/* Both have the signature of the allocator hook (vf_allocator), and ignore the context. */
void *vf_aligned_alloc(void *context, size_t size, size_t alignment);
void vf_aligned_dealloc(void *context, void *memory, size_t size, size_t alignment);

#endif
