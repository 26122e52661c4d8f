/* SPDX-License-Identifier: MIT */
/* stdlib.h - as much of it as the library needs, of any C library. */
#pragma once
#include <stddef.h>
int posix_memalign(void **memory, size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
_Noreturn void abort(void);
int atexit(void (*function)(void));
const char *getprogname(void);
char *getenv(const char *name);
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
