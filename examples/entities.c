/* SPDX-License-Identifier: MIT */
/*
 * An entity system: entities that come and go, and know one another by handles.
 *
 *     build/demo/examples/entities [--entities N] [--frames N] [--threads N]
 *
 * In each frame one thread lets one entity in twenty die, and as many be born. Then all threads
 * walk, each through its own part of the entities: a system that moves each of them, and one in
 * which each looks at its target, an entity that may have died meanwhile. Nothing but the handle
 * tells: there is no list of who targets whom.
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

struct world {
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

/* ---- the phase of one thread: births and deaths ---- */

static void spawn(struct world *world)
{
    struct entity *entity = entities_alloc(world->pool);
    if (!entity)
        return;
    uint32_t name = (uint32_t)world->named++;
    uint32_t target =
        world->live > 0 ? world->living[random_below(&world->random, world->live)] : 0;
    *entity = (struct entity){.name = name,
                              .speed = {1, (float)(name % 7), (float)(name % 3)},
                              .target = world->handles[target].bits,
                              .target_name = target};
    world->handles[name] = entities_handle_of(world->pool, entity);
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
    bool freed = entities_free_handle(world->pool, world->handles[name]);
    bool again = entities_free_handle(world->pool, world->handles[name]);
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
    const struct entity *target = entities_get(world->pool, (entities_handle){entity->target});
    bool lives = world->alive[entity->target_name] && entity->target != 0;
    counts->met += target != NULL;
    counts->gone += target == NULL;
    counts->wrong += (target != NULL) != lives;
    counts->wrong += target && target->name != entity->target_name;
}

static void run_systems(struct world *world, size_t part)
{
    struct counts counts = {0};
    entities_walk walk = entities_walk_part(world->pool, part, world->threads);
    for (struct entity *entity; (entity = entities_walk_next(&walk));) {
        for (int i = 0; i < 3; i++)
            entity->at[i] += entity->speed[i];
        counts.moved++;
        look_at_target(world, entity, &counts);
    }
    entities_walk_end(&walk);
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
    world->pool = entities_new(NULL);
    return world->handles && world->alive && world->living && world->pool;
}

/* Each handle that was ever given is asked for once more. */
static size_t check_all(const struct world *world)
{
    size_t wrong = 0;
    for (size_t name = 0; name < world->named; name++) {
        const struct entity *entity = entities_get(world->pool, world->handles[name]);
        wrong += (entity != NULL) != world->alive[name] || (entity && entity->name != name);
    }
    return wrong + (entities_stats(world->pool).live != world->live);
}

int main(int argc, char **argv)
{
    static struct world world = {.wanted = 10000, .frames = 100};
    static const struct option options[] = {{"entities", required_argument, NULL, 'e'},
                                            {"frames", required_argument, NULL, 'f'},
                                            {"threads", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    bool valid = true;
    world.threads = processors();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        size_t *number = option == 'e'   ? &world.wanted
                         : option == 'f' ? &world.frames
                                         : &world.threads;
        valid = valid && option != '?' &&
                parse_number(optarg, 1, option == 't' ? MOST_THREADS : 1000000, number);
    }
    if (!valid || optind < argc || world.wanted * (world.frames + 1) > UINT32_MAX) {
        fprintf(stderr, "usage: %s [--entities N] [--frames N] [--threads N]\n", argv[0]);
        return 2;
    }
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
    entities_destroy(world.pool);
    free(world.handles);
    free(world.alive);
    free(world.living);
    print_end(seconds() - begin);
    return wrong > 0;
}
