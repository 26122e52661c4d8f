/* SPDX-License-Identifier: MIT */
/*
 * aligned.c - see aligned.h.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */

#include "aligned.h"

#include <stdlib.h>

#ifdef _WIN32 /* which frees aligned memory by another function */
#    include <malloc.h>

void *vf_aligned_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    return _aligned_malloc(size, alignment);
}

void vf_aligned_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    _aligned_free(memory);
}
#else
void *vf_aligned_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (alignment <= _Alignof(max_align_t))
        return malloc(size);
    void *memory;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

void vf_aligned_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    free(memory);
}
#endif
