/* SPDX-License-Identifier: MIT */
/*
 * elsewhere.c - places in another module than the program's own.
 */
#include "elsewhere.h"

void leak_elsewhere(pool_int_64 *pool, allocate *alloc)
{
    (void)alloc(pool);
}

void leak_elsewhere_too(pool_int_64 *pool, allocate *alloc)
{
    (void)alloc(pool);
}
