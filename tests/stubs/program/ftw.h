/* SPDX-License-Identifier: MIT */
/* ftw.h - see pthread.h. */
#pragma once
#include <sys/stat.h>
#define FTW_F    0
#define FTW_DNR  2
#define FTW_NS   3
#define FTW_PHYS 1
struct FTW {
    int base, level;
};
int nftw(const char *path,
         int (*visit)(const char *path, const struct stat *status, int type, struct FTW *place),
         int depth, int flags);
