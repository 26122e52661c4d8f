/* SPDX-License-Identifier: MIT */
/*
 * parallel_drain.c - a frame of two phases: all workers find pairs that touch, then all resolve
 * them. What was found is divided among them, however unevenly it was found.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

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
static atomic_int touched[BODIES];

/* Most of them are in the first worker's share of the world. */
static void *find(void *number)
{
    int worker = *(const int *)number;
    contacts_writer writer;
    contacts_writer_open(&writer, &found);
    for (int i = worker; i + 1 < BODIES; i += worker == 0 ? 1 : 100) {
        if (!contacts_writer_push(&writer, (struct contact){i, i + 1}))
            perror("a contact is lost");
    }
    contacts_writer_close(&writer);
    return NULL;
}

/* One thread, while no other uses the buffer. */
static void divide(void)
{
    contacts_drain all = contacts_drain_begin(&found);
    part_count = contacts_drain_split(&all, parts, WORKERS);
}

/* Each worker has its part, while nobody pushes. */
static void *resolve(void *number)
{
    size_t worker = (size_t) * (const int *)number;
    struct contact *span;
    if (worker >= part_count)
        return NULL; /* there are fewer contacts than workers */
    for (size_t n; (n = contacts_drain_span(&parts[worker], &span)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            atomic_fetch_add(&touched[span[i].one], 1);
            atomic_fetch_add(&touched[span[i].other], 1);
        }
    }
    contacts_drain_end(&parts[worker]);
    return NULL;
}

/* On all workers, until they are done. (A job system would keep its threads.) */
static void run(void *(*phase)(void *number))
{
    static int numbers[WORKERS] = {0, 1, 2};
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, phase, &numbers[i]) != 0)
            abort();
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
}

static void play_frame(void)
{
    run(find);
    divide();
    run(resolve);
}

int main(void)
{
    long sum = 0, expected = 0;
    for (int frame = 0; frame < FRAMES; frame++)
        play_frame();
    for (int i = 0; i < WORKERS; i++) {
        for (int j = i; j + 1 < BODIES; j += i == 0 ? 1 : 100)
            expected += 2 * FRAMES;
    }
    for (int i = 0; i < BODIES; i++)
        sum += touched[i];
    printf("%ld ends of contacts resolved by %d workers\n", sum, WORKERS);
    contacts_destroy(&found);
    return sum == expected ? 0 : 1;
}
