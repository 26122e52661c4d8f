/* SPDX-License-Identifier: MIT */
/* stdlib.h - see stdio.h. */
#pragma once
#include_next <stdlib.h>
_Noreturn void exit(int status);
char *realpath(const char *path, char *resolved);
unsigned long long strtoull(const char *text, char **end, int base);
