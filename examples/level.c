/* SPDX-License-Identifier: MIT */
/*
 * The levels of a game: each fills the memory, and leaves none of it behind.
 *
 *     build/demo/examples/level [--trim | --malloc] [--levels N] [--threads N] [--entities N]
 *
 * Prints for each level how many entities lived at its end, a checksum of them, the memory that was
 * held at its end and after it, what the operating system says of it, and at last the time taken.
 *
 * What it shows: the whole life of a pool. All threads spawn entities, and free some. At the end of
 * the level all that live are saved (P_each: no list of them is kept), and then they end: with the
 * pool, by one call of P_destroy; the next level has a new pool. With --trim the pool stays, its
 * objects are freed by a visitor, and P_trim gives back the memory. With --malloc each entity is
 * malloc's, and the game must keep a list of them to find them again.
 *
 * Memory is the same after each level, or something would be lost.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "program.h"

struct entity {
    uint64_t id;
    float at[3], speed[3];
    struct entity *next; /* with --malloc: all that live are in lists */
};

#define VF_T struct entity
#define VF_N 4096
#include <veryfast/pool.h>

enum mode { DESTROY, TRIM, MALLOC };

static const char *const mode_names[] = {"pools that are destroyed", "a pool that is trimmed",
                                         "malloc"};

#define MOST_ENTITIES UINT32_MAX

/* ---- memory that is counted ---- */

/* Batches come from the operating system itself, so that what goes back is gone: free() would keep
   it. All else is small. */
#define BATCH_BYTES 65536

static atomic_size_t bytes_held;

static void *counted_alloc(void *none, size_t size, size_t alignment)
{
    (void)none;
    void *memory;
    if (size >= BATCH_BYTES) {
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return NULL;
    } else if (posix_memalign(&memory, alignment, size)) {
        return NULL;
    }
    atomic_fetch_add(&bytes_held, size);
    return memory;
}

static void counted_dealloc(void *none, void *memory, size_t size, size_t alignment)
{
    (void)none;
    (void)alignment; /* of no object more than a page */
    atomic_fetch_sub(&bytes_held, size);
    if (size >= BATCH_BYTES)
        munmap(memory, size);
    else
        free(memory);
}

/* What the operating system has given us that is in use, in bytes; 0 where it does not say. */
static size_t bytes_resident(void)
{
    size_t all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%zu %zu", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static double mebibytes(size_t bytes)
{
    return (double)bytes / 1048576;
}

/* ---- a level ---- */

struct level {
    enum mode mode;
    pool_entity_4096 *pool;
    size_t entities, shares;  /* of which each thread takes one after another */
    atomic_size_t next_share; /* the next one to be taken */
    pthread_mutex_t mutex;
    struct entity *listed; /* with --malloc; under the mutex */
    atomic_bool out_of_memory;
    uint64_t alive, checksum; /* of those that live at the end */
};

static struct entity *spawn(struct level *level, struct entity **list, uint64_t id)
{
    struct entity entity = {.id = id, .speed = {1, 2, 3}};
    if (level->mode != MALLOC)
        return pool_entity_4096_push(level->pool, entity);
    struct entity *spawned = malloc(sizeof entity);
    if (spawned) {
        entity.next = *list;
        *spawned = entity;
        *list = spawned;
    }
    return spawned;
}

/* The one that was spawned last. */
static void kill(struct level *level, struct entity **list, struct entity *entity)
{
    if (level->mode != MALLOC) {
        pool_entity_4096_free(level->pool, entity);
        return;
    }
    *list = entity->next;
    free(entity);
}

/* Some of the level's entities; each eighth does not live long. */
static void play_share(struct level *level, size_t share)
{
    size_t begin = level->entities / level->shares * share;
    size_t end =
        share + 1 < level->shares ? begin + level->entities / level->shares : level->entities;
    struct entity *list = NULL;
    for (size_t id = begin; id < end; id++) {
        struct entity *entity = spawn(level, &list, id);
        if (!entity)
            level->out_of_memory = true;
        else if (id % 8 == 7)
            kill(level, &list, entity);
    }
    pthread_mutex_lock(&level->mutex);
    for (struct entity *next; list; list = next) {
        next = list->next;
        list->next = level->listed;
        level->listed = list;
    }
    pthread_mutex_unlock(&level->mutex);
}

static void play(void *context)
{
    struct level *level = context;
    for (size_t share; (share = level->next_share++) < level->shares;)
        play_share(level, share);
}

/* What a game would write to a file. */
static void save(struct entity *entity, void *context)
{
    struct level *level = context;
    level->alive++;
    level->checksum += entity->id * entity->id;
}

static void end(struct entity *entity, void *context)
{
    struct level *level = context;
    pool_entity_4096_free(level->pool, entity);
}

/* False when out of memory: a walk needs a bit for each object. */
static bool level_save(struct level *level)
{
    if (level->mode != MALLOC)
        return pool_entity_4096_each(level->pool, save, level);
    for (struct entity *entity = level->listed; entity; entity = entity->next)
        save(entity, level);
    return true;
}

static bool level_end(struct level *level)
{
    switch (level->mode) {
    case DESTROY:
        pool_entity_4096_destroy(level->pool);
        level->pool = NULL;
        return true;
    case TRIM:
        if (!pool_entity_4096_each(level->pool, end, level))
            return false;
        pool_entity_4096_trim(level->pool);
        return true;
    default:
        for (struct entity *next; level->listed; level->listed = next) {
            next = level->listed->next;
            free(level->listed);
        }
        return true;
    }
}

static bool level_begin(struct level *level)
{
    vf_pool_options options = {.allocator = {counted_alloc, counted_dealloc, NULL}};
    if (level->mode != MALLOC && !level->pool)
        level->pool = pool_entity_4096_new(&options);
    level->next_share = 0;
    level->alive = level->checksum = 0;
    return level->mode == MALLOC || level->pool;
}

/* ---- the game ---- */

struct settings {
    enum mode mode;
    size_t levels, threads, entities;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {
        {"trim", no_argument, NULL, 't'},           {"malloc", no_argument, NULL, 'm'},
        {"levels", required_argument, NULL, 'l'},   {"threads", required_argument, NULL, 'n'},
        {"entities", required_argument, NULL, 'e'}, {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; good && (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 't')
            settings->mode = TRIM;
        else if (option == 'm')
            settings->mode = MALLOC;
        else if (option == 'l')
            good = parse_number(optarg, 1, 1000000, &settings->levels);
        else if (option == 'n')
            good = parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else
            good = option == 'e' && parse_number(optarg, 1, MOST_ENTITIES, &settings->entities);
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: level [--trim | --malloc] [--levels N] [--threads N] "
                        "[--entities N]\n");
    return good && optind == count;
}

static bool play_level(struct level *level, size_t number, size_t threads)
{
    if (!level_begin(level) || run_threads(threads, play, level, NULL) == 0 ||
        level->out_of_memory || !level_save(level))
        return false;
    size_t held = bytes_held;
    if (!level_end(level))
        return false;
    printf("level %2zu: %" PRIu64 " alive, checksum %016" PRIx64 ", %.1f MiB held; after it %zu "
           "bytes, %.1f MiB resident\n",
           number, level->alive, level->checksum, mebibytes(held), (size_t)bytes_held,
           mebibytes(bytes_resident()));
    return true;
}

int main(int count, char **arguments)
{
    struct settings settings = {DESTROY, 10, 4, 1000000};
    if (!parse(count, arguments, &settings))
        return 2;
    struct level level = {.mode = settings.mode,
                          .entities = settings.entities,
                          .shares = 64,
                          .mutex = PTHREAD_MUTEX_INITIALIZER};
    printf("%zu levels, %zu threads, entities from %s\n", settings.levels, settings.threads,
           mode_names[settings.mode]);
    double start = seconds();
    bool good = true;
    for (size_t number = 1; good && number <= settings.levels; number++)
        good = play_level(&level, number, settings.threads);
    print_end(seconds() - start);
    if (!good)
        fprintf(stderr, "level: %s\n", strerror(ENOMEM));
    pool_entity_4096_destroy(level.pool);
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
