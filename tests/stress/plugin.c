/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a plug-in that uses a pool and a buffer, for stress_plugins.c: linked to the shared
 * core, or with a core of its own inside.
 */
#include <stdlib.h>

#define VF_T long
#define VF_N 500
#include <veryfast/pool.h>

#define VF_T long
#define VF_N 4
#include <veryfast/smallbuf.h>

bool plugin_begin(void);
bool plugin_use(void);
void plugin_end(void);

static pool_long_500 *pool;

bool plugin_begin(void)
{
    pool = pool_long_500_new(NULL);
    return pool != NULL;
}

/* Any thread, which then has a cache that is not empty. */
bool plugin_use(void)
{
    smallbuf_long_4 buffer = {0};
    long *numbers[100];
    size_t given = pool_long_500_alloc_n(pool, numbers, 100);
    for (size_t i = 0; i < given; i++)
        *numbers[i] = (long)i;
    bool pushed = smallbuf_long_4_push_n(&buffer, *numbers, 1) == 1;
    for (long i = 0; i < 50; i++)
        pushed = smallbuf_long_4_push(&buffer, i) && pushed;
    smallbuf_long_4_destroy(&buffer);
    pool_long_500_free_n(pool, numbers, given);
    return given == 100 && pushed;
}

void plugin_end(void)
{
    pool_long_500_release(pool);
}
