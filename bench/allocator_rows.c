/*
 * allocator_rows.c - the rows that compare the pool with allocators.
 */
#include "rows.h"

#include "allocators.h"
#include "deferrers.h"

/* Every row that uses it runs in a process of its own, and finds it zeroed. */
static struct work work;

/* The permutation in which a burst is freed. */
static const uint32_t *order_of(size_t burst, enum order order)
{
    static uint32_t places[BURST_MOST];
    for (size_t i = 0; i < burst; i++)
        places[i] = (uint32_t)(order == LIFO ? burst - 1 - i : i);
    uint64_t random = 42;
    for (size_t i = burst; order == RANDOM && i-- > 1;) {
        size_t other = next_random(&random) % (i + 1);
        uint32_t place = places[i];
        places[i] = places[other];
        places[other] = place;
    }
    return places;
}

/* Sets work.rounds to what makes about *operations, at once so many; at least one. */
static void set_rounds(size_t *operations, size_t once)
{
    work.rounds = *operations < once ? 1 : *operations / once;
    *operations = work.rounds * once;
}

static double sample_pair(const struct row *row, const struct variant *variant, size_t *operations)
{
    set_rounds(operations, row->threads);
    return workers_time(row->threads, variant->loops->pair, &work);
}

static double sample_burst(const struct row *row, const struct variant *variant, size_t *operations)
{
    unsigned threads = threads_of(row, variant);
    work.burst = row->burst;
    set_rounds(operations, row->burst * threads);
    return workers_time(threads, variant->loops->burst, &work);
}

static double sample_hand_over(const struct row *row, const struct variant *variant,
                               size_t *operations)
{
    const struct loops *loops = variant->loops;
    set_rounds(operations, row->burst);
    return workers_time(2, row->burst == ARRAY ? loops->arrays : loops->ring, &work);
}

static double sample_replace(const struct row *row, const struct variant *variant,
                             size_t *operations)
{
    work.threads = row->threads;
    set_rounds(operations, (size_t)REPLACE_TURN * row->threads);
    atomic_store(&work.turns, 0);
    return workers_time(row->threads, variant->loops->replace, &work);
}

/* The next variant cannot free what this one has left. */
static void finish_replace(const struct row *row, const struct variant *variant)
{
    workers_time(row->threads, variant->loops->clear, &work);
}

void allocator_rows_open(const struct row *row)
{
    allocators_open();
    deferrers_open();
    workers_start(row->threads);
    work.order = order_of(row->burst, row->order);
    for (size_t i = 0; i < ARRAYS; i++)
        ring_put(&work.empty, work.array[i]);
}

static void add_pair(const struct variants *variants, double goal, const char *name)
{
    row_add(variants, goal, "%s", name)->sample = sample_pair;
}

/* A burst by threads, in the given order. */
static void add_burst(const struct variants *variants, double goal, const char *prefix,
                      size_t burst, enum order order, unsigned threads)
{
    static const char *const orders[] = {"LIFO", "FIFO", "random"};
    struct row *row =
        row_add(variants, goal, "%sburst %zu %s %uT", prefix, burst, orders[order], threads);
    row->sample = sample_burst;
    row->burst = burst;
    row->order = order;
    row->threads = threads;
}

static void add_against_peers(void)
{
    static const size_t bursts[] = {32, 256, 4096, 65536};
    static const unsigned threads[] = {1, 2, 16};
    add_pair(&variants_of_n, 0.55, "pair");
    for (size_t b = 0; b < 4; b++) {
        double goal = bursts[b] < 65536 ? 0.7 : 0.9;
        for (size_t t = 0; t < 3; t++) {
            for (enum order order = LIFO; order <= RANDOM; order++)
                add_burst(&variants_of_n, goal, "", bursts[b], order, threads[t]);
        }
    }
    for (unsigned n = 1; n <= 2; n++) {
        struct row *row = row_add(&variants_of_pool, 0.9, "replace in 4096 %uT", n);
        row->sample = sample_replace;
        row->finish = finish_replace;
        row->threads = n;
    }
    for (size_t burst = 1; burst <= ARRAY; burst += ARRAY - 1) {
        struct row *row = row_add(&variants_of_ring, 0.6, "hand over %zu at a time", burst);
        row->sample = sample_hand_over;
        row->burst = burst;
        row->threads = 2;
    }
}

static void add_single(const struct variants *variants, const char *name)
{
    struct row *single = row_add(variants, 0, "%s", name);
    single->run = run_single;
    single->parts = 3;
    single->part[0] = (struct part){" 99.99 %", 1.0};
    single->part[1] = (struct part){" slowest", 1.0};
    single->part[2] = (struct part){" slowest each time", 1.0};
}

static void add_fresh(void)
{
    struct row *first = row_add(&variants_of_pool, 0, "first 10M,");
    first->run = run_first;
    first->parts = 4;
    first->part[0] = (struct part){" alloc", 1.0};
    first->part[1] = (struct part){" free", 0};
    first->part[2] = (struct part){" alloc again", 0};
    first->part[3] = (struct part){" free and alloc again", 1.0};
    add_single(&variants_of_pool, "call of 10M,");
}

static void add_life(void)
{
    row_add(&variants_of_walk, 1.0, "walk in an old heap")->run = run_walk;
    row_add(&variants_of_end, 0.75, "free 1M")->run = run_end;
    struct row *row = row_add(&variants_of_memory, 0, "bytes for 1 %% of 10M,");
    row->run = run_resident;
    row->parts = 2;
    row->part[0] = (struct part){" freed", 0};
    row->part[1] = (struct part){" given back", 0};
}

static void add_among_ours(void)
{
    static const size_t bursts[] = {32, 256, 4096};
    static const unsigned threads[] = {1, 2, 16};
    for (size_t b = 0; b < 3; b++) {
        for (enum order order = LIFO; order <= RANDOM; order++)
            add_burst(&variants_of_threads, 1.15, "scaling, ", bursts[b], order, 2);
    }
    add_pair(&variants_of_held, 0.75, "held cache, pair");
    for (size_t b = 0; b < 3; b++)
        add_burst(&variants_of_held, 0.75, "held cache, ", bursts[b], LIFO, 1);
    add_burst(&variants_of_bulk, 0.35, "bulk, ", 32, FIFO, 1);
    add_pair(&variants_of_cap, 1.0, "capped, pair");
    for (size_t b = 0; b < 2; b++) {
        for (size_t t = 0; t < 3; t++)
            add_burst(&variants_of_cap, 1.0, "capped, ", bursts[b], LIFO, threads[t]);
    }
}

/* Frees that wait for readers, of which there are none: what does the waiting cost? */
static void add_deferred(void)
{
    for (unsigned threads = 1; deferrers.n > 0 && threads <= 2; threads++) {
        add_burst(&deferrers, 0.2, "deferred, ", 256, FIFO, threads);
        add_burst(&deferrers_or_not, 1.5, "or at once, ", 256, FIFO, threads);
    }
    if (deferrers.n > 0) {
        add_single(&deferrers, "deferred of 10M,");
        row_add(&deferrers, 0, "deferred of 10M, MiB waiting")->run = run_waiting;
    }
}

void allocator_rows_add(void)
{
    add_against_peers();
    add_fresh();
    add_life();
    add_among_ours();
    add_deferred();
}
