/* SPDX-License-Identifier: MIT */
/* malloc.h - as much of it as the library needs: see windows.h. */
#pragma once
#include <stddef.h>
void *_aligned_malloc(size_t size, size_t alignment);
void _aligned_free(void *memory);
