/* SPDX-License-Identifier: MIT */
/*
 * test_sizes.c - public structs have the same sizes in a checked build and in an ordinary one.
 */
#include "misuse.h"
#include "sizes.h"

Test(sizes, are_the_same)
{
    for (size_t i = 0; i < COUNT_OF_SIZES; i++)
        check_equal(checked_sizes[i], ordinary_sizes[i]);
}
