/* SPDX-License-Identifier: MIT */
/* dlfcn.h - see pthread.h. */
#pragma once
typedef struct Dl_info {
    const char *dli_fname;
    void *dli_fbase;
    const char *dli_sname;
    void *dli_saddr;
} Dl_info;
int dladdr(const void *address, Dl_info *info);
