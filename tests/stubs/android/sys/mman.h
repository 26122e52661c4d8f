/* SPDX-License-Identifier: MIT */
/* sys/mman.h - see pthread.h. */
#pragma once
#include <stddef.h>
#define PROT_READ       1
#define PROT_WRITE      2
#define MAP_PRIVATE     2
#define MAP_ANONYMOUS   0x20
#define MAP_NORESERVE   0x4000
#define MAP_FAILED      ((void *)-1)
#define MADV_DONTNEED   4
#define MADV_NOHUGEPAGE 15
void *mmap(void *address, size_t size, int protection, int flags, int file, long offset);
int munmap(void *memory, size_t size);
int madvise(void *memory, size_t size, int advice);
int mincore(void *memory, size_t size, unsigned char *pages);
