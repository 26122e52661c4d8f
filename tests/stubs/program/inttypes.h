/* SPDX-License-Identifier: MIT */
/* inttypes.h - see stdio.h. */
#pragma once
#include <stdint.h>
#define PRIu32 __UINT32_FMTu__
#define PRIu64 __UINT64_FMTu__
#define PRIx64 __UINT64_FMTx__
uintmax_t strtoumax(const char *text, char **end, int base);
