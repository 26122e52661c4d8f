/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - a job system: each worker has a cache in its hand, for the jobs that jobs make.
 *
 * A worker is a thread here. It may as well be a fibre that moves from thread to thread: a cache
 * belongs to whoever has it, and is used by one at a time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct job {
    struct job *next;
    long from, to; /* adds up these numbers */
};

#define VF_T    struct job
#define VF_N    256
#define VF_NAME jobs
#include <veryfast/pool.h>

static jobs *pool;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *waiting; /* under the lock */
static atomic_long unfinished = 1, sum;

static struct job *take_job(void)
{
    pthread_mutex_lock(&lock);
    struct job *job = waiting;
    if (job != NULL)
        waiting = job->next;
    pthread_mutex_unlock(&lock);
    return job;
}

static void submit(struct job *job)
{
    atomic_fetch_add(&unfinished, 1);
    pthread_mutex_lock(&lock);
    job->next = waiting;
    waiting = job;
    pthread_mutex_unlock(&lock);
}

/* Halves what is large, as long as there is memory for another job. */
static void run(jobs_cache *cache, struct job *job)
{
    while (job->to - job->from > 1000) {
        struct job *half = jobs_cache_alloc(cache);
        if (half == NULL)
            break;
        long middle = job->from + (job->to - job->from) / 2;
        *half = (struct job){.from = middle, .to = job->to};
        job->to = middle;
        submit(half);
    }
    long mine = 0;
    for (long i = job->from; i < job->to; i++)
        mine += i;
    atomic_fetch_add(&sum, mine);
    jobs_cache_free(cache, job); /* whichever worker made it */
    atomic_fetch_sub(&unfinished, 1);
}

static void *work(void *cache)
{
    while (atomic_load(&unfinished) > 0) {
        struct job *job = take_job();
        if (job != NULL)
            run(cache, job);
    }
    return NULL;
}

int main(void)
{
    enum { WORKERS = 3 };
    pthread_t threads[WORKERS];
    jobs_cache *caches[WORKERS];
    pool = jobs_new(NULL);
    if (pool == NULL || (waiting = jobs_push(pool, (struct job){.to = 50000})) == NULL)
        return 1;
    for (int i = 0; i < WORKERS; i++) {
        caches[i] = jobs_cache_new(pool);
        if (caches[i] == NULL || pthread_create(&threads[i], NULL, work, caches[i]) != 0)
            return 1;
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        jobs_cache_release(caches[i]);
    }
    size_t live = jobs_stats(pool).live;
    jobs_release(pool);
    printf("the sum is %ld\n", atomic_load(&sum));
    return live == 0 && atomic_load(&sum) == 1249975000 ? 0 : 1;
}
