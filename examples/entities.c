/* SPDX-License-Identifier: MIT */
/*
 * An entity system: entities that come and go, and know one another by handles.
 *
 *     build/demo/examples/entities [--malloc] [--entities N] [--frames N] [--threads N]
 *
 * In each frame one thread lets one entity in twenty die, and as many be born. Then all threads
 * walk, each through its own part of the entities: a system that moves each of them, and one in
 * which each looks at its target, an entity that may have died meanwhile. Nothing but the handle
 * tells: there is no list of who targets whom. With --malloc the entities come from malloc, and a
 * handle leads to a place in a table, which has a generation and a pointer, for comparison.
 *
 * Prints how many entities there are at the end, how many targets were met and how many were gone,
 * the most memory and the time. A plain model, arrays indexed by the entity's name, is kept in
 * step: an entity that is dead there must be gone here, and the other way round. Ends with 1 if it
 * is not so.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>

#include "program.h"

struct entity {
    uint32_t name; /* its place in the model; no other has it */
    float at[3], speed[3];
    uint64_t target; /* bits of a handle */
    uint32_t target_name;
};

#define VF_T    struct entity
#define VF_N    1024
#define VF_NAME entities
#define VF_HANDLE
#include <veryfast/pool.h>

/* ---- the entities for comparison: malloc's, found through a table ---- */

struct place {
    struct entity *entity; /* NULL: the place is free */
    uint32_t generation;   /* that a handle must have; never 0 */
    uint32_t next;         /* the next free place */
};

struct table {
    struct place *places;
    size_t used; /* so many have had an entity */
    uint32_t free;
};

static uint64_t table_add(struct table *table, struct entity *entity)
{
    uint32_t index = table->free;
    struct place *place = &table->places[index];
    if (index == table->used)
        table->free = (uint32_t)++table->used;
    else
        table->free = place->next;
    place->entity = entity;
    place->generation++;
    return (uint64_t)place->generation << 32 | index;
}

static struct entity *table_get(const struct table *table, uint64_t bits)
{
    const struct place *place = &table->places[(uint32_t)bits];
    return place->generation == bits >> 32 ? place->entity : NULL;
}

static bool table_free(struct table *table, uint64_t bits)
{
    struct place *place = &table->places[(uint32_t)bits];
    if (table_get(table, bits) == NULL)
        return false;
    free(place->entity);
    place->entity = NULL;
    place->next = table->free;
    table->free = (uint32_t)bits;
    return true;
}

/* ---- the world ---- */

struct world {
    bool use_malloc;
    struct table table;
    entities *pool;
    size_t wanted, frames, threads;
    /* the model, by name */
    entities_handle *handles;
    bool *alive;
    uint32_t *living; /* names of those that live */
    size_t named, live;
    uint64_t random;
    /* what the threads share */
    struct barrier barrier;
    atomic_size_t next_part, moved, met, gone, wrong;
};

static struct entity *find(const struct world *world, entities_handle handle)
{
    return world->use_malloc ? table_get(&world->table, handle.bits)
                             : entities_get(world->pool, handle);
}

/* ---- the phase of one thread: births and deaths ---- */

static struct entity *allocate(struct world *world)
{
    return world->use_malloc ? malloc(sizeof(struct entity)) : entities_alloc(world->pool);
}

static entities_handle handle_of(struct world *world, struct entity *entity)
{
    return world->use_malloc ? (entities_handle){table_add(&world->table, entity)}
                             : entities_handle_of(world->pool, entity);
}

static bool end(struct world *world, entities_handle handle)
{
    return world->use_malloc ? table_free(&world->table, handle.bits)
                             : entities_free_handle(world->pool, handle);
}

static void spawn(struct world *world)
{
    struct entity *entity = allocate(world);
    if (!entity)
        return;
    uint32_t name = (uint32_t)world->named++;
    uint32_t target =
        world->live > 0 ? world->living[random_below(&world->random, world->live)] : 0;
    *entity = (struct entity){.name = name,
                              .speed = {1, (float)(name % 7), (float)(name % 3)},
                              .target = world->handles[target].bits,
                              .target_name = target};
    world->handles[name] = handle_of(world, entity);
    world->alive[name] = true;
    world->living[world->live++] = name;
}

/* By its handle, which is all that is known of it. */
static void despawn(struct world *world)
{
    size_t place = random_below(&world->random, world->live);
    uint32_t name = world->living[place];
    world->living[place] = world->living[--world->live];
    world->alive[name] = false;
    bool freed = end(world, world->handles[name]);
    bool again = end(world, world->handles[name]);
    atomic_fetch_add(&world->wrong, !freed + again);
}

static void change(struct world *world)
{
    size_t n = world->live / 20;
    for (size_t i = 0; i < n; i++)
        despawn(world);
    while (world->live < world->wanted && world->named < world->wanted * (world->frames + 1)) {
        size_t before = world->live;
        spawn(world);
        if (world->live == before)
            return; /* out of memory: the others go on */
    }
}

/* ---- the phase of all threads: systems, each through a part ---- */

struct counts {
    size_t moved, met, gone, wrong;
};

static void look_at_target(const struct world *world, const struct entity *entity,
                           struct counts *counts)
{
    const struct entity *target = find(world, (entities_handle){entity->target});
    bool lives = world->alive[entity->target_name] && entity->target != 0;
    counts->met += target != NULL;
    counts->gone += target == NULL;
    counts->wrong += (target != NULL) != lives;
    counts->wrong += target && target->name != entity->target_name;
}

static void update(const struct world *world, struct entity *entity, struct counts *counts)
{
    for (int i = 0; i < 3; i++)
        entity->at[i] += entity->speed[i];
    counts->moved++;
    look_at_target(world, entity, counts);
}

static void update_pool(const struct world *world, size_t part, struct counts *counts)
{
    entities_walk walk = entities_walk_part(world->pool, part, world->threads);
    for (struct entity *entity; (entity = entities_walk_next(&walk));)
        update(world, entity, counts);
    entities_walk_end(&walk);
}

static void update_table(const struct world *world, size_t part, struct counts *counts)
{
    const struct table *table = &world->table;
    size_t end = table->used * (part + 1) / world->threads;
    for (size_t i = table->used * part / world->threads; i < end; i++) {
        if (table->places[i].entity != NULL)
            update(world, table->places[i].entity, counts);
    }
}

static void run_systems(struct world *world, size_t part)
{
    struct counts counts = {0};
    if (world->use_malloc)
        update_table(world, part, &counts);
    else
        update_pool(world, part, &counts);
    atomic_fetch_add(&world->moved, counts.moved);
    atomic_fetch_add(&world->met, counts.met);
    atomic_fetch_add(&world->gone, counts.gone);
    atomic_fetch_add(&world->wrong, counts.wrong);
}

static void live(void *context)
{
    struct world *world = context;
    for (size_t frame = 0; frame < world->frames; frame++) {
        if (barrier_wait(&world->barrier)) {
            atomic_store(&world->next_part, 0);
            change(world);
            size_t moved = atomic_exchange(&world->moved, 0);
            atomic_fetch_add(&world->wrong, frame > 0 && moved == 0);
        }
        barrier_wait(&world->barrier);
        /* A team may have fewer threads than parts: each takes the next one that nobody has. */
        for (size_t part; (part = atomic_fetch_add(&world->next_part, 1)) < world->threads;)
            run_systems(world, part);
    }
}

/* ---- the program ---- */

static bool make(struct world *world)
{
    size_t names = world->wanted * (world->frames + 1) + 1;
    world->handles = calloc(names, sizeof *world->handles);
    world->alive = calloc(names, sizeof *world->alive);
    world->living = calloc(names, sizeof *world->living);
    if (world->use_malloc)
        world->table.places = calloc(world->wanted + 1, sizeof *world->table.places);
    else
        world->pool = entities_new(NULL);
    return world->handles && world->alive && world->living && (world->pool || world->table.places);
}

/* Each handle that was ever given is asked for once more. */
static size_t check_all(const struct world *world)
{
    size_t wrong = 0;
    for (size_t name = 0; name < world->named; name++) {
        const struct entity *entity = find(world, world->handles[name]);
        wrong += (entity != NULL) != world->alive[name] || (entity && entity->name != name);
    }
    return wrong + (!world->use_malloc && entities_stats(world->pool).live != world->live);
}

static bool parse(int argc, char **argv, struct world *world)
{
    static const struct option options[] = {{"malloc", no_argument, NULL, 'm'},
                                            {"entities", required_argument, NULL, 'e'},
                                            {"frames", required_argument, NULL, 'f'},
                                            {"threads", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    bool valid = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'm')
            world->use_malloc = true;
        else if (option == 'e')
            valid &= parse_number(optarg, 1, 1000000, &world->wanted);
        else if (option == 'f')
            valid &= parse_number(optarg, 1, 1000000, &world->frames);
        else if (option == 't')
            valid &= parse_number(optarg, 1, MOST_THREADS, &world->threads);
        else
            valid = false;
    }
    valid = valid && optind == argc && world->wanted * (world->frames + 1) <= UINT32_MAX;
    if (!valid)
        fprintf(stderr, "usage: %s [--malloc] [--entities N] [--frames N] [--threads N]\n",
                argv[0]);
    return valid;
}

static void drop(struct world *world)
{
    for (size_t i = 0; i < world->table.used; i++)
        free(world->table.places[i].entity);
    free(world->table.places);
    entities_destroy(world->pool);
    free(world->handles);
    free(world->alive);
    free(world->living);
}

int main(int argc, char **argv)
{
    static struct world world = {.wanted = 10000, .frames = 100};
    world.threads = processors();
    if (!parse(argc, argv, &world))
        return 2;
    double begin = seconds();
    if (!make(&world) || run_threads(world.threads, live, &world, &world.barrier) == 0) {
        perror("entities");
        return 1;
    }
    size_t wrong = atomic_load(&world.wrong) + check_all(&world);
    printf("%zu entities of %zu that were born\n", world.live, world.named);
    printf("%zu targets met, %zu gone\n", atomic_load(&world.met), atomic_load(&world.gone));
    if (wrong > 0)
        printf("%zu times it was not so in the model\n", wrong);
    drop(&world);
    print_end(seconds() - begin);
    return wrong > 0;
}
