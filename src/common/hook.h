/* SPDX-License-Identifier: MIT */
/*
 * hook.h - the allocator of the options, as both containers call it.
 */
#ifndef VF_HOOK_H
#define VF_HOOK_H

#include <veryfast/veryfast.h>

/* Are both functions there, or neither? */
bool vf_hook_is_valid(const vf_allocator *allocator);

/* The C library's, where it names none. */
vf_allocator vf_hook_or_default(const vf_allocator *allocator);

/*
 * Both keep errno: a call that succeeds leaves it alone even if an attempt on the way failed, and
 * one that fails sets it itself. NULL: out of memory. The alignment is a power of two.
 */
void *vf_hook_alloc(const vf_allocator *allocator, size_t size, size_t alignment);
void vf_hook_dealloc(const vf_allocator *allocator, void *memory, size_t size, size_t alignment);

#endif
