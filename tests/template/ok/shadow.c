/* SPDX-License-Identifier: MIT */
/* shadow.c - names of the program are the program's: no -Wshadow about those inside the headers. */
int pool, object, objects, value, n, i, options, stats, cache, slot, count, table, type;

#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

int main(void)
{
    return pool + object + objects + value + n + i + options + stats + cache + slot + count +
           table + type;
}
