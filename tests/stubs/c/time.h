/* SPDX-License-Identifier: MIT */
/* time.h - C11's, where it is all there is of time. */
#ifndef STUB_C_TIME_H
#define STUB_C_TIME_H

struct timespec {
    long long tv_sec;
    long tv_nsec;
};

#define TIME_UTC 1
int timespec_get(struct timespec *time, int base);

#endif
