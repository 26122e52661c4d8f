/* SPDX-License-Identifier: MIT */
/*
 * own_bool.c - a program's own true and false stay what they are.
 */
#ifndef __cplusplus
typedef int my_bool;
#    define true ((my_bool)1)
#    define false ((my_bool)0)
#endif

#define VF_T int
#define VF_N 8
#include <veryfast/pool.h>

#ifndef __cplusplus
_Static_assert(sizeof(VF_STRING(true)) == sizeof("((my_bool)1)"), "true is another");
#endif

int main(void)
{
    pool_int_8 *pool = pool_int_8_new(NULL);
    int owns = pool_int_8_owns(pool, &pool) ? true : false;
    pool_int_8_release(pool);
    return owns;
}
