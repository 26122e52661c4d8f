/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a plug-in of somebody else's, with a pool of its own: the library inside, or beside
 * it. Its frees wait for readers, where the library has that.
 */
#ifdef VF_HAS_EPOCH
#    include <urcu.h>
#    define VF_EPOCH
#endif

#define VF_T long
#define VF_N 100
#include <veryfast/pool.h>

/* As the program has it. */
#define VF_T    int
#define VF_N    10
#define VF_NAME tallies
#define VF_SHARED
#include <veryfast/pool.h>

__attribute__((visibility("default"))) const char *plugin_run(void);
__attribute__((visibility("default"))) const void *plugin_core(void);
__attribute__((visibility("default"))) const void *plugin_shared(void);

/* What went wrong, or NULL. */
const char *plugin_run(void)
{
    pool_long_100 *pool = pool_long_100_new(NULL);
    if (pool == NULL)
        return "no pool";
    const char *wrong = NULL;
    for (long i = 0; i < 1000 && wrong == NULL; i++) {
        long *number = pool_long_100_push(pool, i);
        if (number == NULL || *number != i)
            return "no object";
#ifdef VF_HAS_EPOCH
        if (!pool_long_100_free_deferred(pool, number))
            wrong = "a free that waits is refused";
#else
        pool_long_100_free(pool, number);
#endif
    }
#ifdef VF_HAS_EPOCH
    pool_long_100_epoch_barrier(pool);
#endif
    if (wrong == NULL && pool_long_100_stats(pool).live != 0)
        wrong = "objects are live";
    pool_long_100_release(pool);
    return wrong;
}

/* Where the library is that it uses. */
const void *plugin_core(void)
{
    return &vf_interface_1;
}

const void *plugin_shared(void)
{
    return tallies_shared();
}
