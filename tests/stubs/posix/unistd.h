/* SPDX-License-Identifier: MIT */
/* unistd.h - see pthread.h. */
#pragma once
#include <stddef.h>
typedef int pid_t;
typedef long ssize_t;
#define _SC_PAGESIZE  29
#define STDERR_FILENO 2
long sysconf(int name);
pid_t getpid(void);
int pipe(int ends[2]);
int dup2(int from, int to);
ssize_t readlink(const char *path, char *text, size_t size);
