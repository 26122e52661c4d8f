/* SPDX-License-Identifier: MIT */
/*
 * aligned.c - see aligned.h.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */

#include "aligned.h"

#include <stdlib.h>

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_WINDOWS /* which frees aligned memory by another function */
#    include <malloc.h>

static void *system_alloc(size_t size, size_t alignment)
{
    return _aligned_malloc(size, alignment);
}

static void system_free(void *memory)
{
    _aligned_free(memory);
}
#else
#    if VF_SYSTEM == VF_SYSTEM_POSIX
static void *system_alloc_aligned(size_t size, size_t alignment)
{
    void *memory;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}
#    else
static void *system_alloc_aligned(size_t size, size_t alignment)
{
    size_t more = (alignment - size % alignment) % alignment; /* C11: whole multiples */
    return size + more < size ? NULL : aligned_alloc(alignment, size + more);
}
#    endif

static void *system_alloc(size_t size, size_t alignment)
{
    return alignment <= _Alignof(max_align_t) ? malloc(size)
                                              : system_alloc_aligned(size, alignment);
}

static void system_free(void *memory)
{
    free(memory);
}
#endif

void *vf_aligned_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    return system_alloc(size, alignment);
}

void vf_aligned_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    system_free(memory);
}
