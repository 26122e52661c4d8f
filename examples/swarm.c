/* SPDX-License-Identifier: MIT */
/*
 * The frame loop of a game: a swarm in which thousands are born and thousands die in every frame.
 *
 *     build/demo/examples/swarm [--malloc] [--frames N] [--threads N] [--entities N] [--seed N]
 *
 * Prints what happened, a checksum of all movement, frames per second, what the pool holds and the
 * time taken.
 *
 * What it shows: one pool shared by all threads of a job system. The swarm is cut into slices. In
 * each frame a thread takes one slice after another until none is left: moves its entities, frees
 * those whose time is up, spawns new ones. Thus an entity is often freed by another thread than the
 * one that spawned it. With --malloc the entities come from malloc instead, for comparison.
 *
 * A slice has its own random numbers and depends on nothing outside itself, so the checksum is the
 * same for any number of threads, with and without --malloc, and, without floating point, on every
 * machine.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

enum {
    SLICES = 64,
    LONGEST_LIFE = 4, /* frames */
    WAVE = 16,        /* frames from one flood of entities to the next */
    WORLD_SIZE = 1 << 20,
    TRAIL = 5, /* positions that an entity leaves behind it, to be drawn as its tail */
    MOST_ENTITIES = 1 << 30
};

struct point {
    int32_t x, y;
};

struct entity {
    struct point at, speed, trail[TRAIL];
    uint32_t age, life;
};

#define VF_T struct entity
#define VF_N 4096
#include <veryfast/pool.h>

/* ---- a slice of the swarm, used by one thread at a time ---- */

struct slice {
    _Alignas(64) struct entity **entities; /* the alignment keeps neighbours' cache lines apart */
    size_t count, capacity;
    uint64_t random, checksum, spawned, died;
};

/* An entity somewhere in the world, on its way to somewhere else. */
static struct entity slice_imagine(struct slice *slice)
{
    uint64_t place = next_random(&slice->random), motion = next_random(&slice->random);
    struct point at = {(int32_t)(place % WORLD_SIZE), (int32_t)((place >> 32) % WORLD_SIZE)};
    return (struct entity){
        .at = at,
        .speed = {(int32_t)(motion & 2047) - 1024, (int32_t)(motion >> 11 & 2047) - 1024},
        .trail = {at, at, at, at, at},
        .life = 1 + (uint32_t)(motion >> 32) % LONGEST_LIFE,
    };
}

/* Adds an entity; false when out of memory. Without a pool the memory is malloc's. */
static bool slice_spawn(struct slice *slice, pool_entity_4096 *pool)
{
    struct entity entity = slice_imagine(slice), *spawned;
    if (pool)
        spawned = pool_entity_4096_push(pool, entity);
    else if ((spawned = malloc(sizeof *spawned)))
        *spawned = entity;
    if (!spawned)
        return false;
    slice->entities[slice->count++] = spawned;
    slice->spawned++;
    return true;
}

static void entity_free(pool_entity_4096 *pool, struct entity *entity)
{
    if (pool)
        pool_entity_4096_free(pool, entity);
    else
        free(entity);
}

/* One step on one axis; an entity that would leave the world turns round instead. */
static void move(int32_t *at, int32_t *speed)
{
    if (*at + *speed < 0 || *at + *speed >= WORLD_SIZE)
        *speed = -*speed;
    *at += *speed;
}

static void entity_move(struct entity *entity)
{
    entity->trail[entity->age++ % TRAIL] = entity->at;
    move(&entity->at.x, &entity->speed.x);
    move(&entity->at.y, &entity->speed.y);
}

/* How many entities a slice wants: all it has room for at the height of a wave, half between. */
static size_t slice_wanted(const struct slice *slice, size_t frame)
{
    size_t phase = frame % WAVE;
    size_t height = phase < WAVE / 2 ? WAVE / 2 - phase : phase - WAVE / 2;
    return slice->capacity / 2 + (slice->capacity - slice->capacity / 2) * height / (WAVE / 2);
}

/* Plays one frame of one slice; false when out of memory. */
static bool slice_play(struct slice *slice, pool_entity_4096 *pool, size_t frame)
{
    uint64_t sum = 0;
    size_t alive = 0;
    for (size_t i = 0; i < slice->count; i++) {
        struct entity *entity = slice->entities[i];
        entity_move(entity);
        sum += (uint64_t)entity->at.x << 32 | (uint32_t)entity->at.y;
        if (entity->age < entity->life)
            slice->entities[alive++] = entity;
        else
            entity_free(pool, entity);
    }
    slice->died += slice->count - alive;
    slice->count = alive;
    slice->checksum = slice->checksum * 31 + sum;
    while (slice->count < slice_wanted(slice, frame)) {
        if (!slice_spawn(slice, pool))
            return false;
    }
    return true;
}

/* ---- the world, shared by all threads ---- */

struct world {
    pool_entity_4096 *pool; /* NULL: malloc */
    struct slice slices[SLICES];
    size_t frames;
    atomic_size_t next_slice;
    atomic_bool out_of_memory;
    bool stop;
    struct barrier barrier;
};

/* Between two frames, while all others wait: here a game would draw. */
static void world_end_frame(struct world *world)
{
    atomic_store(&world->next_slice, 0);
    world->stop = atomic_load(&world->out_of_memory);
}

static void world_run(void *context)
{
    struct world *world = context;
    for (size_t frame = 0; frame < world->frames && !world->stop; frame++) {
        for (size_t next; (next = atomic_fetch_add(&world->next_slice, 1)) < SLICES;) {
            if (!slice_play(&world->slices[next], world->pool, frame))
                atomic_store(&world->out_of_memory, true);
        }
        if (barrier_wait(&world->barrier))
            world_end_frame(world);
        barrier_wait(&world->barrier);
    }
}

/* ---- the program ---- */

struct settings {
    bool use_malloc;
    size_t frames, threads, entities, seed;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {
        {"malloc", no_argument, NULL, 'm'},        {"frames", required_argument, NULL, 'f'},
        {"threads", required_argument, NULL, 't'}, {"entities", required_argument, NULL, 'e'},
        {"seed", required_argument, NULL, 's'},    {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'm')
            settings->use_malloc = true;
        else if (option == 'f')
            good &= parse_number(optarg, 1, SIZE_MAX, &settings->frames);
        else if (option == 't')
            good &= parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else if (option == 'e')
            good &= parse_number(optarg, 1, MOST_ENTITIES, &settings->entities);
        else if (option == 's')
            good &= parse_number(optarg, 0, SIZE_MAX, &settings->seed);
        else
            good = false;
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: swarm [--malloc] [--frames N] [--threads N] [--entities N] "
                        "[--seed N]\n");
    return good && optind == count;
}

/* Shares out the room for entities; false when out of memory. */
static bool world_init(struct world *world, const struct settings *settings)
{
    world->frames = settings->frames;
    world->pool = settings->use_malloc ? NULL : pool_entity_4096_new(NULL);
    bool good = world->pool || settings->use_malloc;
    for (size_t i = 0; i < SLICES; i++) {
        struct slice *slice = &world->slices[i];
        slice->random = settings->seed * SLICES + i;
        slice->capacity = settings->entities / SLICES + (i < settings->entities % SLICES);
        slice->entities = calloc(slice->capacity + 1, sizeof(struct entity *)); /* never 0 bytes */
        good &= slice->entities != NULL;
    }
    return good;
}

static void world_fini(struct world *world)
{
    for (size_t i = 0; i < SLICES; i++) {
        struct slice *slice = &world->slices[i];
        while (slice->count)
            entity_free(world->pool, slice->entities[--slice->count]);
        free(slice->entities);
    }
    pool_entity_4096_release(world->pool);
}

static void world_print(const struct world *world, size_t threads, double time)
{
    uint64_t spawned = 0, died = 0, checksum = 0;
    for (size_t i = 0; i < SLICES; i++) {
        spawned += world->slices[i].spawned;
        died += world->slices[i].died;
        checksum = checksum * 31 + world->slices[i].checksum;
    }
    printf("%zu frames, %zu threads, entities from %s\n", world->frames, threads,
           world->pool ? "pool" : "malloc");
    printf("%" PRIu64 " spawned, %" PRIu64 " died, %" PRIu64 " alive\n", spawned, died,
           spawned - died);
    printf("checksum %016" PRIx64 "\n", checksum);
    printf("%.1f frames per second\n", (double)world->frames / time);
    if (world->pool) {
        vf_pool_stats stats = pool_entity_4096_stats(world->pool);
        vf_pool_stats_print(stdout, "entities", &stats);
    }
    print_end(time);
}

int main(int count, char **arguments)
{
    static struct world world; /* too large for some stacks */
    struct settings settings = {
        .frames = 1000, .threads = processors(), .entities = 50000, .seed = 1};
    if (!parse(count, arguments, &settings))
        return 2;
    bool good = world_init(&world, &settings);
    if (good) {
        double start = seconds();
        size_t threads = run_threads(settings.threads, world_run, &world, &world.barrier);
        good = threads > 0 && !world.out_of_memory;
        if (good)
            world_print(&world, threads, seconds() - start);
    }
    world_fini(&world);
    if (!good)
        fprintf(stderr, "swarm: %s\n", strerror(ENOMEM));
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
