/* SPDX-License-Identifier: MIT */
/*
 * pages.c - see pages.h.
 */
#define _GNU_SOURCE /* madvise, mincore */

#include "pages.h"

#include "system.h"

#if VF_SYSTEM == VF_SYSTEM_POSIX && defined(__linux__)
#    include <sys/mman.h>
#    include <unistd.h>

size_t vf_pages_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

size_t vf_pages_resident(char *memory, size_t size)
{
    unsigned char pages[256];
    size_t page = vf_pages_size();
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

void vf_pages_drop(void *context, void *memory, size_t size)
{
    (void)context;
    madvise(memory, size, MADV_DONTNEED);
}

bool vf_pages_can_drop(void)
{
    return true;
}

/* Not in huge pages, which cost all that they span with the first byte. */
void *vf_pages_obtain(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, size, MADV_NOHUGEPAGE);
    return memory;
}

void vf_pages_give_back(void *memory, size_t size)
{
    munmap(memory, size);
}
#else
#    if VF_SYSTEM == VF_SYSTEM_WINDOWS
#        include "win32.h"

size_t vf_pages_size(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *vf_pages_obtain(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void vf_pages_give_back(void *memory, size_t size)
{
    (void)size;
    VirtualFree(memory, 0, MEM_RELEASE);
}
#    else
#        include <stdlib.h>

size_t vf_pages_size(void)
{
    return 4096;
}

/* C libraries give large memory that the system has just zeroed. */
void *vf_pages_obtain(size_t size)
{
    return calloc(1, size);
}

void vf_pages_give_back(void *memory, size_t size)
{
    (void)size;
    free(memory);
}
#    endif

size_t vf_pages_resident(char *memory, size_t size)
{
    (void)memory;
    return size;
}

void vf_pages_drop(void *context, void *memory, size_t size)
{
    (void)context;
    (void)memory;
    (void)size;
}

bool vf_pages_can_drop(void)
{
    return false;
}
#endif
