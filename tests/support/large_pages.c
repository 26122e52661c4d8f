/* SPDX-License-Identifier: MIT */
/*
 * large_pages.c - makes the system of a program one whose pages have PAGE bytes, more than they
 * really have: linked with --wrap=sysconf, mincore and madvise.
 */
#define _GNU_SOURCE /* madvise, mincore */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

long __real_sysconf(int name);
int __real_mincore(void *memory, size_t size, unsigned char *pages);
int __real_madvise(void *memory, size_t size, int advice);
long __wrap_sysconf(int name);
int __wrap_mincore(void *memory, size_t size, unsigned char *pages);
int __wrap_madvise(void *memory, size_t size, int advice);

static void must_be_whole(const char *call, const void *memory, size_t size)
{
    if ((uintptr_t)memory % PAGE == 0 && size % PAGE == 0)
        return;
    printf("%s of a part of a page: %zu bytes at %p\n", call, size, memory);
    abort();
}

long __wrap_sysconf(int name)
{
    return name == _SC_PAGESIZE ? PAGE : __real_sysconf(name);
}

/* A large page is in memory if any part of it is. */
int __wrap_mincore(void *memory, size_t size, unsigned char *pages)
{
    must_be_whole("mincore", memory, size);
    for (size_t at = 0; at < size; at += PAGE) {
        unsigned char parts[PAGE / 4096] = {0}; /* no system has smaller ones */
        if (__real_mincore((char *)memory + at, PAGE, parts) != 0)
            return -1;
        pages[at / PAGE] = 0;
        for (size_t i = 0; i < sizeof parts; i++)
            pages[at / PAGE] |= parts[i] & 1;
    }
    return 0;
}

int __wrap_madvise(void *memory, size_t size, int advice)
{
    if (advice == MADV_DONTNEED)
        must_be_whole("madvise", memory, size);
    return __real_madvise(memory, size, advice);
}
