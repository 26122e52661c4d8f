/*
 * memory.c - the allocator hook: every byte of a pool comes and goes here.
 *
 * Both functions keep errno: a call that succeeds leaves it alone even if an attempt on the way
 * failed, and one that fails sets it itself.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pool.h"

#ifdef _WIN32 /* which frees aligned memory by another function */
#    include <malloc.h>

static void *c_library_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    return _aligned_malloc(size, alignment);
}

static void c_library_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    _aligned_free(memory);
}
#else
static void *c_library_alloc(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (alignment <= _Alignof(max_align_t))
        return malloc(size);
    void *memory;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

static void c_library_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    free(memory);
}
#endif

bool vf_allocator_is_valid(const vf_allocator *allocator)
{
    return (allocator->alloc != NULL) == (allocator->dealloc != NULL);
}

vf_allocator vf_allocator_or_default(const vf_allocator *allocator)
{
    static const vf_allocator c_library = {c_library_alloc, c_library_dealloc, NULL};
    return allocator->alloc != NULL ? *allocator : c_library;
}

/* NULL where the allocator has nothing; errno is unchanged either way. */
void *vf_memory_alloc(vf_pool *pool, size_t size, size_t alignment)
{
    assert(size > 0 && alignment > 0 && (alignment & (alignment - 1)) == 0);
    int saved = errno;
    void *memory = pool->allocator.alloc(pool->allocator.context, size, alignment);
    errno = saved;
    if (memory == NULL)
        return NULL;
    assert((uintptr_t)memory % alignment == 0);
    vf_checked_fresh(memory, size);
    vf_fetch_add_relaxed(&pool->bytes, size); /* a number for reports: orders nothing */
    return memory;
}

void vf_memory_free(vf_pool *pool, void *memory, size_t size, size_t alignment)
{
    assert(memory != NULL);
    vf_checked_gone(memory, size);
    vf_fetch_add_relaxed(&pool->bytes, 0 - size);
    int saved = errno;
    pool->allocator.dealloc(pool->allocator.context, memory, size, alignment);
    errno = saved;
}
