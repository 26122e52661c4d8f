/* SPDX-License-Identifier: MIT */
/* time.h - see pthread.h. */
#pragma once
#include_next <time.h>
typedef unsigned long clock_t;
#define CLOCKS_PER_SEC 1000000
clock_t clock(void);
time_t time(time_t *now);
