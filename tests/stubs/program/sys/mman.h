/* SPDX-License-Identifier: MIT */
/* mman.h - see pthread.h. */
#pragma once
#include <sys/stat.h>
#define PROT_NONE   0
#define PROT_READ   1
#define PROT_WRITE  2
#define MAP_PRIVATE 2
#define MAP_FAILED  ((void *)-1)
#if !defined(_POSIX_C_SOURCE) && !defined(_XOPEN_SOURCE)
#    define MAP_ANONYMOUS 0x1000
#endif
void *mmap(void *at, unsigned long size, int protection, int flags, int file, off_t offset);
int munmap(void *memory, unsigned long size);
int mprotect(void *memory, unsigned long size, int protection);
