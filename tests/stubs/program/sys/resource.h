/* SPDX-License-Identifier: MIT */
/* resource.h - see pthread.h. */
#pragma once
#define RUSAGE_SELF 0
struct rusage {
    long ru_maxrss;
};
int getrusage(int who, struct rusage *usage);
