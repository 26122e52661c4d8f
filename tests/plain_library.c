/* SPDX-License-Identifier: MIT */
/*
 * plain_library.c - a right program that is built for ThreadSanitizer, with a library that is not:
 * nothing is reported. Each thread writes to what it has, and elements go by small buffers.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <veryfast/veryfast.h>

struct node {
    long numbers[8];
};

static void drop(struct node *node)
{
    node->numbers[1]++;
}

#define VF_T       struct node
#define VF_N       64
#define VF_NAME    nodes
#define VF_DROP(p) drop(p)
#ifdef VF_HAS_EPOCH
#    define VF_EPOCH
#endif
#include <veryfast/pool.h>

#define VF_T    struct node *
#define VF_N    2
#define VF_NAME mailbox
#define VF_FLIP
#include <veryfast/smallbuf.h>

#define VF_T    long
#define VF_N    2
#define VF_NAME longs
#include <veryfast/smallbuf.h>

#define THREADS 3
#define OBJECTS 1000
#define ROUNDS  40

static nodes *pool;
static mailbox mails;
static longs written;
static pthread_barrier_t rounds;

/* What another thread has freed; and the caches of threads that have ended. */
static void use_objects(size_t n)
{
    static _Thread_local struct node *own[OBJECTS];
    for (size_t i = 0; i < n; i++) {
        own[i] = nodes_alloc(pool);
        if (own[i] != NULL)
            own[i]->numbers[0] = (long)i;
    }
    for (size_t i = 0; i < n / 2; i++)
        nodes_free(pool, own[i]);
#ifdef VF_HAS_EPOCH
    for (size_t i = n / 2; i < n && i < n / 2 + 100; i++) {
        if (!nodes_free_deferred(pool, own[i]))
            nodes_free(pool, own[i]);
        own[i] = NULL;
    }
#endif
    nodes_free_n(pool, own + n / 2, n - n / 2);
}

static void use_held_cache(void)
{
    struct node *own[100];
    nodes_cache *cache = nodes_cache_new(pool);
    for (int i = 0; i < 100; i++) {
        own[i] = nodes_cache_alloc(cache);
        if (own[i] != NULL)
            own[i]->numbers[0] = i;
    }
    for (int i = 0; i < 100; i++)
        nodes_cache_free(cache, own[i]);
    nodes_cache_release(cache);
}

static void *work(void *number)
{
    for (int round = 0; round < ROUNDS; round++) {
        use_objects(round % 2 != 0 ? OBJECTS : 50);
        use_held_cache();
        if (round % 5 == 0)
            nodes_trim(pool);
        if (round % 3 == 0)
            vf_thread_flush();
        longs_writer writer;
        longs_writer_open(&writer, &written);
        for (long i = 0; i < 50; i++) {
            longs_push(&written, i);
            longs_writer_push(&writer, i);
        }
        longs_writer_close(&writer);
        if (pthread_barrier_wait(&rounds) == PTHREAD_BARRIER_SERIAL_THREAD) {
            long value;
            longs_drain drain = longs_drain_begin(&written);
            while (longs_drain_next(&drain, &value)) {
            }
            longs_drain_end(&drain);
            if (round % 4 == 0)
                longs_trim(&written, 0);
        }
        pthread_barrier_wait(&rounds);
    }
    return number;
}

static void *send(void *number)
{
    for (int i = 0; i < 5000; i++) {
        struct node *node = nodes_alloc(pool);
        if (node == NULL)
            continue;
        node->numbers[0] = i;
        if (!mailbox_push(&mails, node))
            nodes_free(pool, node);
    }
    return number;
}

static void receive(void)
{
    struct node *node;
    mailbox_drain drain = mailbox_flip(&mails);
    while (mailbox_drain_next(&drain, &node)) {
        node->numbers[0]++;
        nodes_free(pool, node);
    }
    mailbox_drain_end(&drain);
}

static void run(void *(*body)(void *), void (*beside)(void))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, body, NULL) != 0)
            abort();
    }
    for (int i = 0; beside != NULL && i < 200; i++)
        beside();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    static const vf_pool_options kinds[] = {{.cache_objects = 0},
                                            {.cache_objects = 70},
                                            {.cache_objects = VF_CACHE_NONE},
                                            {.max_objects = 2000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pool = nodes_new(&kinds[i]);
        if (pool == NULL)
            abort();
        pthread_barrier_init(&rounds, NULL, THREADS);
        run(work, NULL);
        run(work, NULL);
        run(send, receive);
        receive();
        mailbox_destroy(&mails);
        longs_destroy(&written);
        pthread_barrier_destroy(&rounds);
        nodes_release(pool);
    }
    puts("done");
    return 0;
}
