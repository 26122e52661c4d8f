/* SPDX-License-Identifier: MIT */
/* fcntl.h - see pthread.h. */
#pragma once
#define O_RDONLY   0x0000
#define O_NONBLOCK 0x0004
#if !defined(_POSIX_C_SOURCE) && !defined(_XOPEN_SOURCE)
#    define O_NOFOLLOW 0x0100
#endif
#define O_CLOEXEC 0x1000000
int open(const char *path, int flags, ...);
