/* SPDX-License-Identifier: MIT */
/* stdio.h - as much of it as the library needs, of any C library. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
typedef struct vf_stub_file FILE;
extern FILE *vf_stub_stderr;
#define stderr vf_stub_stderr
int fprintf(FILE *file, const char *format, ...);
int printf(const char *format, ...);
int fputs(const char *text, FILE *file);
int fflush(FILE *file);
int snprintf(char *text, size_t size, const char *format, ...);
int vsnprintf(char *text, size_t size, const char *format, va_list arguments);
