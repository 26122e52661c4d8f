/* SPDX-License-Identifier: MIT */
/*
 * pages.h - an allocator for tests: whole pages straight from the system.
 *
 * What was given back is gone: whoever still touches it dies there and then, in a native build
 * too. And there is no lock in it that a fork could catch.
 */
#ifndef TESTS_STRESS_PAGES_H
#define TESTS_STRESS_PAGES_H

#ifdef _WIN32
#    define WIN32_LEAN_AND_MEAN
#    include <windows.h>
#else
#    include <sys/mman.h>
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <veryfast/veryfast.h>

struct pages {
    atomic_size_t blocks; /* out */
    atomic_bool refuse;
};

/* NULL: out of memory. */
static inline void *pages_obtain(size_t size)
{
#ifdef _WIN32
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
#endif
}

static inline void pages_give_back(void *memory, size_t size)
{
#ifdef _WIN32
    (void)size;
    VirtualFree(memory, 0, MEM_RELEASE);
#else
    munmap(memory, size);
#endif
}

static inline void *pages_alloc(void *context, size_t size, size_t alignment)
{
    struct pages *pages = (struct pages *)context;
    if (atomic_load(&pages->refuse) || alignment > 4096)
        return NULL;
    void *memory = pages_obtain(size);
    if (memory == NULL)
        return NULL;
    atomic_fetch_add(&pages->blocks, 1);
    return memory;
}

static inline void pages_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    struct pages *pages = (struct pages *)context;
    (void)alignment;
    /* discounted last: when the count is 0 nothing is left to do */
    pages_give_back(memory, size);
    atomic_fetch_sub(&pages->blocks, 1);
}

static inline vf_allocator pages_hook(struct pages *pages)
{
    vf_allocator hook = {pages_alloc, pages_dealloc, pages};
    return hook;
}

#endif
