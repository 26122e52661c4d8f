/* SPDX-License-Identifier: MIT */
/* unistd.h - see pthread.h. */
#pragma once
#include <stddef.h>
typedef int pid_t;
typedef long ssize_t;
#define _SC_PAGESIZE 29
long sysconf(int name);
pid_t getpid(void);
ssize_t readlink(const char *path, char *text, size_t size);
