/* SPDX-License-Identifier: MIT */
/* stat.h - see pthread.h. */
#pragma once
typedef long long off_t;
struct stat {
    unsigned short st_mode;
};
#define S_ISREG(mode) (((mode)&0170000) == 0100000)
int stat(const char *path, struct stat *status);
