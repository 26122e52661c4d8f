/*
 * memory.c - the allocator hook: the memory of a pool comes and goes here, but for the pool's own
 * structure (core.c).
 *
 * All functions keep errno: a call that succeeds leaves it alone even if an attempt on the way
 * failed, and one that fails sets it itself.
 */
#define _GNU_SOURCE /* posix_memalign, madvise, mincore */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "pool.h"

#ifdef __linux__
#    include <sys/mman.h>
#    include <unistd.h>
#endif

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

/* ---- pages ---- */

#ifdef __linux__
/* Drops the pages of the C library's memory: they read as zero from here on, and cost nothing until
   they are used. */
static void c_library_purge(void *context, void *memory, size_t size)
{
    (void)context;
    madvise(memory, size, MADV_DONTNEED);
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of whole pages that are in memory. All that the system does not say are. */
static size_t resident(char *memory, size_t size, size_t page)
{
    unsigned char pages[256];
    size_t bytes = 0;
    for (size_t at = 0; at < size; at += sizeof pages * page) {
        size_t part = size - at < sizeof pages * page ? size - at : sizeof pages * page;
        if (mincore(memory + at, part, pages) != 0)
            return size;
        for (size_t i = 0; i < part / page; i++)
            bytes += (pages[i] & 1) != 0 ? page : 0;
    }
    return bytes;
}
#else
#    define c_library_purge NULL

static size_t page_size(void)
{
    return 4096;
}

static size_t resident(char *memory, size_t size, size_t page)
{
    (void)memory;
    (void)page;
    return size;
}
#endif

vf_purge *vf_purge_or_default(const vf_pool_options *options)
{
    return options->purge != NULL || options->allocator.alloc != NULL ? options->purge
                                                                      : c_library_purge;
}

/* The whole pages within the memory. */
static char *whole_pages(char *memory, size_t *size, size_t page)
{
    size_t before = (0 - (uintptr_t)memory) % page;
    *size = *size > before ? (*size - before) / page * page : 0;
    return memory + before;
}

/* How many bytes of whole pages in it could be dropped: those that are in memory. */
size_t vf_memory_pages(const vf_pool *pool, char *memory, size_t size)
{
    size_t page = page_size();
    if (pool->purge == NULL)
        return 0;
    int saved = errno;
    char *first = whole_pages(memory, &size, page);
    size_t bytes = size > 0 ? resident(first, size, page) : 0;
    errno = saved;
    return bytes;
}

/* Drops them; how many bytes. */
size_t vf_memory_purge(const vf_pool *pool, char *memory, size_t size)
{
    size_t bytes = vf_memory_pages(pool, memory, size);
    if (bytes > 0) {
        char *first = whole_pages(memory, &size, page_size());
        int saved = errno;
        pool->purge(pool->allocator.context, first, size);
        errno = saved;
    }
    return bytes;
}
