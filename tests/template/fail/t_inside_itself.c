/* SPDX-License-Identifier: MIT */
// expect: VF_T is an incomplete type

struct list;

#define VF_T struct list
#define VF_N 16
#include <veryfast/pool.h>

struct list {
    pool_list_16 *pool;
};
