/* SPDX-License-Identifier: MIT */
/*
 * parallel_drain.c - a frame of two phases: all workers find pairs that touch, then all resolve
 * them. What was found is divided among them, however unevenly it was found.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WORKERS = 3, FRAMES = 20, BODIES = 3000 };

struct contact {
    int one, other; /* bodies */
};

#define VF_T    struct contact
#define VF_N    14
#define VF_NAME contacts
#include <veryfast/smallbuf.h>

static contacts found;
static contacts_drain parts[WORKERS];
static size_t part_count;
static pthread_barrier_t phase;
static atomic_int touched[BODIES];

/* Most of them are in the first worker's share of the world. */
static void find(size_t worker)
{
    contacts_writer writer;
    contacts_writer_open(&writer, &found);
    for (int i = (int)worker; i + 1 < BODIES; i += worker == 0 ? 1 : 100) {
        if (!contacts_writer_push(&writer, (struct contact){i, i + 1}))
            perror("a contact is lost");
    }
    contacts_writer_close(&writer);
}

/* One thread, while no other uses the buffer. */
static void divide(void)
{
    contacts_drain all = contacts_drain_begin(&found);
    part_count = contacts_drain_split(&all, parts, WORKERS);
}

/* Each worker has its part, while nobody pushes. */
static void resolve(size_t worker)
{
    struct contact *span;
    if (worker >= part_count)
        return; /* there are fewer contacts than workers */
    for (size_t n; (n = contacts_drain_span(&parts[worker], &span)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            atomic_fetch_add(&touched[span[i].one], 1);
            atomic_fetch_add(&touched[span[i].other], 1);
        }
    }
    contacts_drain_end(&parts[worker]);
}

static void *work(void *number)
{
    size_t worker = *(const size_t *)number;
    for (int frame = 0; frame < FRAMES; frame++) {
        find(worker);
        pthread_barrier_wait(&phase); /* all is found */
        if (worker == 0)
            divide();
        pthread_barrier_wait(&phase);
        resolve(worker);
        pthread_barrier_wait(&phase); /* all parts have ended */
    }
    return NULL;
}

int main(void)
{
    static size_t numbers[WORKERS] = {0, 1, 2};
    pthread_t threads[WORKERS];
    long sum = 0, expected = 0;
    if (pthread_barrier_init(&phase, NULL, WORKERS) != 0)
        return 1;
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0)
            return 1;
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        for (int j = i; j + 1 < BODIES; j += i == 0 ? 1 : 100)
            expected += 2 * FRAMES;
    }
    for (int i = 0; i < BODIES; i++)
        sum += touched[i];
    printf("%ld ends of contacts resolved by %d workers\n", sum, WORKERS);
    pthread_barrier_destroy(&phase);
    contacts_destroy(&found);
    return sum == expected ? 0 : 1;
}
