/* SPDX-License-Identifier: MIT */
/*
 * sizes.h - the sizes of public structs in both kinds of build.
 */
#ifndef TESTS_CHECKED_SIZES_H
#define TESTS_CHECKED_SIZES_H

#include <stddef.h>

#define COUNT_OF_SIZES 11

extern const size_t ordinary_sizes[COUNT_OF_SIZES], checked_sizes[COUNT_OF_SIZES];

#endif
