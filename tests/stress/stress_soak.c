/* SPDX-License-Identifier: MIT */
/*
 * stress_soak.c - everything at once, see soak.h: rounds of all parts, and what is left after them.
 */
#include <time.h>
#ifdef __GLIBC__
#    include <malloc.h>
#endif

#include "soak.h"

static const struct soak_part *const parts[] = {
    &soak_pools,
    &soak_levels,
    &soak_buffers,
#ifdef VF_HAS_EPOCH
    &soak_epochs,
#endif
};

#define PARTS     (sizeof parts / sizeof *parts)
#define LIFETIMES 4

struct worker {
    size_t thread;
    uint64_t random;
};

static size_t turns; /* in a lifetime */

static const struct soak_part *choose(uint64_t *random)
{
    size_t sum = 0, i = 0;
    for (size_t part = 0; part < PARTS; part++)
        sum += parts[part]->weight;
    size_t chance = stress_chance(random, sum);
    for (; chance >= parts[i]->weight; i++)
        chance -= parts[i]->weight;
    return parts[i];
}

static void *live(void *argument)
{
    struct worker *self = argument;
    for (size_t turn = 0; turn < turns; turn++)
        choose(&self->random)->turn(self->thread, &self->random);
    for (size_t part = 0; part < PARTS; part++) {
        if (parts[part]->leave != NULL)
            parts[part]->leave(self->thread, &self->random);
    }
    return NULL;
}

/* Threads come and go while others work: one after the other has the worker's number. */
static void *work(void *self)
{
    for (size_t i = 0; i < LIFETIMES; i++)
        test_run_threads(1, live, &self);
    return NULL;
}

static void run_round(uint64_t round)
{
    static struct worker workers[SOAK_THREADS];
    void *contexts[SOAK_THREADS];
    uint64_t random = stress_random_state(1000 * round + 999);
    for (size_t part = 0; part < PARTS; part++)
        parts[part]->open(&random);
    for (size_t i = 0; i < SOAK_THREADS; i++) {
        workers[i] = (struct worker){i, stress_random_state(1000 * round + i)};
        contexts[i] = &workers[i];
    }
    test_run_threads(SOAK_THREADS, work, contexts);
    for (size_t part = 0; part < PARTS; part++)
        parts[part]->close();
}

/* Bytes that the process has of the C library; 0 where that cannot be asked. */
static size_t memory_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

/* Nothing that is named may have stood still. */
static void report(const struct soak_part *part)
{
    printf("%s:", part->name);
    for (const struct soak_tally *tally = part->tallies; tally->what != NULL; tally++)
        printf(" %zu %s%s", (size_t)tally->times, tally->what, tally[1].what != NULL ? "," : "\n");
    for (const struct soak_tally *tally = part->tallies; tally->what != NULL; tally++)
        CHECK(tally->times > 0);
}

int main(int argc, char **argv)
{
    stress_begin("stress_soak");
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
    turns = stress_count(1000, 250);
    size_t bytes = 0;
    uint64_t rounds = 0;
    do {
        run_round(rounds++);
        if (rounds == 2) /* what the library keeps for threads has been made by then */
            bytes = memory_in_use();
    } while (rounds < 4 || time(NULL) < end);
    /* glibc counts what it keeps for the main thread: 7 blocks of each size up to 1 KiB in time */
    CHECK(memory_in_use() < bytes + ((size_t)256 << 10));
    printf("%llu rounds\n", (unsigned long long)rounds);
    for (size_t part = 0; part < PARTS; part++)
        report(parts[part]);
    stress_passed("all operations at once; balanced at the end of each round");
    return stress_end();
}
