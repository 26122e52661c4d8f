/* SPDX-License-Identifier: MIT */
/*
 * bypass_malloc.c - with VF_BYPASS, and no allocator in the options, an alloc is one malloc of the
 * object's size, and a free one free of its address. Has a malloc of its own, over glibc's.
 */
#define VF_BYPASS

#include "../support/threads.h"
#include "bypass_jobs.h"

#define COUNT 300

void *__libc_malloc(size_t size);
void __libc_free(void *memory);

static size_t mallocs, frees; /* of a job's size; all */
static void *freed;           /* the last */

void *malloc(size_t size)
{
    mallocs += size == sizeof(job);
    return __libc_malloc(size);
}

void free(void *memory)
{
    frees++;
    freed = memory;
    __libc_free(memory);
}

int main(void)
{
    static job *objects[COUNT];
    pool_job_64 *pool = pool_job_64_new(NULL);
    CHECK(pool != NULL && mallocs == 0);
    for (size_t i = 0; i < COUNT; i++) {
        objects[i] = pool_job_64_alloc(pool);
        CHECK(objects[i] != NULL && mallocs == i + 1);
    }
    size_t before = frees;
    for (size_t i = 0; i < COUNT; i++) {
        pool_job_64_free(pool, objects[i]);
        CHECK(frees == before + i + 1 && freed == objects[i]);
    }
    CHECK(mallocs == COUNT);
    pool_job_64_release(pool);
    return 0;
}
