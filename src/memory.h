/*
 * memory.h - the allocator hook, as both containers use it.
 */
#ifndef VF_MEMORY_H
#define VF_MEMORY_H

#include <veryfast/veryfast.h>

/* Both functions are there, or neither. */
bool vf_allocator_is_valid(const vf_allocator *allocator);

/* The C library's, where it names none. */
vf_allocator vf_allocator_or_default(const vf_allocator *allocator);

#endif
