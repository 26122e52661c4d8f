/* SPDX-License-Identifier: MIT */
/* string.h - as much of it as the library needs, of any C library. */
#pragma once
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *memory, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
int strcmp(const char *a, const char *b);
size_t strlen(const char *text);
char *strncpy(char *to, const char *from, size_t size);
char *strchr(const char *text, int character);
char *strstr(const char *text, const char *part);
