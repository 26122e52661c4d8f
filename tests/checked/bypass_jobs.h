/* SPDX-License-Identifier: MIT */
/*
 * bypass_jobs.h - a pool that is made with VF_BYPASS in test_bypass.c, and used without in
 * bypass_plain.c.
 */
#ifndef TESTS_CHECKED_BYPASS_JOBS_H
#define TESTS_CHECKED_BYPASS_JOBS_H

typedef struct job {
    char text[21]; /* no multiple of anything */
} job;

#define VF_T job
#define VF_N 64
#include <veryfast/pool.h>

/* bypass_plain.c */
pool_job_64 *plain_pool(void);
job *plain_alloc(pool_job_64 *pool);
void plain_free(pool_job_64 *pool, job *object);

#endif
