/* SPDX-License-Identifier: MIT */
/* errno.h - see pthread.h. */
#pragma once
#include_next <errno.h>
#define EIO    5
#define EXDEV  18
#define EILSEQ 92
