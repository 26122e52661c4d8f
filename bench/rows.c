/* SPDX-License-Identifier: MIT */
/*
 * rows.c - the list of rows, see rows.h.
 */
#include "rows.h"

#include <stdarg.h>
#include <stdio.h>

struct options options;

static struct row rows[ROWS_MOST];
static size_t row_count;

struct variant *variant_add(struct variants *variants, const char *name, enum kind kind)
{
    struct variant *variant = &variants->all[variants->n];
    *variant = (struct variant){.name = name, .kind = kind, .number = variants->n++};
    return variant;
}

struct variant *variant_add_loops(struct variants *variants, const char *name, enum kind kind,
                                  const struct loops *loops)
{
    struct variant *variant = variant_add(variants, name, kind);
    variant->loops = loops;
    return variant;
}

size_t reps_at_most(size_t most)
{
    return options.reps < most ? options.reps : most;
}

struct row *row_add(const struct variants *variants, double goal, const char *format, ...)
{
    struct row *row = &rows[row_count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->name, sizeof row->name, format, arguments);
    va_end(arguments);
    row->variants = variants;
    row->run = run_ordinary;
    row->parts = 1;
    row->part[0] = (struct part){"", goal, NULL, false};
    row->threads = 1;
    row->size = 64;
    row->pools = 1;
    return row;
}

void row_add_single(const struct variants *variants, const char *name)
{
    struct row *row = row_add(variants, 0, "%s", name);
    row->run = run_single;
    row->parts = 6;
    row->part[0] = (struct part){" 50 %", 0, NULL, false};
    row->part[1] = (struct part){" 99 %", 0, NULL, false};
    row->part[2] = (struct part){" 99.9 %", 0, NULL, false};
    row->part[3] = (struct part){" 99.99 %", 1.0, NULL, false};
    row->part[4] = (struct part){" slowest", 1.0, NULL, false};
    row->part[5] = (struct part){" slowest each time", 1.0, NULL, false};
}

/* Rows that open alike, but for those that know better. */
static void add_group(void (*add)(void), void (*open)(const struct row *row))
{
    size_t first = row_count;
    add();
    for (size_t i = first; i < row_count; i++)
        rows[i].open = rows[i].open != NULL ? rows[i].open : open;
}

const struct row *rows_all(size_t *n)
{
    if (row_count == 0) {
        add_group(allocator_rows_add, allocator_rows_open);
        add_group(program_rows_add, NULL);
        add_group(visit_rows_add, NULL);
        add_group(handle_rows_add, NULL);
        add_group(buffer_rows_add, buffer_rows_open);
        add_group(drain_rows_add, NULL);
        add_group(keyed_rows_add, NULL);
    }
    *n = row_count;
    return rows;
}
