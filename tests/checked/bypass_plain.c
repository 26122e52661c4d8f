/* SPDX-License-Identifier: MIT */
/*
 * bypass_plain.c - a file that is compiled without VF_BYPASS.
 */
#include "bypass_jobs.h"

#ifdef VF_BYPASS
#    error "this file is to be compiled without VF_BYPASS"
#endif

pool_job_64 *plain_pool(void)
{
    return pool_job_64_new(NULL);
}

job *plain_alloc(pool_job_64 *pool)
{
    return pool_job_64_alloc(pool);
}

void plain_free(pool_job_64 *pool, job *object)
{
    pool_job_64_free(pool, object);
}
