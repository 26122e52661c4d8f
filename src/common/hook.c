/* SPDX-License-Identifier: MIT */
/*
 * hook.c - see hook.h.
 */
#include "hook.h"

#include <assert.h>
#include <errno.h>

#include "../platform/aligned.h"

bool vf_hook_is_valid(const vf_allocator *allocator)
{
    return (allocator->alloc != NULL) == (allocator->dealloc != NULL);
}

vf_allocator vf_hook_or_default(const vf_allocator *allocator)
{
    static const vf_allocator c_library = {vf_aligned_alloc, vf_aligned_dealloc, NULL};
    return allocator->alloc != NULL ? *allocator : c_library;
}

void *vf_hook_alloc(const vf_allocator *allocator, size_t size, size_t alignment)
{
    assert(size > 0 && alignment > 0 && (alignment & (alignment - 1)) == 0);
    int saved = errno;
    void *memory = allocator->alloc(allocator->context, size, alignment);
    errno = saved;
    assert((uintptr_t)memory % alignment == 0);
    return memory;
}

void vf_hook_dealloc(const vf_allocator *allocator, void *memory, size_t size, size_t alignment)
{
    assert(memory != NULL);
    int saved = errno;
    allocator->dealloc(allocator->context, memory, size, alignment);
    errno = saved;
}
