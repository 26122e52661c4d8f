/* SPDX-License-Identifier: MIT */
/* declared.c - a program of somebody else's that is being debugged: see declared.h. */
#include "declared.h"
#include "declared_too.h"

int main(void)
{
    pool_job_64 *pool = pool_job_64_new(NULL);
    smallbuf_job_64 done = {0};
    struct job *job = pool != NULL ? pool_job_64_push(pool, (struct job){1}) : NULL;
    if (job == NULL || !smallbuf_job_64_push(&done, *job) || smallbuf_job_64_count(&done) != 1)
        return 1;
    pool_job_64_free(pool, job);
    smallbuf_job_64_destroy(&done);
    pool_job_64_release(pool);
    return 0;
}
