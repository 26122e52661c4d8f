/* SPDX-License-Identifier: MIT */
/*
 * leaks.h - the list of objects that are live when their pool ends.
 */
#ifndef VF_LEAKS_H
#define VF_LEAKS_H

#include "../pool/pool.h"

/* Where the program wants it. */
void vf_leaks_print(vf_pool *pool);

#endif
