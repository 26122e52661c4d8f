/* SPDX-License-Identifier: MIT */
/* unistd.h - see pthread.h. */
#pragma once
#include_next <unistd.h>
#if !defined(_POSIX_C_SOURCE) && !defined(_XOPEN_SOURCE)
#    define _SC_NPROCESSORS_ONLN 58
#endif
extern char *optarg;
extern int optind;
int close(int file);
pid_t fork(void);
_Noreturn void _exit(int status);
ssize_t read(int file, void *to, size_t size);
ssize_t write(int file, const void *from, size_t size);
unsigned sleep(unsigned seconds);
