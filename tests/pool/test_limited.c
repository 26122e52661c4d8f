/* SPDX-License-Identifier: MIT */
/*
 * test_limited.c - a system that has no more memory to give, as one without overcommit has at its
 * limit: each call that needs some fails by itself, and all others go on.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/threads.h"
#include "test_common.h"

#define MIB ((rlim_t)1 << 20)

typedef struct node {
    unsigned char bytes[1024];
} node;

#define VF_T    node
#define VF_N    1024 /* batches of 1 MiB, which malloc has from the system */
#define VF_NAME nodes
#include <veryfast/pool.h>

#define VF_T    size_t
#define VF_N    4
#define VF_NAME numbers
#include <veryfast/smallbuf.h>

static node *objects[65536];

/* From here on the process may have so much more address space than now. */
static void allow(rlim_t more)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
    cr_assert(setrlimit(RLIMIT_AS, &limit) == 0);
}

/* Where all tests run in one process, none has the limit of the one before. */
static void lift_limit(void)
{
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert(setrlimit(RLIMIT_AS, &limit) == 0);
}

/* So many objects until there is no memory. */
static size_t alloc_all(nodes *pool)
{
    size_t n = 0;
    errno = 0;
    while (n < 65536 && (objects[n] = nodes_alloc(pool)) != NULL) {
        check_equal((size_t)errno, 0);
        objects[n]->bytes[0] = (unsigned char)n;
        n++;
    }
    check_equal((size_t)errno, ENOMEM);
    return n;
}

/* The first batch needs the map of addresses, too, which has 5.5 MiB of them. */
Test(limited, pool_refuses_and_goes_on, .init = lift_limit)
{
    nodes *pool = nodes_new(NULL);
    cr_assert(pool != NULL);
    allow(2 * MIB);
    check_equal(alloc_all(pool), 0);
    check_equal(nodes_stats(pool).batches, 0);
    cr_assert(!nodes_reserve(pool, 1) && errno == ENOMEM);

    allow(40 * MIB);
    size_t n = alloc_all(pool);
    cr_assert(n >= 20 * 1024 && n <= 40 * 1024, "%zu objects in 40 MiB", n);
    check_equal(nodes_stats(pool).live, n);
    cr_assert(!nodes_reserve(pool, 4096) && errno == ENOMEM);
    nodes_free(pool, objects[0]);
    cr_assert(nodes_alloc(pool) == objects[0]);
    for (size_t i = 1; i < n; i++)
        cr_assert(objects[i]->bytes[0] == (unsigned char)i);
    nodes_free_n(pool, objects, n);
    cr_assert(nodes_trim(pool) > 0);
    size_t again = alloc_all(pool); /* all has gone back, whatever malloc makes of the room */
    cr_assert(again >= n / 2, "%zu objects, and then %zu", n, again);
    nodes_destroy(pool);
}

/* It has no room for its row, and works without a cache until there is some. */
static void *use_without_row(void *context)
{
    nodes *pool = context;
    size_t cached = nodes_stats(pool).cached;
    allow(0);
    errno = 0;
    for (int i = 0; i < 3; i++)
        CHECK((objects[i] = nodes_alloc(pool)) != NULL);
    CHECK(nodes_stats(pool).live == 3 && nodes_stats(pool).cached == cached);
    nodes_free_n(pool, objects, 2);
    nodes_free(pool, objects[2]);
    CHECK(nodes_stats(pool).live == 0 && nodes_stats(pool).cached == cached && errno == 0);
    allow(MIB);
    nodes_free(pool, nodes_alloc(pool));
    CHECK(nodes_stats(pool).live == 0 && nodes_stats(pool).cached > cached);
    return context;
}

Test(limited, thread_without_a_row_works, .init = lift_limit)
{
    nodes *pool = nodes_new(NULL);
    cr_assert(nodes_reserve(pool, 1024));
    void *context = pool;
    test_run_threads(1, use_without_row, &context);
    nodes_release(pool);
}

Test(limited, buffer_refuses_and_loses_nothing, .init = lift_limit)
{
    numbers buffer = {0};
    allow(8 * MIB);
    size_t n = 0;
    while (numbers_push(&buffer, n))
        n++;
    cr_assert(errno == ENOMEM && n > MIB / sizeof n);
    check_equal(numbers_count(&buffer), n);
    numbers_drain drain = numbers_drain_begin(&buffer);
    size_t *values, next = 0;
    for (size_t m; (m = numbers_drain_span(&drain, &values)) > 0;) {
        for (size_t i = 0; i < m; i++)
            cr_assert(values[i] == next++);
    }
    numbers_drain_end(&drain);
    check_equal(next, n);
    cr_assert(numbers_trim(&buffer, 0) > 0 && numbers_push(&buffer, 1));
    numbers_destroy(&buffer);
}
