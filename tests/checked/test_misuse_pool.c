/*
 * test_misuse_pool.c - each misuse of a pool's objects stops a checked build.
 */
#include "misuse.h"

typedef struct job {
    char text[20];
} job;

#define VF_T job
#define VF_N 64
#include <veryfast/pool.h>

static int drops;

#define VF_T       job
#define VF_N       64
#define VF_NAME    dropped
#define VF_DROP(p) ((void)(p), drops++)
#include <veryfast/pool.h>

/* ---- frees ---- */

SCENE(frees_twice)
{
    pool_job_64 *pool = pool_job_64_new(NULL);
    job *object = pool_job_64_alloc(pool);
    pool_job_64_free(pool, object);
    pool_job_64_free(pool, object);
}

Test(misuse_pool, double_free)
{
    check_stops(frees_twice, "pool_job_64", ": double free of 0x");
    misuse_check(frees_twice, "pool_job_64", ", allocated at frees_twice+0x",
                 ", freed at frees_twice+0x");
}
