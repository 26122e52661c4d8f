/* SPDX-License-Identifier: MIT */
/*
 * packets.c - buffers for packets: a hard cap, so that a flood costs packets and not memory; whole
 * cache lines; received in bursts by one thread and freed by another.
 */
#define _DEFAULT_SOURCE

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct packet {
    size_t length;
    unsigned char bytes[1500];
};

#define VF_T             struct packet
#define VF_N             128
#define VF_NAME          packets
#define VF_CACHE_ALIGNED /* a device or another core writes to it */
#include <veryfast/pool.h>

enum { CAP = 256, BURST = 32, RING = 1024, BURSTS = 2000 };

static packets *pool;
static struct packet *ring[RING]; /* one writes, one reads */
static atomic_size_t received, handled;
static atomic_int closed;

static void *handle(void *none)
{
    for (;;) {
        int was_closed = atomic_load(&closed);
        size_t from = atomic_load(&handled), n = atomic_load(&received) - from;
        if (n == 0 && was_closed)
            return none;
        size_t at = from % RING, run = n < RING - at ? n : RING - at;
        packets_free_n(pool, &ring[at], run);
        atomic_store(&handled, from + run);
    }
}

/* How many of a burst there was no buffer for: they are dropped, as a device would. */
static size_t receive(void)
{
    struct packet *burst[BURST];
    size_t place = atomic_load(&received), n = packets_alloc_n(pool, burst, BURST);
    for (size_t i = 0; i < n; i++) {
        burst[i]->length = 64;
        memset(burst[i]->bytes, (int)i, burst[i]->length);
        ring[(place + i) % RING] = burst[i]; /* there is room: RING is more than CAP */
    }
    atomic_store(&received, place + n);
    return BURST - n;
}

int main(void)
{
    pthread_t handler;
    size_t dropped = 0;
    pool = packets_new(&(vf_pool_options){.max_objects = CAP, .name = "packets"});
    /* all memory now, and none later */
    if (pool == NULL || !packets_reserve(pool, CAP) ||
        pthread_create(&handler, NULL, handle, NULL) != 0)
        return 1;
    for (int i = 0; i < BURSTS; i++) {
        size_t missing = receive();
        dropped += missing;
        if (missing > 0)
            sched_yield();
    }
    atomic_store(&closed, 1);
    pthread_join(handler, NULL);
    size_t live = packets_stats(pool).live;
    packets_release(pool);
    printf("%zu packets handled, the others dropped\n", atomic_load(&handled));
    return live == 0 && atomic_load(&handled) + dropped == (size_t)BURSTS * BURST ? 0 : 1;
}
