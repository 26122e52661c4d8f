/* SPDX-License-Identifier: MIT */
/*
 * program_rows.c - the rows of programs.c and crowds.c.
 */
#include "allocators.h"
#include "rows.h"

/* One with some lines, of so many objects. */
static struct row *add(const struct variants *variants, const char *name, size_t objects,
                       void (*run)(const struct row *row), size_t parts)
{
    struct row *row = row_add(variants, 0, "%s", name);
    row->run = run;
    row->burst = objects;
    row->parts = parts;
    return row;
}

static void add_rounds(struct row *row)
{
    row->part[0] = (struct part){.name = " all", .goal = 1.0};
    row->part[1] = (struct part){.name = " build"};
    row->part[2] = (struct part){.name = " walk"};
    row->part[3] = (struct part){.name = " drop"};
}

static void add_programs(void)
{
    struct row *tree = add(&variants_of_use, "tree,", 0, run_tree, 5);
    add_rounds(tree);
    tree->part[4] = (struct part){" walk / array", 1.1, "times", true};
    add_rounds(add(&variants_of_use, "document of 200,", 200, run_document, 4));
    add_rounds(add(&variants_of_use, "document of 140,000,", 140000, run_document, 4));
    struct row *map = add(&variants_of_map, "map of 100,000,", 100000, run_map, 2);
    map->part[0] = (struct part){.name = " replace", .goal = 1.0};
    map->part[1] = (struct part){.name = " walk", .goal = 1.1};
    struct row *anew = add(&variants_of_use, "1M freed at random,", 1000000, run_anew, 2);
    anew->part[0] = (struct part){.name = " alloc anew", .goal = 1.2};
    anew->part[1] = (struct part){.name = " walk", .goal = 1.1};
}

static void add_crowds(void)
{
    add(&variants_of_pool, "replace in 1M, 95 % live, 2T", 1000000, run_crowded, 1)->part[0].goal =
        1.0;
    struct row *asleep = add(&variants_of_pool, "500,000 of a sleeper,", 500000, run_asleep, 2);
    asleep->part[0] = (struct part){.name = " alloc", .goal = 1.0};
    asleep->part[1] = (struct part){" growth", 6.4, "bytes", true}; /* a tenth of an object */
    struct row *beside = add(&variants_of_pool, "grow, sleepers:", 200000, run_beside, 4);
    beside->part[0] = (struct part){.name = " 0"};
    beside->part[1] = (struct part){.name = " 256"};
    beside->part[2] = (struct part){.name = " 4096"};
    beside->part[3] = (struct part){" 4096 / 0", 1.1, "times", true};
}

void program_rows_add(void)
{
    add_programs();
    add_crowds();
}
