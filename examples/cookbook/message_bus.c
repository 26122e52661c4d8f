/* SPDX-License-Identifier: MIT */
/*
 * message_bus.c - any thread publishes, at any time; one dispatcher takes all and delivers it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { TOPICS = 4, PUBLISHERS = 2, EACH = 50000 };

struct message {
    unsigned topic;
    int value;
};

#define VF_T    struct message
#define VF_N    64
#define VF_NAME bus
#define VF_FLIP /* it is drained while others push */
#include <veryfast/smallbuf.h>

static bus messages;
static atomic_int publishing = PUBLISHERS;

static void *publish(void *none)
{
    for (int i = 0; i < EACH; i++) {
        if (!bus_push(&messages, (struct message){.topic = (unsigned)i % TOPICS, .value = 1}))
            perror("a message is not accepted"); /* it is still ours: to be kept, or counted */
    }
    atomic_fetch_sub(&publishing, 1);
    return none;
}

/* What came before this call, in the order in which each thread published it. */
static void deliver(long sums[TOPICS])
{
    struct message *run;
    bus_drain drain = bus_flip(&messages);
    for (size_t n; (n = bus_drain_span(&drain, &run)) > 0;) {
        for (size_t i = 0; i < n; i++)
            sums[run[i].topic] += run[i].value;
    }
    bus_drain_end(&drain);
}

int main(void)
{
    pthread_t threads[PUBLISHERS];
    long sums[TOPICS] = {0}, all = 0;
    for (int i = 0; i < PUBLISHERS; i++) {
        if (pthread_create(&threads[i], NULL, publish, NULL) != 0)
            return 1;
    }
    while (atomic_load(&publishing) > 0)
        deliver(sums);
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
    deliver(sums); /* what came last */
    for (int i = 0; i < TOPICS; i++)
        all += sums[i];
    printf("%ld messages delivered\n", all);
    bus_destroy(&messages);
    return all == (long)PUBLISHERS * EACH ? 0 : 1;
}
