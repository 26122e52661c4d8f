/* SPDX-License-Identifier: MIT */
/*
 * program_loops.h - template: loops of programs that use what they allocate, see allocator_loops.h,
 * which includes it. Their helpers are functions that call themselves, hence LOOPS_USE in each.
 *
 *     LOOPS_TEXT(n)       expression: memory for a string
 *     LOOPS_TEXT_FREE(p)  expression: gives it back. Without: malloc and free
 */
#ifndef LOOPS_TEXT
#    define LOOPS_TEXT(n)      malloc(n)
#    define LOOPS_TEXT_FREE(p) free(p)
#endif
#define LOOPS_NODE(type)      ((struct type *)(void *)(LOOPS_ALLOC))
#define LOOPS_NODE_FREE(node) LOOPS_FREE((struct object *)(void *)(node))

/* A tree: parents before their children, and freed after them. */
static struct tree *LOOP(_tree_build)(void *context, unsigned worker, size_t depth)
{
    LOOPS_USE
    struct tree *tree = LOOPS_NODE(tree);
    tree_fill(tree, depth);
    for (size_t i = 0; i < CHILDREN && depth > 0; i++)
        tree->child[i] = LOOP(_tree_build)(context, worker, depth - 1);
    return tree;
}

static void LOOP(_tree_drop)(void *context, unsigned worker, struct tree *tree)
{
    LOOPS_USE
    for (size_t i = 0; i < CHILDREN && tree->child[i] != NULL; i++)
        LOOP(_tree_drop)(context, worker, tree->child[i]);
    LOOPS_NODE_FREE(tree);
}

static void LOOP(_tree)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    for (size_t round = 0; round < program->warm_up + program->rounds; round++) {
        double at[4];
        at[0] = clock_ns(program->clock);
        struct tree *tree = LOOP(_tree_build)(context, worker, program->size);
        at[1] = clock_ns(program->clock);
        work->sum += tree_sum(tree);
        at[2] = clock_ns(program->clock);
        LOOP(_tree_drop)(context, worker, tree);
        at[3] = clock_ns(program->clock);
        program_add(program, round, at);
    }
}

/* A document: an array of objects, with strings among their members. */
static struct json *LOOP(_json_value)(void *context, unsigned worker, uint64_t kind, size_t number)
{
    LOOPS_USE
    struct json *value = LOOPS_NODE(json);
    (void)context;
    (void)worker;
    json_fill(value, kind);
    if (kind >= 1 && kind <= TEXTS) {
        size_t length = 8 + number % 33;
        json_write(value, (char *)LOOPS_TEXT(length), length);
    }
    return value;
}

static struct json *LOOP(_json_build)(void *context, unsigned worker, size_t values)
{
    struct json *array = LOOP(_json_value)(context, worker, 0, 0);
    struct json *object = array;
    for (size_t i = 0; i < values - 1; i++) {
        uint64_t kind = i % (MEMBERS + 1);
        struct json *value = LOOP(_json_value)(context, worker, kind, i);
        json_append(kind == 0 ? array : object, value);
        object = kind == 0 ? value : object;
    }
    return array;
}

static void LOOP(_json_drop)(void *context, unsigned worker, struct json *value)
{
    LOOPS_USE
    while (value != NULL) {
        struct json *next = value->next;
        if (value->child != NULL)
            LOOP(_json_drop)(context, worker, value->child);
        if (value->text != NULL)
            LOOPS_TEXT_FREE(value->text);
        LOOPS_NODE_FREE(value);
        value = next;
    }
}

static void LOOP(_document)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    for (size_t round = 0; round < program->warm_up + program->rounds; round++) {
        double at[4];
        at[0] = clock_ns(program->clock);
        struct json *document = LOOP(_json_build)(context, worker, program->size);
        at[1] = clock_ns(program->clock);
        work->sum += json_sum(document);
        at[2] = clock_ns(program->clock);
        LOOP(_json_drop)(context, worker, document);
        at[3] = clock_ns(program->clock);
        program_add(program, round, at);
    }
}

/* A map of a steady size, in which a random entry makes room for another one; and a walk. */
static void LOOP(_map)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    uint64_t *keys = program->keys;
    uint64_t random = worker + 1;
    struct entry *map = NULL;
    double begin = 0;
    LOOPS_USE
    for (size_t i = 0; i < program->size; i++) {
        keys[i] = next_random(&random);
        map_insert(&map, LOOPS_NODE(entry), keys[i]);
    }
    for (size_t i = 0; i < program->warm_up + program->rounds; i++) {
        if (i == program->warm_up)
            begin = clock_ns(program->clock);
        uint64_t *key = &keys[next_random(&random) % program->size];
        LOOPS_NODE_FREE(map_remove(&map, *key));
        *key = next_random(&random);
        map_insert(&map, LOOPS_NODE(entry), *key);
    }
    program->ns[0] = clock_ns(program->clock) - begin;
    begin = clock_ns(program->clock);
    for (size_t pass = 0; pass < WALKS; pass++)
        work->sum += map_sum(map);
    program->ns[1] = (clock_ns(program->clock) - begin) / WALKS;
}

/* Objects are freed in random order and allocated anew; then they are read in the order in which
   they were allocated. */
static void LOOP(_anew)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    struct object **objects = work->slots;
    size_t n = work->burst;
    double begin = 0;
    (void)worker;
    LOOPS_USE
    for (size_t round = 0; round <= program->warm_up; round++) {
        begin = clock_ns(program->clock);
        for (size_t i = 0; i < n; i++)
            objects[i] = written(LOOPS_ALLOC, i);
        program->ns[0] = clock_ns(program->clock) - begin;
        for (size_t i = 0; round < program->warm_up && i < n; i++)
            LOOPS_FREE(objects[work->order[i]]);
    }
    begin = clock_ns(program->clock);
    for (size_t pass = 0; pass < WALKS; pass++) {
        for (size_t i = 0; i < n; i++)
            work->sum += objects[i]->words[0];
    }
    program->ns[1] = (clock_ns(program->clock) - begin) / WALKS;
}

/* Two threads, and a few free slots among many objects: each replaces objects of its own. */
static void LOOP(_crowded)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    size_t half = program->size / 2;
    struct object **objects = work->objects + worker * half;
    uint64_t random = worker + 1;
    size_t live = 0;
    double begin = 0;
    LOOPS_USE
    for (size_t i = 0; i < half; i++)
        objects[i] = written(LOOPS_ALLOC, i);
    for (size_t i = 0; i < half; i++) {
        if (next_random(&random) % 100 < program->free_percent)
            LOOPS_FREE(objects[i]);
        else
            objects[live++] = objects[i];
    }
    meet(&work->turns, 2);
    for (size_t i = 0; i < program->warm_up + program->rounds; i++) {
        if (i == program->warm_up)
            begin = clock_ns(program->clock);
        struct object **slot = &objects[next_random(&random) % live];
        LOOPS_FREE(*slot);
        *slot = written(LOOPS_ALLOC, i);
    }
    program->ns[worker] = clock_ns(program->clock) - begin;
}

/* One thread allocates, frees all and sleeps from then on; another one allocates as many. */
static void LOOP(_asleep)(void *context, unsigned worker)
{
    struct work *work = (struct work *)context;
    struct program *program = &work->program;
    struct object **objects = work->objects;
    LOOPS_USE
    if (worker != program->turn)
        return;
    double begin = clock_ns(program->clock);
    for (size_t i = 0; i < program->size; i++)
        objects[i] = written(LOOPS_ALLOC, i);
    program->ns[0] = clock_ns(program->clock) - begin;
    for (size_t i = 0; worker == 0 && i < program->size; i++)
        LOOPS_FREE(objects[i]);
}

#undef LOOPS_TEXT
#undef LOOPS_TEXT_FREE
#undef LOOPS_NODE
#undef LOOPS_NODE_FREE
