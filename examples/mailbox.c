/* SPDX-License-Identifier: MIT */
/*
 * A frame loop in which every entity has a mailbox: all threads write to them, few of them
 * overflow.
 *
 *     build/demo/examples/mailbox [--mutex] [--frames N] [--threads N] [--entities N]
 *
 * Prints what was sent, a checksum, frames per second, the memory held and the time taken.
 *
 * What it shows: a small buffer inside each of 100,000 entities. In each frame every entity sends
 * some of its gold to another one. Whose message is the first in a mailbox puts the receiver on the
 * list of active ones, a small buffer too, so that only these are visited when all has been sent.
 *
 * Most messages lie inside the entities. In each frame another crowd of entities gets more than
 * these have room for; what is too much goes to chunks from one pool that all mailboxes share, and
 * goes back to it in the same frame. Memory thus follows what is sent in one frame. Had each
 * mailbox kept what it once grew to, it would follow the sum of what each of them ever got.
 *
 * With --mutex a mailbox is a growing array under a mutex instead, for comparison.
 *
 * Who sends what to whom depends neither on the threads nor on the order in which messages are
 * read, so the results are the same for any number of threads, with and without --mutex.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

enum {
    SLICES = 64,   /* of the entities, each sending by one thread */
    SHARE = 1024,  /* active entities that a thread takes at a time to visit them */
    FORTUNE = 1000 /* gold that an entity begins with */
};

#define MOST_ENTITIES UINT32_MAX
#define CHUNK_SIZE    1024

struct message {
    uint64_t from, gold;
};

#define VF_T    struct message
#define VF_N    3 /* 64 bytes in all */
#define VF_NAME mailbox
#include <veryfast/smallbuf.h>

#define VF_T             uint32_t
#define VF_N             64
#define VF_NAME          active_list
#define VF_CACHE_ALIGNED /* every thread pushes to the one that there is */
#include <veryfast/smallbuf.h>

struct chunk {
    _Alignas(64) unsigned char bytes[CHUNK_SIZE];
};

#define VF_T struct chunk
#define VF_N 256
#include <veryfast/pool.h>

/* ---- where mailboxes that overflow have their memory from ---- */

static bool is_chunk(size_t size, size_t alignment)
{
    return size <= sizeof(struct chunk) && alignment <= _Alignof(struct chunk);
}

/* A mailbox's first chunk fits into one from the pool; the few that are larger are malloc's. */
static void *spill_alloc(void *context, size_t size, size_t alignment)
{
    if (is_chunk(size, alignment))
        return pool_chunk_256_alloc(context);
    void *memory;
    return posix_memalign(&memory, alignment, size) ? NULL : memory;
}

static void spill_dealloc(void *context, void *memory, size_t size, size_t alignment)
{
    if (is_chunk(size, alignment))
        pool_chunk_256_free(context, memory);
    else
        free(memory);
}

/* ---- the mailbox for comparison: a growing array under a mutex ---- */

struct locked {
    pthread_mutex_t mutex;
    struct message *messages;
    size_t count, capacity;
};

static bool locked_grow(struct locked *locked)
{
    size_t capacity = locked->capacity ? 2 * locked->capacity : 4;
    struct message *messages = realloc(locked->messages, capacity * sizeof *messages);
    if (!messages)
        return false;
    locked->messages = messages;
    locked->capacity = capacity;
    return true;
}

static bool locked_push_index(struct locked *locked, struct message message, size_t *index)
{
    pthread_mutex_lock(&locked->mutex);
    bool good = locked->count < locked->capacity || locked_grow(locked);
    *index = locked->count;
    if (good)
        locked->messages[locked->count++] = message;
    pthread_mutex_unlock(&locked->mutex);
    return good;
}

/* ---- entities ---- */

struct entity {
    union {
        mailbox mailbox;
        struct locked locked; /* with --mutex */
    };
    uint64_t gold;
    uint64_t received;         /* messages */
    uint64_t senders;          /* of them all, mixed */
    size_t most_spilled_bytes; /* bytes that its mailbox held outside itself, at most */
};

static void entity_receive(struct entity *entity, const struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entity->gold += messages[i].gold;
        entity->senders += (messages[i].from + 1) * 0x9e3779b97f4a7c15;
    }
    entity->received += count;
}

/* Reads all messages and gives back what the mailbox had grown by: so many bytes. */
static size_t entity_drain(struct entity *entity)
{
    mailbox_drain drain = mailbox_drain_begin(&entity->mailbox);
    struct message *messages;
    for (size_t count; (count = mailbox_drain_span(&drain, &messages)) > 0;)
        entity_receive(entity, messages, count);
    mailbox_drain_end(&drain);
    size_t spilled_bytes = mailbox_trim(&entity->mailbox, 0);
    if (spilled_bytes > entity->most_spilled_bytes)
        entity->most_spilled_bytes = spilled_bytes;
    return spilled_bytes;
}

static void entity_drain_locked(struct entity *entity)
{
    entity_receive(entity, entity->locked.messages, entity->locked.count);
    entity->locked.count = 0;
}

/* ---- the world, shared by all threads ---- */

struct world {
    bool use_mutex;
    size_t frames, entity_count;
    struct entity *entities;
    pool_chunk_256 *chunks;
    vf_smallbuf_options mailbox_options;

    active_list active;                   /* numbers of the entities that have got messages */
    atomic_size_t next_slice;             /* to send */
    atomic_size_t next_active;            /* to visit */
    atomic_size_t spilled, spilled_bytes; /* in this frame: mailboxes; bytes that they hold */
    atomic_size_t refused;                /* messages, in all frames */
    atomic_bool out_of_memory;
    bool stop;

    uint64_t visited; /* active entities, in all frames */
    size_t most_spilled, most_spilled_bytes;
    struct barrier barrier;
};

/* Every fourth receiver is one of this frame's crowd, and rather one of the first of it. */
static size_t world_choose_receiver(const struct world *world, size_t frame, uint64_t *random)
{
    uint64_t choice = next_random(random);
    if (choice % 4 > 0)
        return (size_t)((choice >> 2) % world->entity_count);
    size_t crowd = world->entity_count / 64 + 1;
    size_t place = (size_t)(next_random(random) % (1 + (choice >> 2) % crowd));
    return (frame * crowd + place) % world->entity_count;
}

/* The receiver is active from its first message on: index 0. */
static bool world_post(struct world *world, active_list_writer *active, size_t to,
                       struct message message)
{
    struct entity *entity = &world->entities[to];
    size_t index;
    if (world->use_mutex ? !locked_push_index(&entity->locked, message, &index)
                         : !mailbox_push_index(&entity->mailbox, message, &index))
        return false;
    if (index == 0 && !active_list_writer_push(active, (uint32_t)to))
        atomic_store(&world->out_of_memory, true); /* nobody would ever read its mail */
    return true;
}

/* All entities of a slice send a quarter of their gold. What is refused, they keep. */
static void world_send_slice(struct world *world, active_list_writer *active, size_t frame,
                             size_t slice)
{
    size_t end = world->entity_count * (slice + 1) / SLICES;
    uint64_t random = frame * SLICES + slice;
    random = next_random(&random); /* so that the sequences do not overlap */
    for (size_t from = world->entity_count * slice / SLICES; from < end; from++) {
        struct entity *sender = &world->entities[from];
        struct message message = {from, (sender->gold + 3) / 4};
        if (world_post(world, active, world_choose_receiver(world, frame, &random), message))
            sender->gold -= message.gold;
        else
            atomic_fetch_add(&world->refused, 1);
    }
}

static void world_send(struct world *world, size_t frame)
{
    active_list_writer active;
    active_list_writer_open(&active, &world->active);
    for (size_t slice; (slice = atomic_fetch_add(&world->next_slice, 1)) < SLICES;)
        world_send_slice(world, &active, frame, slice);
    active_list_writer_close(&active);
}

static void world_visit(struct world *world, const uint32_t *numbers, size_t count)
{
    size_t spilled = 0, spilled_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct entity *entity = &world->entities[numbers[i]];
        if (world->use_mutex) {
            entity_drain_locked(entity);
        } else {
            size_t bytes = entity_drain(entity);
            spilled += bytes > 0;
            spilled_bytes += bytes;
        }
    }
    atomic_fetch_add(&world->spilled, spilled);
    atomic_fetch_add(&world->spilled_bytes, spilled_bytes);
}

/* Nobody pushes now, so several threads may read the list at once. */
static void world_visit_active(struct world *world)
{
    size_t all = active_list_count(&world->active);
    for (size_t at; (at = atomic_fetch_add(&world->next_active, SHARE)) < all;) {
        size_t end = at + SHARE;
        const uint32_t *numbers;
        for (size_t count; at < end; at += count) {
            if ((count = active_list_span(&world->active, at, &numbers)) == 0)
                break; /* the last share is smaller */
            if (count > end - at)
                count = end - at;
            world_visit(world, numbers, count);
        }
    }
}

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Between two frames, while all others wait. */
static void world_end_frame(struct world *world)
{
    world->visited += active_list_count(&world->active);
    active_list_clear(&world->active);
    world->most_spilled = greater(world->most_spilled, world->spilled);
    world->most_spilled_bytes = greater(world->most_spilled_bytes, world->spilled_bytes);
    world->spilled = world->spilled_bytes = world->next_slice = world->next_active = 0;
    world->stop = world->out_of_memory;
}

static void world_run(void *context)
{
    struct world *world = context;
    for (size_t frame = 0; frame < world->frames && !world->stop; frame++) {
        world_send(world, frame);
        barrier_wait(&world->barrier);
        world_visit_active(world);
        if (barrier_wait(&world->barrier))
            world_end_frame(world);
        barrier_wait(&world->barrier);
    }
}

/* ---- the program ---- */

struct settings {
    bool use_mutex;
    size_t frames, threads, entities;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {{"mutex", no_argument, NULL, 'm'},
                                            {"frames", required_argument, NULL, 'f'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"entities", required_argument, NULL, 'e'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'm')
            settings->use_mutex = true;
        else if (option == 'f')
            good &= parse_number(optarg, 1, SIZE_MAX, &settings->frames);
        else if (option == 't')
            good &= parse_number(optarg, 1, MOST_THREADS, &settings->threads);
        else if (option == 'e')
            good &= parse_number(optarg, 1, MOST_ENTITIES, &settings->entities);
        else
            good = false;
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: mailbox [--mutex] [--frames N] [--threads N] [--entities N]\n");
    return good && optind == count;
}

/* False when out of memory. */
static bool world_init(struct world *world, const struct settings *settings)
{
    world->use_mutex = settings->use_mutex;
    world->frames = settings->frames;
    world->entities = calloc(settings->entities, sizeof(struct entity)); /* mailboxes are empty */
    world->chunks = pool_chunk_256_new(NULL);
    if (!world->entities || !world->chunks)
        return false;
    world->entity_count = settings->entities;
    world->mailbox_options = (vf_smallbuf_options){
        .allocator = {spill_alloc, spill_dealloc, world->chunks}, .first_chunk = 32};
    for (size_t i = 0; i < world->entity_count; i++) {
        struct entity *entity = &world->entities[i];
        entity->gold = FORTUNE;
        if (world->use_mutex)
            pthread_mutex_init(&entity->locked.mutex, NULL);
        else
            mailbox_init(&entity->mailbox, &world->mailbox_options);
    }
    return true;
}

static void world_fini(struct world *world)
{
    for (size_t i = 0; i < world->entity_count; i++) {
        struct entity *entity = &world->entities[i];
        if (world->use_mutex) {
            pthread_mutex_destroy(&entity->locked.mutex);
            free(entity->locked.messages);
        } else {
            mailbox_destroy(&entity->mailbox);
        }
    }
    free(world->entities);
    active_list_destroy(&world->active);
    pool_chunk_256_release(world->chunks);
}

static void world_print_memory(const struct world *world)
{
    size_t own = 0;
    for (size_t i = 0; i < world->entity_count; i++) {
        const struct entity *entity = &world->entities[i];
        own += world->use_mutex ? entity->locked.capacity * sizeof(struct message)
                                : entity->most_spilled_bytes;
    }
    if (world->use_mutex) {
        printf("%zu KiB in arrays outside the entities\n", own / 1024);
        return;
    }
    printf("%zu of %zu mailboxes spilled in the busiest frame\n", world->most_spilled,
           world->entity_count);
    printf("%zu KiB outside the entities at the peak; %zu KiB if each mailbox kept its own\n",
           world->most_spilled_bytes / 1024, own / 1024);
    vf_pool_stats stats = pool_chunk_256_stats(world->chunks);
    vf_pool_stats_print(stdout, "chunks", &stats);
}

static void world_print(const struct world *world, size_t threads, double time)
{
    uint64_t received = 0, gold = 0, checksum = 0;
    for (size_t i = 0; i < world->entity_count; i++) {
        const struct entity *entity = &world->entities[i];
        received += entity->received;
        gold += entity->gold;
        checksum = checksum * 31 + (entity->senders ^ entity->gold ^ entity->received << 48);
    }
    printf("%zu frames, %zu threads, %zu mailboxes that are %s\n", world->frames, threads,
           world->entity_count, world->use_mutex ? "arrays under mutexes" : "small buffers");
    printf("%" PRIu64 " messages delivered, %zu refused, to %" PRIu64 " active entities\n",
           received, (size_t)world->refused, world->visited);
    printf("%" PRIu64 " gold in the end\n", gold);
    printf("checksum %016" PRIx64 "\n", checksum);
    printf("%.1f frames per second\n", (double)world->frames / time);
    world_print_memory(world);
    print_end(time);
}

int main(int count, char **arguments)
{
    struct world world = {0};
    struct settings settings = {.frames = 300, .threads = processors(), .entities = 100000};
    if (!parse(count, arguments, &settings))
        return 2;
    bool good = world_init(&world, &settings);
    if (good) {
        double start = seconds();
        size_t threads = run_threads(settings.threads, world_run, &world, &world.barrier);
        double time = seconds() - start;
        good = threads > 0 && !world.out_of_memory;
        if (good)
            world_print(&world, threads, time);
    }
    world_fini(&world);
    if (!good)
        fprintf(stderr, "mailbox: %s\n", strerror(ENOMEM));
    return good && !fflush(stdout) && !ferror(stdout) ? 0 : 1;
}
