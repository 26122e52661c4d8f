/* SPDX-License-Identifier: MIT */
/* stdio.h - what the examples and tests use beyond what the library does; see pthread.h. */
#pragma once
#include_next <stdio.h>
extern FILE *vf_stub_stdout;
#define stdout vf_stub_stdout
#define _IONBF 2
FILE *fopen(const char *path, const char *mode);
FILE *freopen(const char *path, const char *mode, FILE *file);
int fclose(FILE *file);
int fscanf(FILE *file, const char *format, ...);
int ferror(FILE *file);
int putchar(int character);
int puts(const char *text);
size_t fread(void *to, size_t size, size_t n, FILE *file);
size_t fwrite(const void *from, size_t size, size_t n, FILE *file);
void perror(const char *text);
int setvbuf(FILE *file, char *buffer, int mode, size_t size);
int vfprintf(FILE *file, const char *format, va_list arguments);
int sscanf(const char *text, const char *format, ...);
FILE *tmpfile(void);
void rewind(FILE *file);
long ftell(FILE *file);
