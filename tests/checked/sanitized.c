/* SPDX-License-Identifier: MIT */
/*
 * sanitized.c - for a sanitizer, or Valgrind, to find: what is wrong with objects of a checked
 * build as it would be with malloc'ed ones, and as it is with VF_BYPASS. check_report.py runs it.
 *
 *     sanitized read-freed | write-freed | read-past | read-fresh | leak | free-twice | nothing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <veryfast/checked.h>

struct thing {
    int numbers[5]; /* ends where no sanitizer's unit does */
};

#define VF_T struct thing
#define VF_N 16
#include <veryfast/pool.h>

#define VF_T size_t
#define VF_N 4
#include <veryfast/smallbuf.h>

#define COUNT 100

/* Out of the compiler's sight. */
static struct thing *volatile things[COUNT];
static volatile size_t number = 2;
static volatile int seen;

static void read_freed(pool_thing_16 *pool)
{
    pool_thing_16_free(pool, things[0]);
    if (things[0]->numbers[number] > 0)
        puts("more than nothing");
}

static void write_freed(pool_thing_16 *pool)
{
    pool_thing_16_free(pool, things[0]);
    things[0]->numbers[number] = 1;
}

static void read_past(pool_thing_16 *pool)
{
    (void)pool;
    number = 5;
    seen = things[0]->numbers[number];
}

/* The library's own to find. */
static void free_twice(pool_thing_16 *pool)
{
    pool_thing_16_free(pool, things[0]);
    pool_thing_16_free(pool, things[0]);
}

/* Reused, so that it had been written to. */
static void read_fresh(pool_thing_16 *pool)
{
    vf_checked_quarantine(0);
    pool_thing_16_free(pool, things[0]);
    things[0] = pool_thing_16_alloc(pool);
    if (things[0] != NULL && things[0]->numbers[number] > 0)
        puts("more than nothing");
}

/* The pool has the others still. */
static void leak(pool_thing_16 *pool)
{
    (void)pool;
    things[0] = NULL;
    exit(EXIT_SUCCESS);
}

/* Of a small buffer nothing is hidden, and what the library writes for the program is no error. */
static void fill_and_drain(void)
{
    smallbuf_size_t_4 buffer = {0};
    smallbuf_size_t_4_init(&buffer, NULL);
    smallbuf_size_t_4_writer writer;
    smallbuf_size_t_4_writer_open(&writer, &buffer);
    size_t in = 0, out = 0, value;
    for (size_t i = 0; i < COUNT; i++) {
        in += smallbuf_size_t_4_push(&buffer, i) ? i : 0;
        in += smallbuf_size_t_4_writer_push(&writer, i) ? i : 0;
    }
    smallbuf_size_t_4_writer_close(&writer);
    smallbuf_size_t_4_drain drain = smallbuf_size_t_4_drain_begin(&buffer);
    while (smallbuf_size_t_4_drain_next(&drain, &value))
        out += value;
    smallbuf_size_t_4_drain_end(&drain);
    smallbuf_size_t_4_destroy(&buffer);
    if (in != out)
        exit(EXIT_FAILURE);
}

static void nothing(pool_thing_16 *pool)
{
    fill_and_drain();
    struct thing *many[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        pool_thing_16_free(pool, things[i]);
    size_t n = pool_thing_16_alloc_n(pool, many, COUNT);
    for (size_t i = 0; i < n; i++)
        memset(many[i], (int)i, sizeof *many[i]);
    pool_thing_16_free_n(pool, many, n / 2);
    pool_thing_16_trim(pool);
    if (pool_thing_16_stats(pool).live != n - n / 2)
        exit(EXIT_FAILURE);
    for (size_t i = n / 2; i < n; i++)
        seen = pool_thing_16_take(pool, many[i]).numbers[4];
    for (size_t i = 0; i < COUNT; i++)
        things[i] = NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(pool_thing_16 *pool);
    } scenes[] = {
        {"read-freed", read_freed},
        {"write-freed", write_freed},
        {"read-past", read_past},
        {"read-fresh", read_fresh},
        {"leak", leak},
        {"free-twice", free_twice},
        {"nothing", nothing},
    };
    pool_thing_16 *pool = pool_thing_16_new(NULL);
    if (argc != 2 || pool == NULL)
        return EXIT_FAILURE;
    for (size_t i = 0; i < COUNT; i++) {
        things[i] = pool_thing_16_push(pool, (struct thing){{1, 2, 3, 4, 5}});
        if (things[i] == NULL)
            return EXIT_FAILURE;
    }
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (strcmp(argv[1], scenes[i].name) == 0)
            scenes[i].run(pool);
    }
    pool_thing_16_destroy(pool);
    return EXIT_SUCCESS;
}
