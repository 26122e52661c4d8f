/* SPDX-License-Identifier: MIT */
/*
 * slab.c - see slab.h.
 */
#include "slab.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <veryfast/detail/atomic.h>

#include "../platform/pages.h"

vf_mutex vf_slab_lock = VF_MUTEX_INITIALIZER;

/* all memory that is held, each with this in front, on a line of its own */
static struct slab {
    struct slab *next;
    size_t size;
} * slabs; /* the map's lock */

void *vf_slab_obtain(size_t size)
{
    assert(vf_mutex_held(&vf_slab_lock));
    size += VF_CACHE_LINE;
    int saved = errno;
    struct slab *slab = vf_pages_obtain(size);
    errno = saved;
    if (slab == NULL)
        return NULL;
    slab->next = slabs;
    slab->size = size;
    vf_store_release(&slabs, slab); /* release: for the child of a fork */
    return (char *)slab + VF_CACHE_LINE;
}

/* Each byte is what the one before it is. */
static bool is_zero(const char *memory, size_t size)
{
    return memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0;
}

void vf_slab_drop(char *block, size_t size, size_t from, size_t n)
{
    assert(vf_mutex_held(&vf_slab_lock) && n > 0 && from + n <= size);
    size_t end = vf_pages_can_drop() ? from + n : 0;
    int saved = errno;
    size_t page = vf_pages_size();
    size_t before = (0 - (uintptr_t)block) % page; /* bytes of the block's first page */
    size_t at = from > before ? before + (from - before) / page * page : before;
    for (; at < end && at + page <= size; at += page) {
        if (is_zero(block + at, page))
            vf_pages_drop(NULL, block + at, page);
    }
    errno = saved;
}

void vf_slab_end(void)
{
    assert(vf_mutex_held(&vf_slab_lock));
    struct slab *next;
    for (struct slab *slab = slabs; slab != NULL; slab = next) {
        next = slab->next;
        vf_pages_give_back(slab, slab->size);
    }
    slabs = NULL;
}
