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

/* Drops the pages of memory that the allocator gave, and keeps the addresses. */
typedef void vf_purge(void *context, void *memory, size_t size);

/* That of the options, or the system's where the allocator is the C library's; NULL: there is
   none. */
vf_purge *vf_purge_or_default(const vf_pool_options *options);

#endif
