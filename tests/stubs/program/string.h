/* SPDX-License-Identifier: MIT */
/* string.h - see stdio.h. */
#pragma once
#include_next <string.h>
char *strerror(int number);
char *strdup(const char *text);
