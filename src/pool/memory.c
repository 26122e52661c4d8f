/* SPDX-License-Identifier: MIT */
/*
 * memory.c - see memory.h.
 */
#include "memory.h"

#include <errno.h>

#include "../common/hook.h"
#include "../platform/pages.h"
#include "checks.h"

void vf_memory_init(vf_memory *memory, const vf_pool_options *options)
{
    bool is_c_library = options->allocator.alloc == NULL;
    *memory = (vf_memory){.allocator = vf_hook_or_default(&options->allocator)};
    if (!VF_HAS_CHECKS) { /* what a checked build keeps behind an object must not be dropped */
        memory->purge = options->purge;
        if (memory->purge == NULL && is_c_library && vf_pages_can_drop())
            memory->purge = vf_pages_drop;
    }
}

void *vf_memory_alloc(vf_memory *memory, size_t size, size_t alignment)
{
    void *block = vf_hook_alloc(&memory->allocator, size, alignment);
    if (block == NULL)
        return NULL;
    vf_checks_fresh(block, size);
    vf_fetch_add_relaxed(&memory->bytes, size); /* a number for reports: it orders nothing */
    return block;
}

void vf_memory_free(vf_memory *memory, void *block, size_t size, size_t alignment)
{
    vf_checks_gone(block, size);
    vf_fetch_add_relaxed(&memory->bytes, 0 - size); /* as above */
    vf_hook_dealloc(&memory->allocator, block, size, alignment);
}

/* The whole pages within the block. */
static char *whole_pages(char *block, size_t *size)
{
    size_t page = vf_pages_size();
    size_t before = (0 - (uintptr_t)block) % page;
    *size = *size > before ? (*size - before) / page * page : 0;
    return block + before;
}

size_t vf_memory_pages(const vf_memory *memory, char *block, size_t size)
{
    if (memory->purge == NULL)
        return 0;
    int saved = errno;
    char *first = whole_pages(block, &size);
    size_t bytes = size > 0 ? vf_pages_resident(first, size) : 0;
    errno = saved;
    return bytes;
}

size_t vf_memory_purge(const vf_memory *memory, char *block, size_t size)
{
    size_t bytes = vf_memory_pages(memory, block, size);
    if (bytes > 0) {
        int saved = errno;
        char *first = whole_pages(block, &size);
        memory->purge(memory->allocator.context, first, size);
        errno = saved;
    }
    return bytes;
}
