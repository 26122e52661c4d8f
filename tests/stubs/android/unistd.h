/* SPDX-License-Identifier: MIT */
/* unistd.h - see pthread.h. */
#pragma once
#include_next <unistd.h>
long syscall(long number, ...);
