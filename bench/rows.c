/*
 * rows.c - the list of rows, see rows.h.
 */
#include "rows.h"

#include <stdarg.h>
#include <stdio.h>

#define ROWS_MOST 120

struct options options = {.reps = 11};

static struct row rows[ROWS_MOST];
static size_t row_count;

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
    row->part[0] = (struct part){"", goal};
    row->threads = 1;
    return row;
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
        add_group(buffer_rows_add, buffer_rows_open);
    }
    *n = row_count;
    return rows;
}
