/*
 * same_name.c - an instance of a name that test_misuse_life.c has given to another type.
 */
#include "same_name.h"

typedef struct big_job {
    char text[30];
} big_job;

#define VF_T    big_job
#define VF_N    64
#define VF_NAME pool_job_64
#include <veryfast/pool.h>

void make_pool_of_same_name(void)
{
    pool_job_64_destroy(pool_job_64_new(NULL));
}
